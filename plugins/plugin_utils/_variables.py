# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values of Ansible's variables. Private to dbfleet.mysql."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible.template import Templar


def values_of(
    names: Iterable[str], variables: Mapping[str, Any], templar: Templar
) -> dict[str, Any]:
    """Return the values of those variables that are set.

    Args:
        names: the variables.
        variables: the variables of a host, as Ansible hands them to an action plugin.
        templar: is made with these variables.

    Raises:
        AnsibleError: a value refers to what is undefined, or is no valid template.
    """
    given = {name: variables[name] for name in names if name in variables}
    # Before ansible-core 2.19 an omitted value is a token; since then it has no key in the result.
    omitted = variables.get("omit")
    return {name: value for name, value in templar.template(given).items() if value != omitted}
