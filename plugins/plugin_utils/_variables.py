# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values of Ansible's variables. Private to dbfleet.mysql."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.template import Templar
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure

SECRET = "group_replication_login_password"  # noqa: S105 - the name of a variable


def values_and_errors(
    names: Iterable[str], variables: Mapping[str, Any], templar: Templar
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of those variables that are set, and a sentence on each that has none.

    Null is not set. A variable that refers to an undefined one has no value: taken for not set, it
    would have the module log in without the password, say.

    Args:
        names: the variables.
        variables: the variables of a host, as Ansible hands them to an action plugin.
        templar: is made with these variables.
    """
    # Before ansible-core 2.19 an omitted value is a token; since then it has no key in a result.
    omitted = variables.get("omit")
    values: dict[str, Any] = {}
    errors = []
    for name in names:
        if name not in variables:
            continue
        try:
            value = templar.template({name: variables[name]}).get(name)
        except AnsibleUndefinedVariable as error:
            errors.append(f"{name}: {error}")
        except AnsibleError as error:
            # Before 2.19 the message has the whole text.
            reason = (
                "it is no template; mark a text that is none with !unsafe"
                if name == SECRET
                else error
            )
            errors.append(f"{name}: {reason}")
        else:
            if value is not None and value != omitted:
                values[name] = value
    return values, errors


def values_of(
    names: Iterable[str], variables: Mapping[str, Any], templar: Templar
) -> dict[str, Any]:
    """Return the values of those variables that are set, as :func:`values_and_errors`.

    Raises:
        Failure: one has no value.
    """
    values, errors = values_and_errors(names, variables, templar)
    if errors:
        raise wrong_variables(errors)
    return values


def wrong_variables(errors: Iterable[str]) -> Failure:
    """Return the failure of variables that do not fit.

    Args:
        errors: a sentence on each.
    """
    return Failure(
        "variables_wrong",
        "; ".join(errors).rstrip(".") + ".",
        "Correct the variable in the inventory or the command, and run this again.",
    )
