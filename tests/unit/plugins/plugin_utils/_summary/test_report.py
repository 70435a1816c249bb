# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a fleet: JSON, Markdown and HTML."""

from __future__ import annotations

import html.parser
import json
import os

import pytest

pytest.importorskip("jinja2", reason="Jinja2 is on the control node only, as this code is")

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary import report
from made_up_fleet import DENIED, failed, host, later

RUN = report.Run(
    playbook="dbfleet.mysql.group_replication_plugin_verify",
    state="present",
    check_mode=True,
    fail_on_change=True,
    started_at="2026-11-22T03:00:00+00:00",
    finished_at="2026-11-22T03:00:09+00:00",
)
ODD = "<script>alert(1)</script>|`*"
HOSTS = [host("a"), failed("b"), failed(ODD, dict(DENIED, cause=f"No {ODD} here.")), later("z")]


class Page(html.parser.HTMLParser):
    """Collects a page's elements and visible text."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.words = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def test_json():
    document = json.loads(report.render(".json", RUN, HOSTS))
    assert document["schema_version"] == 1
    run = document["run"]
    assert run["playbook"] == "dbfleet.mysql.group_replication_plugin_verify"
    assert run["check_mode"] is True
    assert run["counts"]["hosts"] == 4
    assert run["counts"]["with_a_problem"] == run["counts"]["failed"] == 2
    assert run["counts"]["not_reached"] == run["counts"]["in_order"] == 1
    hosts = {each["name"]: each for each in document["hosts"]}
    assert [each["outcome"] for each in document["hosts"]] == [
        "failed",
        "failed",
        "not_reached",
        "in_order",
    ]
    assert hosts["a"]["server"]["version"] == "8.4.3"
    assert hosts["a"]["plugin"]["status"] == "ACTIVE"
    assert hosts["a"]["survives_restart"] is True
    assert hosts["a"]["problem"] is None
    assert hosts["b"]["error_code"] == "access_denied"
    assert hosts["b"]["problem"] == "The account may not log in."
    assert hosts["b"]["next_step"] == "Correct the login."
    assert hosts["b"]["server"] is None
    assert hosts["b"]["warnings"] == []


def test_html_escapes_and_asks_for_nothing():
    text = report.render(".html", RUN, HOSTS)
    page = Page(text)
    assert sum(tag == "script" for tag, _attributes in page.elements) == 1
    assert ODD in "".join(page.words)
    addresses = [
        value
        for _tag, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href")
    ]
    assert addresses == ["data:,"]
    assert "url(" not in text
    assert "@import" not in text


def test_html_has_each_host_once_in_the_table():
    page = Page(report.render(".html", RUN, HOSTS))
    assert sum(attributes.get("scope") == "row" for _tag, attributes in page.elements) == 4


def test_markdown_escapes():
    text = report.render(".md", RUN, HOSTS)
    assert "<script" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 4 * 3  # four tables of one host each, with a head of two lines
    cells = {line.replace("\\|", "").count("|") for line in rows}
    assert cells == {8}
    assert "The account may not log in. Correct the login." in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ('It\'s "so" & > 1', 'It\'s "so" & > 1'),
        ("<b> &lt; &#39;", "&lt;b> &amp;lt; &amp;#39;"),
        ("> db2", "\\> db2"),
        ("a_b|c", "a\\_b\\|c"),
    ],
)
def test_markdown_is_plain_text_where_it_can_be(text, escaped):
    assert report.markdown(text) == escaped


@pytest.mark.parametrize("extension", [".md", ".html"])
def test_what_was_done_is_in_the_report(extension):
    changed = host(
        "a",
        changed=True,
        executed_statements=["INSTALL PLUGIN 'x'"],
        option_file={"changed": True, "changed_files": ["/etc/my.cnf"]},
        package={"changed": True},
    )
    text = report.render(extension, RUN, [changed, host("b")])
    assert "hat was to be done" in text.replace("W", "w")
    if extension == ".md":
        done = "the package of PyMySQL; INSTALL PLUGIN 'x'; a change in /etc/my.cnf"
        assert f"- a: {done}\n" in text
    else:
        page = Page(text)
        done = [word for word in page.words if word in changed.done]
        assert done == ["the package of PyMySQL", "INSTALL PLUGIN 'x'", "a change in /etc/my.cnf"]
        # On a phone each piece of text in a cell would be a cell of its own.
        assert "; " not in page.words
        assert '<td data-label="to be done" class="done"><div>' in text
    assert "to be done" not in report.render(".md", RUN, [host("b")])


@pytest.mark.parametrize(
    ("name", "error_code"),
    [
        ("fleet.txt", "report_name_invalid"),
        ("fleet", "report_name_invalid"),
        ("folder.html", "report_name_invalid"),
        ("nowhere/fleet.html", "report_folder_missing"),
        ("a/fleet.md", "report_folder_missing"),
    ],
)
def test_names_that_are_refused(tmp_path, name, error_code):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "a").write_text("")
    with pytest.raises(Failure) as raised:
        report.check_path(str(tmp_path / name))
    assert raised.value.error_code == error_code


def test_folder_that_may_not_be_written_to(tmp_path, monkeypatch):
    # As root every folder can be written to, so the system's answer is made up.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(Failure) as raised:
        report.check_path(str(tmp_path / "fleet.json"))
    assert raised.value.error_code == "report_not_writable"


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "fleet.md"
    path.write_text("old")
    report.write(report.check_path(str(path)), RUN, HOSTS)
    assert path.read_text(encoding="utf-8").startswith("# Group Replication plugin: 2 of 4")
    assert os.listdir(str(tmp_path)) == ["fleet.md"]


def test_a_report_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    # Nothing but a full disk does this for real.
    def full(descriptor):
        raise OSError(28, "No space left on device")

    path = tmp_path / "fleet.md"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure) as raised:
        report.write(str(path), RUN, HOSTS)
    assert raised.value.error_code == "report_not_writable"
    assert "No space left" in raised.value.cause
    assert path.read_text() == "old"
    assert os.listdir(str(tmp_path)) == ["fleet.md"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    report.write(report.check_path(str(tmp_path / "link.json")), RUN, HOSTS)
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["schema_version"] == 1
