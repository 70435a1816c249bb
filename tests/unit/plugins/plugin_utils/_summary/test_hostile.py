# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that return what they like: the summary takes it for data of that host alone."""

from __future__ import annotations

import copy
import json
import os
import stat
import time
import unicodedata

import pytest

pytest.importorskip("jinja2", reason="Jinja2 is on the control node only, as this code is")

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary import report, table
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.host import Outcome, host_of
from made_up_fleet import DENIED, GOOD, host

RUN = report.Run(
    playbook="dbfleet.mysql.group_replication_plugin",
    state="present",
    check_mode=False,
    fail_on_change=False,
    started_at="2026-11-22T03:00:00+00:00",
    finished_at="2026-11-22T03:00:09+00:00",
)
PLUGIN = "group_replication_plugin_result"
OPTION_FILE = "group_replication_option_file_result"
FAILURE = "group_replication_failure"

#: Where a text of a host's is shown: a path in its variables.
SHOWN = [
    (PLUGIN, "server", "version"),
    (PLUGIN, "server", "flavor"),
    (PLUGIN, "server", "something new"),
    (PLUGIN, "plugin", "status"),
    (PLUGIN, "plugin", "library"),
    (PLUGIN, "plugin", "license"),
    (PLUGIN, "plugin", "something new"),
    (PLUGIN, "loaded_at_start_by", 0),
    (PLUGIN, "executed_statements", 0),
    (PLUGIN, "warnings", 0),
    (OPTION_FILE, "changed_files", 0),
    (OPTION_FILE, "warnings", 0),
]
#: The same of a host that failed.
SHOWN_OF_A_FAILURE = [
    (FAILURE, "cause"),
    (FAILURE, "next_step"),
    (FAILURE, "server", "version"),
]

#: What moves a cursor, begins a line, turns the direction of text, shows nothing or is no text.
ODD = (
    "a\x1b[2J\x1b]0;title\x07b\rc\nd\x0be\x0cf\x85g\u2028h\u2029i\u202ej\u2066k\u200bl\ufeffm\xad"
    "n\x00o\x7fp\x9bq\U000e0041r\ud800s\udcfft"
)
FORGED = "x\ndb2   MySQL 8.4.3  ACTIVE\n\nhosts: 2, with a problem: 0, in order: 2"
CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")
#: As long as a host can make it here without slowing down the test.
HUGE = 10 * 1024 * 1024


def variables(**more):
    """Return what the role registered on a host that it changed."""
    return {
        PLUGIN: dict(
            copy.deepcopy(GOOD),
            executed_statements=["INSTALL PLUGIN x"],
            changed=True,
            warnings=["Mind this."],
        ),
        "group_replication_package_result": {},
        OPTION_FILE: {"changed": True, "changed_files": ["/etc/my.cnf"], "warnings": ["And this."]},
        "group_replication_verification_result": {"skipped": True},
        FAILURE: {},
        **more,
    }


def hostile(path, value):
    """Return the variables of a host with a value of its own at a path."""
    result = variables()
    if path[0] == FAILURE:
        result[FAILURE] = dict(DENIED, server={"version": "8.4.3", "flavor": "MySQL"})
    place = result
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return result


def judged(found, name="evil", strict=False):
    return host_of(name, found, "present", strict, False, False)


def terminal(hosts):
    """Return the table as text."""
    return "\n".join(line.text for line in table.render(hosts, "present"))


def rendered(hosts):
    """Return all that is made of a fleet, by name."""
    return {
        "terminal": terminal(hosts),
        "batch": table.progress(hosts, left=3),
        **{extension: report.render(extension, RUN, hosts) for extension in report.EXTENSIONS},
        "returned": "\n".join(f"{each.heading} {each.cause} {each.next_step}" for each in hosts),
    }


def odd_characters(text):
    return [
        character
        for character in text
        if character != "\n" and unicodedata.category(character) in CATEGORIES
    ]


def strings(value):
    """Yield the strings in a JSON document, names included."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


# ---- 9: texts ----


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("path", SHOWN + SHOWN_OF_A_FAILURE, ids=str)
def test_no_text_of_a_host_controls_a_terminal_or_a_page(path, strict):
    fleet = [judged(hostile(path, ODD), strict=strict), host("good")]
    plain = rendered([judged(hostile(path, "plain"), strict=strict), host("good")])
    for name, text in rendered(fleet).items():
        assert odd_characters(text) == [], name
        # Neither a row nor a line more.
        assert text.count("\n") == plain[name].count("\n"), (name, text)
        text.encode()
    document = json.loads(report.render(".json", RUN, fleet))
    for text in strings(document):
        assert odd_characters(text) == []
        assert "\n" not in text


@pytest.mark.parametrize("path", SHOWN + SHOWN_OF_A_FAILURE, ids=str)
def test_no_text_of_a_host_makes_a_row_for_another(path):
    hosts = [judged(hostile(path, FORGED)), host("good")]
    for name, text in rendered(hosts).items():
        assert not [line for line in text.splitlines() if line.startswith("db2")], name
        if name == "terminal":
            assert text.splitlines()[-1].startswith("hosts: 2, ")
            assert sum(line.startswith("hosts: ") for line in text.splitlines()) == 1


@pytest.mark.parametrize("text", ["# db2 in order", "- db2", "+ db2", "1. db2"])
@pytest.mark.parametrize("path", SHOWN_OF_A_FAILURE[:3], ids=str)
def test_no_message_of_a_host_is_a_heading_or_a_list(path, text):
    page = report.render(".md", RUN, [judged(hostile(path, text)), host("good")])
    assert not [line for line in page.splitlines() if line.startswith(text)]


@pytest.mark.parametrize("path", SHOWN + SHOWN_OF_A_FAILURE, ids=str)
def test_texts_are_of_bounded_length(path):
    begin = time.process_time()
    hosts = [judged(hostile(path, "y" * HUGE), f"evil{number}") for number in range(3)]
    for name, text in rendered([*hosts, host("good")]).items():
        shown = [line for line in text.splitlines() if "yyy" in line]
        # A cell is short, and a row has seven; a message may be of two sentences.
        assert max(map(len, shown), default=0) < 3000, name
        assert text.count("y") < 20000, name
    assert time.process_time() - begin < 5
    cells = table.cells_of(hosts[0])
    assert max(map(len, cells)) <= 250
    assert max(len(hosts[0].cause), len(hosts[0].next_step)) <= 1300
    for warning in hosts[0].warnings:
        assert len(warning) <= 650


@pytest.mark.parametrize(
    "path",
    [
        (PLUGIN, "loaded_at_start_by"),
        (PLUGIN, "executed_statements"),
        (PLUGIN, "warnings"),
        (OPTION_FILE, "changed_files"),
        (OPTION_FILE, "warnings"),
    ],
    ids=str,
)
def test_lists_are_of_bounded_length(path):
    many = [f"entry {number}" for number in range(100000)]
    begin = time.process_time()
    for strict in (False, True):
        fleet = [judged(hostile(path, many), strict=strict), host("good")]
        for name, text in rendered(fleet).items():
            assert len(text) < 100000, (name, len(text))
    assert time.process_time() - begin < 10


def test_a_document_of_a_host_is_of_bounded_size_and_depth():
    deep = {}
    place = deep
    for _step in range(50000):
        place["x"] = {}
        place = place["x"]
    wide = {f"name {number}": number for number in range(100000)}
    for value in (deep, wide, "y" * HUGE, 10**5000, float("nan"), float("inf")):
        for part in ("server", "plugin"):
            fleet = [judged(hostile((PLUGIN, part, "new"), value)), host("good")]
            for name, text in rendered(fleet).items():
                assert len(text) < 100000, (name, part)
            # Valid JSON: without NaN and Infinity.
            text = report.render(".json", RUN, fleet)
            document = json.loads(text, parse_constant=pytest.fail)
            assert [each["name"] for each in document["hosts"]].count("good") == 1


# ---- 10: types ----

OTHERS = {
    "a number": 5,
    "a fraction": 1.5,
    "no number": float("nan"),
    "true": True,
    "a text": "text",
    "a list": ["a"],
    "a list of numbers": [5],
    "a list of lists": [[]],
    "a list of nothing": [None],
    "a list of dictionaries": [{"a": 1}],
    "a dictionary": {"a": 1},
    "a dictionary of others": {"version": {}, "flavor": [], "status": 5, "library": {}},
}
#: The fields that are shown or judged, and which of the above is right there.
FIELDS = {
    (PLUGIN,): ("a dictionary", "a dictionary of others"),
    ("group_replication_package_result",): ("a dictionary", "a dictionary of others"),
    (OPTION_FILE,): ("a dictionary", "a dictionary of others"),
    ("group_replication_verification_result",): ("a dictionary", "a dictionary of others"),
    (FAILURE,): (),
    (PLUGIN, "server"): ("a dictionary",),
    (PLUGIN, "plugin"): ("a dictionary",),
    (PLUGIN, "loaded_at_start_by"): ("a list",),
    (PLUGIN, "executed_statements"): ("a list",),
    (PLUGIN, "warnings"): ("a list",),
    (PLUGIN, "survives_restart"): ("true",),
    (PLUGIN, "server", "version"): ("a text",),
    (PLUGIN, "server", "flavor"): ("a text",),
    (PLUGIN, "plugin", "status"): ("a text",),
    (PLUGIN, "plugin", "library"): ("a text",),
    (PLUGIN, "plugin", "license"): ("a text",),
    (OPTION_FILE, "changed_files"): ("a list",),
    (OPTION_FILE, "warnings"): ("a list",),
    (FAILURE, "error_code"): (),
    (FAILURE, "cause"): (),
    (FAILURE, "next_step"): (),
    (FAILURE, "server"): (),
}
#: Fields of which Ansible itself makes something, or that count where a task failed already.
BESIDES = [
    *((PLUGIN, name) for name in ("check_mode", "changed", "failed", "skipped", "unreachable")),
    *((PLUGIN, name) for name in ("error_code", "msg", "rc", "module_stderr", "argument_errors")),
    *((FAILURE, name) for name in ("msg", "rc", "module_stderr", "argument_errors")),
    *((FAILURE, name) for name in ("unreachable", "warnings", "executed_statements")),
    (OPTION_FILE, "option_file"),
    (OPTION_FILE, "changed"),
    ("group_replication_package_result", "changed"),
]


def without_trouble(evil):
    """Check that a host disturbs neither the summary nor another host; it may be odd itself."""
    good = host("good")
    assert good.outcome is Outcome.IN_ORDER
    texts = rendered([evil, good])
    alone = terminal([good]).splitlines()
    row = next(line for line in alone if line.startswith("good"))
    assert any(line.split() == row.split() for line in texts["terminal"].splitlines())
    document = json.loads(texts[".json"])
    found = {each["name"]: each for each in document["hosts"]}
    assert found["good"]["outcome"] == "in_order"
    assert set(found) == {"good", "evil"}


@pytest.mark.parametrize("value", OTHERS)
@pytest.mark.parametrize("path", FIELDS, ids=str)
def test_a_wrong_type_is_a_failure_of_that_host_alone(path, value):
    evil = judged(hostile(path, OTHERS[value]))
    without_trouble(evil)
    if value not in FIELDS[path]:
        assert evil.outcome.is_problem, evil


@pytest.mark.parametrize("value", OTHERS)
@pytest.mark.parametrize("path", BESIDES, ids=str)
def test_a_wrong_type_elsewhere_ends_nothing(path, value):
    found = hostile(path, OTHERS[value])
    if path[0] == FAILURE:
        del found[FAILURE]["error_code"]
    for strict in (False, True):
        without_trouble(judged(found, strict=strict))


@pytest.mark.parametrize("code", ["x, b2 failed: server_down", "Odd", "", "a" * 41, "x\ny"])
def test_an_error_code_is_a_word(code):
    evil = judged(hostile((FAILURE, "error_code"), code))
    assert evil.error_code == "result_invalid"
    without_trouble(evil)


def test_blanks_begin_no_line():
    """On a terminal of known width, many of them would."""
    evil = judged(hostile((FAILURE, "cause"), "x" + " " * 300 + "hosts: 2, with a problem: 0"))
    assert evil.cause == "x hosts: 2, with a problem: 0"


def test_names_that_are_no_text():
    """JSON has texts for names; a host's facts may come from elsewhere."""
    found = variables()
    found[PLUGIN]["server"] = {5: "x", None: "y", "version": "8.4.3", "a\x1b\nb": "c"}
    fleet = [judged(found), host("good")]
    for name, text in rendered(fleet).items():
        assert odd_characters(text) == [], name


# ---- 10 and 15: the file ----


@pytest.mark.parametrize("extension", report.EXTENSIONS)
@pytest.mark.parametrize("path", [*SHOWN, *SHOWN_OF_A_FAILURE], ids=str)
def test_a_report_is_written_whatever_a_host_says(tmp_path, path, extension):
    file = str(tmp_path / f"fleet{extension}")
    report.write(report.check_path(file), RUN, [judged(hostile(path, ODD)), host("good")])
    assert os.listdir(tmp_path) == [f"fleet{extension}"]
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    assert "good" in text
    assert text.endswith("\n")


def test_no_temporary_file_is_left(tmp_path, monkeypatch):
    """Neither by a name that is no text nor by an end in the midst of it."""
    file = str(tmp_path / "fleet.json")
    (tmp_path / "fleet.json").write_text("old")
    try:
        report.write(file, RUN._replace(playbook="\udcff.yml"), [host("good")])
    except Failure:
        assert (tmp_path / "fleet.json").read_text() == "old"
    else:
        json.loads((tmp_path / "fleet.json").read_text())
    assert os.listdir(tmp_path) == ["fleet.json"]

    def stopped(_handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    before = (tmp_path / "fleet.json").read_text()
    with pytest.raises(KeyboardInterrupt):
        report.write(file, RUN, [host("good")])
    assert os.listdir(tmp_path) == ["fleet.json"]
    assert (tmp_path / "fleet.json").read_text() == before


@pytest.fixture
def shared(tmp_path):
    """Return a folder in which each account may write, and a file elsewhere."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    precious = tmp_path / "precious.json"
    precious.write_text("precious")
    return folder, precious


def written(path):
    """Try to write a report; a refusal is as good."""
    try:
        report.write(report.check_path(str(path)), RUN, [host("good")])
    except Failure:
        return False
    return True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another account's link")
def test_a_link_of_another_account_in_a_shared_folder_is_not_followed(shared):
    folder, precious = shared
    link = folder / "fleet.json"
    link.symlink_to(precious)
    os.chown(link, 12345, 12345, follow_symlinks=False)
    done = written(link)
    assert precious.read_text() == "precious"
    if done:
        assert stat.S_ISREG(os.lstat(link).st_mode)
    assert [name for name in os.listdir(folder) if name != "fleet.json"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another account's link")
def test_a_link_that_comes_between_the_check_and_the_write_is_not_followed(shared):
    folder, precious = shared
    path = report.check_path(str(folder / "fleet.json"))
    (folder / "fleet.json").symlink_to(precious)
    os.chown(folder / "fleet.json", 12345, 12345, follow_symlinks=False)
    report.write(path, RUN, [host("good")])
    assert precious.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another account's file")
def test_names_that_another_account_took_do_not_stop_a_report(shared):
    """In a shared folder somebody can have made each name that can be known beforehand."""
    folder, _precious = shared
    taken = folder / f"fleet.json.{os.getpid()}.tmp"
    taken.write_text("taken")
    os.chown(taken, 12345, 12345)
    assert written(folder / "fleet.json")
    assert taken.read_text() == "taken"


def test_ones_own_link_elsewhere_is_followed(tmp_path):
    """Such as one that leads to where a web server has its pages."""
    target = tmp_path / "pages.json"
    target.write_text("old")
    (tmp_path / "fleet.json").symlink_to(target)
    assert written(tmp_path / "fleet.json")
    assert json.loads(target.read_text())["hosts"][0]["name"] == "good"
    assert (tmp_path / "fleet.json").is_symlink()


def test_others_cannot_read_what_a_narrow_mode_kept_from_them(tmp_path):
    """A report that its owner closed stays closed when the next one takes its place."""
    file = tmp_path / "fleet.json"
    file.write_text("old")
    file.chmod(0o600)
    assert written(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o4777, 0o2666, 0o1777])
def test_a_report_takes_over_no_mode_that_lets_others_write_or_run_it(tmp_path, mode):
    """In a shared folder the old file may be anybody's, made for this."""
    file = tmp_path / "fleet.json"
    file.write_text("old")
    file.chmod(mode)
    assert written(file)
    assert file.stat().st_mode & 0o7022 == 0
