# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks run as the ssh user, without sudo."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, NamedTuple

from scenario import SCENARIO

#: Of the MySQL account that prepare makes.
PASSWORD = "correct-horse"  # noqa: S105
LOGIN = {"group_replication_login_user": "ops", "group_replication_login_password": PASSWORD}


class Run(NamedTuple):
    """What a run of ansible-playbook gave."""

    code: int
    output: str


def without_sudo(playbook: str, *flags: str, **variables: Any) -> Run:
    """Run a playbook on all servers as the ssh user."""
    extra = json.dumps({"ansible_become": False, **variables})
    done = subprocess.run(
        ["ansible-playbook", "-i", SCENARIO / "inventory.yml", playbook, "-e", extra, *flags],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "0"},  # molecule asks for colours
    )
    return Run(done.returncode, done.stdout + done.stderr)
