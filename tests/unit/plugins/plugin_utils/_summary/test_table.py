# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary of a fleet as it stands on the terminal."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary import table as summary
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.host import Outcome
from made_up_fleet import DENIED, failed, host, later


def lines(*hosts, state="present"):
    return [line.text for line in summary.render(list(hosts), state)]


def test_headings_have_their_outcome():
    found = {
        line.text: line.outcome
        for line in summary.render([failed("a"), host("b"), later("c")], "present")
        if line.outcome
    }
    assert found == {
        "failed: access_denied (1)": Outcome.FAILED,
        "not reached (1)": Outcome.NOT_REACHED,
        "in order (1)": Outcome.IN_ORDER,
    }


def test_a_removal_tells_what_comes_back():
    gone = host("a", state="absent", survives_restart=False, plugin=None)
    text = lines(gone, state="absent")
    assert text[0].endswith("  comes back after a restart")
    assert text[4].endswith("  no")
    many = [gone._replace(name=f"db{number}") for number in range(summary.MOST_ROWS + 1)]
    assert "comes back after a restart: no" in "\n".join(lines(*many, state="absent"))


def test_worst_first_with_the_sentence_once():
    text = lines(host("a"), failed("b"), later("e"), host("c", changed=True), failed("d"))
    headings = [line for line in text if line.endswith(")")]
    assert headings == [
        "failed: access_denied (2)",
        "not reached (1)",
        "changed (1)",
        "in order (1)",
    ]
    start = text.index("failed: access_denied (2)")
    assert [line.split()[0] for line in text[start + 1 : start + 3]] == ["b", "d"]
    assert text[start + 3 : start + 5] == ["  The account may not log in.", "  Correct the login."]
    assert text.count("  The account may not log in.") == 1
    assert text[-1] == "hosts: 5, with a problem: 2, not reached: 1, changed: 1, in order: 1"
    assert all(line == line.rstrip() for line in text)


def test_different_sentences_stand_with_their_hosts():
    other = dict(DENIED, cause="Another account may not.")
    text = lines(failed("a"), failed("b", other), failed("c"))
    assert [line.split()[0] for line in text[4:7:1]] == ["a", "c", "The"]
    assert text.index("  Another account may not.") > text.index("  Correct the login.")


def test_unknown_facts_are_a_dash():
    assert summary.cells_of(failed("a")) == ("a", "-", "-", "-", "-", "-", "-")
    partly = failed("a", dict(DENIED, server={"version": "8.4.3", "flavor": "MySQL"}))
    assert summary.cells_of(partly) == ("a", "MySQL 8.4.3", "-", "-", "-", "-", "-")


def test_many_healthy_hosts_are_counted():
    many = [host(f"db{number}") for number in range(summary.MOST_ROWS)]
    assert "db39" in "\n".join(lines(*many))
    older = host("old", server={"version": "8.0.36", "flavor": "Percona Server"})
    text = lines(*many, older)
    assert "in order (41)" in text
    assert "40 hosts: MySQL 8.4.3, plugin ACTIVE, survives a restart: yes" in text
    assert "1 hosts: Percona Server 8.0.36, plugin ACTIVE, survives a restart: yes" in text
    assert "db39" not in "\n".join(text)


def test_problems_are_named_up_to_a_limit():
    other = dict(DENIED, cause="Another account may not.")
    many = [failed(f"db{number}") for number in range(summary.MOST_ROWS + 3)]
    text = lines(*many, failed("last", other))
    assert sum(line.startswith("db") for line in text) == summary.MOST_ROWS
    more = text.index("and 3 more, 43 in all")
    assert text[more + 1 : more + 3] == ["  The account may not log in.", "  Correct the login."]
    assert text[more + 3].split()[0] == "last"
    assert text[more + 4] == "  Another account may not."


def test_warnings_stand_once_with_their_hosts():
    text = lines(host("a", warnings=["Mind this."]), host("b", warnings=["Mind this."]))
    assert "  a, b: Mind this." in text


def test_progress():
    batch = [failed("a"), host("b")]
    assert summary.progress(batch, 2) == (
        "Batch of 2, with a problem: 1, in order: 1 (a failed: access_denied); hosts left: 2"
    )


@pytest.mark.parametrize(
    ("problems", "hosts", "most", "stops"),
    [
        (1, 1, 0, True),
        (0, 1, 0, False),
        (1, 1, 100, False),
        (2, 10, 20, False),
        (3, 10, 20, True),
    ],
)
def test_when_a_run_stops(problems, hosts, most, stops):
    batch = [failed(str(number)) for number in range(problems)]
    batch += [host(str(number)) for number in range(problems, hosts)]
    assert bool(summary.stop_reason(batch, most)) is stops
