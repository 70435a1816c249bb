# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet's summary as a file: JSON, Markdown or one self-contained HTML page.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import re
import secrets
import stat
from typing import Any, NamedTuple

import jinja2

from ...module_utils._errors import Failure
from .host import Host, Outcome
from .table import NOT_REACHED, cells_of, columns_of, count, groups_of, warnings_of

# Counts up when a program that reads the JSON would have to change.
SCHEMA_VERSION = 1

EXTENSIONS = (".json", ".md", ".html")


class Run(NamedTuple):
    """What was asked of the fleet.

    Attributes:
        playbook: what ansible-playbook was called with.
        state: ``present`` or ``absent``.
        check_mode: whether nothing was changed.
        fail_on_change: whether a host that falls short is one with a problem.
        started_at: in UTC, ISO 8601; None where it is not known.
        finished_at: the same.
    """

    playbook: str
    state: str
    check_mode: bool
    fail_on_change: bool
    started_at: str | None
    finished_at: str


def check_path(path: str) -> str:
    """Return the absolute path of the file to be written.

    Raises:
        Failure: a report cannot be written there.
    """
    path = _without_links(os.path.abspath(path))
    if not path.endswith(EXTENSIONS) or os.path.isdir(path):
        raise Failure(
            "report_name_invalid",
            f"The report {path} has no name from which its format follows.",
            "Name a file that ends in .json, .md or .html.",
        )
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise Failure(
            "report_folder_missing",
            f"The folder {folder} of the report does not exist on the control node.",
            "Create it, or name another file.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _not_writable(path, "the user who runs Ansible may not write into its folder")
    return path


def _without_links(path: str) -> str:
    """Return a path without links; the last is followed only where it is ours.

    As the kernel does in a folder of many (proc_sys_fs(5), protected_symlinks). It is looked at
    once, and what is not followed then is replaced and never followed.
    """
    folder, name = os.path.split(path)
    plain = os.path.join(_followed(folder, path), name)
    try:
        status = os.lstat(plain)
    except OSError:
        return plain
    if not stat.S_ISLNK(status.st_mode):
        return plain
    if status.st_uid not in (0, os.geteuid()):
        raise _not_writable(path, "it is a link that belongs to somebody else")
    return _followed(plain, path)


def _followed(path: str, report: str) -> str:
    try:
        return os.path.realpath(path)
    except OSError:
        # Python before 3.13, where somebody takes a link away between two of its looks.
        raise _not_writable(report, "links on the way to it are being exchanged") from None


def write(path: str, run: Run, hosts: list[Host]) -> None:
    """Write the report, so that at each moment the file is the old one or the new one.

    Args:
        path: as :func:`check_path` returned it.

    Raises:
        Failure: it could not be written; the old file is still there.
    """
    text = render(os.path.splitext(path)[1], run, hosts)
    # A name that nobody else can foresee and take.
    unfinished = f"{path}.{secrets.token_hex(6)}.tmp"
    try:
        with open(unfinished, "x", encoding="utf-8", errors="replace") as file:
            with contextlib.suppress(FileNotFoundError):
                # One of ours that was closed to others stays so.
                old = os.lstat(path)
                if stat.S_ISREG(old.st_mode) and old.st_uid == os.geteuid():
                    os.fchmod(file.fileno(), old.st_mode & 0o755)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        if isinstance(error, OSError):
            raise _not_writable(path, error.strerror or str(error)) from error
        raise


def _not_writable(path: str, why: str) -> Failure:
    return Failure(
        "report_not_writable",
        f"The report {path} cannot be written on the control node: {why}.",
        "Make its folder writable and see that the disk has room, or name another file.",
    )


def render(extension: str, run: Run, hosts: list[Host]) -> str:
    """Return the report in the format of an extension."""
    hosts = [host for group in groups_of(hosts) for host in group.hosts]
    if extension == ".json":
        return json.dumps(as_document(run, hosts), indent=2, ensure_ascii=False) + "\n"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(os.path.dirname(__file__)),
        # In Markdown, the filter of that name does it.
        autoescape=extension == ".html",  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["markdown"] = markdown
    return environment.get_template("report" + extension + ".j2").render(
        run=run,
        hosts=hosts,
        groups=groups_of(hosts),
        counts=collections.Counter(host.outcome for host in hosts),
        problems=sum(host.outcome.is_problem for host in hosts),
        columns=columns_of(run.state),
        cells_of=cells_of,
        count=count(hosts),
        warnings=warnings_of(hosts),
        Outcome=Outcome,
        not_reached=NOT_REACHED,
    )


def markdown(text: str) -> str:
    """Return a text so that Markdown shows it as it is, in a table too."""
    for character in "\\`*_[]|~":
        text = text.replace(character, "\\" + character)
    # It may hold HTML, whose tags begin with one of these, and whose characters with the other.
    text = re.sub(r"&(?=[#\w])", "&amp;", text).replace("<", "&lt;")
    # What makes a heading, a list, a quotation or a rule stands at the beginning.
    return re.sub(r"^(\d*)([-+=#.)>])", r"\1\\\2", " ".join(text.split()))


def as_document(run: Run, hosts: list[Host]) -> dict[str, Any]:
    """Return what the JSON report holds; docs/apply_to_a_fleet.md describes it."""
    counts = collections.Counter(host.outcome for host in hosts)
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            **run._asdict(),
            "counts": {
                "hosts": len(hosts),
                "with_a_problem": sum(host.outcome.is_problem for host in hosts),
                **{outcome.name.lower(): counts[outcome] for outcome in Outcome},
            },
        },
        "hosts": [_host(host) for host in hosts],
    }


def _host(host: Host) -> dict[str, Any]:
    values = host._asdict()
    return {
        "name": values.pop("name"),
        "outcome": values.pop("outcome").name.lower(),
        "is_problem": host.outcome.is_problem,
        "error_code": values.pop("error_code"),
        "problem": values.pop("cause") or None,
        "next_step": values.pop("next_step") or None,
        "changed": bool(host.done),
        **values,
    }
