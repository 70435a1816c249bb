# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks refuse before a host is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="Jinja2 is on the control node only, as this code is")

import yaml
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils import _fleet_request as request

ROLE = Path(__file__).resolve().parents[4] / "roles" / "group_replication"
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))[
    "argument_specs"
]["main"]["options"]

INSTALL = request.Request("present", False, False, ["a", "b"], {}, {"present"}, ["hosts"], None)
REMOVE = INSTALL._replace(state="absent", states={"absent"})
CONFIRMED = {"group_replication_confirm_remove": "yes"}


def batches(serial=None, most=None):
    names = ("group_replication_serial", "group_replication_max_fail_percentage")
    return {name: value for name, value in zip(names, (serial, most)) if value is not None}


@pytest.mark.parametrize(
    "asked",
    [
        INSTALL,
        INSTALL._replace(variables=batches(5)),
        INSTALL._replace(variables=batches("25%")),
        INSTALL._replace(variables=batches(" 1, 10,100% ", 0)),
        INSTALL._replace(variables=batches([1, "100%"], "99.5")),
        INSTALL._replace(look=True, states={"absent"}),
        REMOVE._replace(variables=CONFIRMED),
        REMOVE._replace(check_mode=True),
        REMOVE._replace(look=True),
    ],
)
def test_what_is_meant_so(asked):
    request.check(asked)


@pytest.mark.parametrize(
    ("asked", "error_code"),
    [
        (INSTALL._replace(hosts=[]), "inventory_empty"),
        (INSTALL._replace(states={"present", "absnt"}), "state_unknown"),
        (INSTALL._replace(states={"absent"}), "state_of_another_playbook"),
        (INSTALL._replace(states={"absent", "present"}), "state_of_another_playbook"),
        (REMOVE._replace(states={"present"}, variables=CONFIRMED), "state_of_another_playbook"),
        (INSTALL._replace(look=True, states={"absent", "present"}), "state_mixed"),
        (INSTALL._replace(variables=batches("0")), "serial_invalid"),
        (INSTALL._replace(variables=batches([])), "serial_invalid"),
        (INSTALL._replace(variables=batches("1,,2")), "serial_invalid"),
        (INSTALL._replace(variables=batches(True)), "serial_invalid"),
        (INSTALL._replace(variables=batches({"a": 1})), "serial_invalid"),
        (INSTALL._replace(variables=batches(1, "100.5")), "max_fail_percentage_invalid"),
        (INSTALL._replace(variables=batches(1, -1)), "max_fail_percentage_invalid"),
        (INSTALL._replace(variables=batches(None, 0)), "max_fail_percentage_without_serial"),
        (REMOVE, "removal_not_confirmed"),
        (
            REMOVE._replace(variables={"group_replication_confirm_remove": "maybe"}),
            "removal_not_confirmed",
        ),
    ],
)
def test_what_is_refused(asked, error_code):
    with pytest.raises(Failure) as refused:
        request.check(asked)
    assert refused.value.error_code == error_code
    assert refused.value.cause.endswith("."), refused.value.cause
    assert refused.value.next_step


def test_the_confirmation_repeats_what_was_given():
    asked = REMOVE._replace(
        inventories=["my hosts", "more"],
        limit="db*",
        variables={"group_replication_hosts": ["a", "b"]},
    )
    with pytest.raises(Failure) as refused:
        request.check(asked)
    assert refused.value.next_step.endswith(
        "ansible-playbook -i 'my hosts' -i more dbfleet.mysql.group_replication_plugin_remove --limit 'db*' "
        "-e group_replication_hosts=a,b -e group_replication_confirm_remove=true"
    )


def test_values_that_fit():
    given = {
        "group_replication_login_port": "3307",
        "group_replication_allow_group_start": "no",
        "group_replication_registration": "never",
        "group_replication_login_password": "any",
    }
    assert request.wrong_values(OPTIONS, given) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("group_replication_login_port", "abc"),
        ("group_replication_allow_group_start", "perhaps"),
        ("group_replication_registration", "nevr"),
        ("group_replication_validate_config", "maybe"),
    ],
)
def test_values_that_do_not_fit(name, value):
    (sentence,) = request.wrong_values(OPTIONS, {name: value})
    assert name in sentence
