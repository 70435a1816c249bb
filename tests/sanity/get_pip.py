# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install pip from the wheel that comes with Python's own ensurepip.

A stand-in for the bootstrap that ansible-test downloads to give its virtual environments a pip,
where that download cannot be had. Called, like the original, with pip's own arguments.
"""

import ensurepip
import glob
import os
import sys

wheels = glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl"))
sys.path.insert(0, wheels[0])

from pip._internal.cli.main import main  # noqa: E402 - pip is on the path only now

# What the original takes and pip itself does not.
own = {"--no-setuptools", "--no-wheel"}
sys.exit(main(["install", *(argument for argument in sys.argv[1:] if argument not in own)]))
