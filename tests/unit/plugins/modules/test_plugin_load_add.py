# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module as Ansible runs it, on option files in a temporary folder.

In place of mysqld stands a program that answers with what mysqld 9.7.4 printed, because no test
machine has MySQL's binary beside Ansible. What the real one says is seen in the molecule
scenarios.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql import binary
from ansible_collections.dbfleet.mysql.plugins.modules import plugin_load_add

LINE = b"plugin_load_add=group_replication.so\n"
SECRETS = (
    b"[client]\npassword=hunter2\n[mysqld]\nloose-group_replication_recovery_password=hunter2\n"
)


@contextlib.contextmanager
def module_arguments(values):
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # before ansible-core 2.19
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": values}).encode()
        yield
    else:
        with patch_module_args(values):
            yield


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the module; returns its result. There is no mysqld unless the test makes one."""
    mysqld = tmp_path / "bin" / "mysqld"
    # It is a script of the test's own; tests/integration has the account that mysqld runs as.
    monkeypatch.setattr(binary, "_is_root", lambda: False)
    monkeypatch.setattr(
        binary.shutil, "which", lambda _name, path: str(mysqld) if mysqld.exists() else None
    )

    def call(check=False, diff=True, **options):
        values = {"_ansible_check_mode": check, "_ansible_diff": diff, **options}
        values.setdefault("option_file", str(tmp_path / "my.cnf"))
        with module_arguments(values), pytest.raises(SystemExit):
            plugin_load_add.main()
        return json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def option_file(tmp_path):
    path = tmp_path / "my.cnf"
    path.write_bytes(b"[mysqld]\nport=1\n")
    return path


def make_mysqld(tmp_path, script, version="9.7.4"):
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "mysqld"
    program.write_text(
        "#!/bin/sh\n"
        'for word; do case "$word" in --defaults-file=*) f="${word#*=}";; esac; done\n'
        f'[ "$2" = --version ] && {{ echo "mysqld  Ver {version} for Linux"; exit 0; }}\n'
        f'echo "$*" >> {folder}/calls\n' + script
    )
    program.chmod(0o755)


# ---- what it does ----


def test_present_twice_and_absent(run, option_file):
    result = run()
    assert result["changed"] is True
    assert option_file.read_bytes() == b"[mysqld]\nport=1\n" + LINE
    assert result["decided_by"] == f"{option_file}:3"
    again = run()
    assert again["changed"] is False
    assert again["decided_by"] == f"{option_file}:3"
    assert again["diff"] == []
    assert "diff" not in run(diff=False)
    gone = run(state="absent")
    assert gone["changed"] is True
    assert gone["decided_by"] is None
    assert option_file.read_bytes() == b"[mysqld]\nport=1\n"
    assert run(state="absent")["changed"] is False


@pytest.mark.parametrize("state", ["present", "absent"])
def test_check_mode_says_what_the_real_run_does(run, option_file, state):
    if state == "absent":
        option_file.write_bytes(b"[mysqld]\n" + LINE)
    before = option_file.read_bytes()
    predicted = run(check=True, state=state)
    assert option_file.read_bytes() == before
    real = run(state=state)
    for key in ("changed", "diff", "decided_by", "changed_files"):
        assert predicted[key] == real[key]


def test_backup(run, option_file):
    result = run(backup=True)
    ((path, copy),) = result["backup_files"].items()
    assert path == str(option_file)
    assert Path(copy).read_bytes() == b"[mysqld]\nport=1\n"
    assert "backup_files" not in run(backup=True)


def test_drop_in(run, option_file, tmp_path):
    folder = tmp_path / "conf.d"
    folder.mkdir()
    option_file.write_bytes(b"!includedir %s\n" % str(folder).encode())
    drop_in = str(folder / "gr.cnf")
    result = run(drop_in=drop_in)
    assert result["changed_files"] == [drop_in]
    assert os.stat(drop_in).st_mode & 0o777 == 0o644
    os.chmod(drop_in, 0o600)
    assert run(drop_in=drop_in)["changed"] is False
    assert os.stat(drop_in).st_mode & 0o777 == 0o600
    assert run(drop_in=drop_in, state="absent")["changed"] is True
    assert not os.path.exists(drop_in)
    assert option_file.read_bytes() == b"!includedir %s\n" % str(folder).encode()


def test_a_file_to_be_created(run, option_file):
    option_file.unlink()
    predicted = run(check=True)
    assert predicted["changed"] is True
    assert not option_file.exists()
    assert run()["decided_by"] == predicted["decided_by"]
    assert option_file.stat().st_mode & 0o777 == 0o644
    run(state="absent")
    assert not option_file.exists()


def test_one_instance_of_several(run, option_file):
    option_file.write_bytes(b"[mysqld]\nport=1\n[mysqld@r1]\nport=2\n")
    assert run(section="mysqld@r1")["changed"] is True
    assert option_file.read_bytes().endswith(b"port=2\n" + LINE)


def test_no_secret_is_shown(run, option_file):
    option_file.write_bytes(SECRETS + b"plugin_load='a.so' # hunter2\n")
    for result in (run(check=True), run(), run(), run(state="absent")):
        assert "hunter2" not in json.dumps(result)


def test_warnings(run, option_file, tmp_path):
    other = tmp_path / "other.cnf"
    other.write_bytes(b"[mysqld]\n")
    other.chmod(0o666)
    option_file.write_bytes(b"!include %s\n[mysqld-5.7]\n[mysqld]\n" % str(other).encode())
    warnings = json.dumps(run()["warnings"])
    assert f"{other}, which {option_file} includes, is not read: it is world-wri" in warnings
    assert "mysqld-5.7" in warnings


@pytest.mark.parametrize(("mode", "warned"), [(0o600, True), (0o640, True), (0o604, False)])
def test_a_file_that_the_server_may_not_read(run, option_file, monkeypatch, mode, warned):
    """Nobody's entry stands in for that of mysql, a user that a test machine need not have."""
    nobody = plugin_load_add.pwd.getpwnam("nobody")
    monkeypatch.setattr(plugin_load_add.pwd, "getpwnam", lambda _name: nobody)
    monkeypatch.setattr(plugin_load_add.os, "getgrouplist", lambda _name, group: [group])
    option_file.chmod(mode)
    warnings = json.dumps(run().get("warnings", []))
    assert (f"may not read {option_file};" in warnings) == warned


@pytest.mark.parametrize("count", [5, 50])
def test_each_file_is_read_once_for_each_state_of_the_files(run, option_file, included, count):
    """The states: as they are, and as they were really written."""
    folder, opened = included(count)
    option_file.write_bytes(b"!includedir %s\n[mysqld]\nport=1\n" % bytes(folder))
    for options, changed, states in (
        ({"check": True}, True, 1),
        ({}, True, 2),
        ({}, False, 1),
        ({"check": True}, False, 1),
        ({"check": True, "state": "absent"}, True, 1),
        ({"state": "absent"}, True, 2),
        ({"state": "absent"}, False, 1),
    ):
        opened.clear()
        assert run(**options)["changed"] is changed
        assert sorted(opened) == sorted(states * [str(path) for path in folder.iterdir()]), options


# ---- what it refuses ----


@pytest.mark.parametrize(
    ("options", "error_code"),
    [
        ({"library": "a/b.so"}, "library_name_invalid"),
        ({"option_file": "my.cnf"}, "option_file_not_absolute"),
        ({"drop_in": "/nothing/x.cnf"}, "option_file_folder_missing"),
        ({"drop_in": "/etc/x.cnf"}, "drop_in_not_included"),
        ({"section": "client"}, "section_not_read"),
        ({"option_file": "/srv/********/my.cnf"}, "option_file_masked"),
        ({"defaults_extra_file": "********"}, "option_file_masked"),
        ({"drop_in": "/etc/********.cnf"}, "option_file_masked"),
        ({"validate_config": "always"}, "validation_impossible"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_failures(run, option_file, options, error_code, check):
    result = run(check=check, **options)
    assert result["failed"] is True
    assert result["error_code"] == error_code
    assert result["msg"] == result["cause"] + " " + result["next_step"]
    assert option_file.read_bytes() == b"[mysqld]\nport=1\n"
    assert option_file.stat().st_mode & 0o777 == 0o644


# ---- asking mysqld ----


def test_validated(run, option_file, tmp_path):
    make_mysqld(tmp_path, "exit 0\n")
    result = run()
    assert result["validated"] is True
    calls = (tmp_path / "bin/calls").read_text().splitlines()
    assert len(calls) == 2
    assert calls[0].startswith(f"--defaults-file={option_file} --validate-config")
    assert "--user=" not in calls[0]
    run()
    assert len((tmp_path / "bin/calls").read_text().splitlines()) == 2


def test_not_asked_where_told_so(run, option_file, tmp_path):
    make_mysqld(tmp_path, "exit 0\n")
    assert run(validate_config="never")["validated"] is None
    assert not (tmp_path / "bin/calls").exists()


def test_a_change_that_mysqld_refuses_is_taken_back(run, option_file, tmp_path):
    option_file.write_bytes(b"[mysqld]\ngroup_replication_x=hunter2\n")
    make_mysqld(
        tmp_path,
        'grep -q group_replication.so "$f" || exit 0\n'
        'echo "2026-11-22T16:48:23.297485Z 0 [ERROR] [MY-000067] [Server] unknown variable '
        "'group_replication_x=hunter2'.\" >&2\nexit 1\n",
    )
    result = run(backup=True)
    assert result["error_code"] == "validation_failed"
    assert "unknown variable 'group_replication_x=...'" in result["msg"]
    assert "hunter2" not in json.dumps(result)
    assert option_file.read_bytes() == b"[mysqld]\ngroup_replication_x=hunter2\n"


def test_a_created_file_that_mysqld_refuses_goes(run, option_file, tmp_path):
    option_file.unlink()
    make_mysqld(tmp_path, "exit 1\n")
    assert run()["error_code"] == "validation_failed"
    assert not option_file.exists()


@pytest.mark.parametrize(("version", "code"), [("9.7.4", "[MY-010736] [Server] "), ("5.7.44", "")])
def test_a_library_that_mysqld_cannot_load(run, option_file, tmp_path, version, code):
    make_mysqld(
        tmp_path,
        'grep -q group_replication.so "$f" || exit 0\n'
        f"echo \"0 [ERROR] {code}Couldn't load plugin named 'x' with soname 'y'.\" >&2\nexit 0\n",
        version,
    )
    assert run()["error_code"] == "library_not_loadable"
    assert option_file.read_bytes() == b"[mysqld]\nport=1\n"


def test_what_was_wrong_before_is_not_blamed_on_us(run, option_file, tmp_path):
    option_file.write_bytes(b"[mysqld]\ny=1\n")
    make_mysqld(
        tmp_path, "echo \"0 [ERROR] [MY-000067] [Server] unknown variable 'y=1'.\" >&2\nexit 1\n"
    )
    result = run()
    assert result["changed"] is True
    assert result["validated"] is False
    assert "unknown variable 'y=...'" in result["validation_note"]


def test_what_mysqld_says_is_bounded(run, option_file, tmp_path):
    line = "0 [ERROR] [MY-000067] [Server] " + " 'a" * 2000
    make_mysqld(
        tmp_path,
        f'for n in $(seq 500); do echo "{line}"; done\nexit 1\n',
    )
    result = run()
    assert result["changed"] is True
    assert len(result["validation_note"]) < 20 * 700


OLD_MYSQLD = """\
case "$*" in
    *--validate-config*)
        echo "2026-11-22T17:02:11Z 0 [ERROR] unknown option '--validate-config'" >&2; exit 1;;
    *--help\\ --verbose*) ;;
    *) exit 1;;
esac
if grep -q ^group_replication_x= "$f" && ! grep -q ^plugin_load_add=group_replication.so "$f"; then
    echo "2026-11-22T17:02:11.004711Z 0 [ERROR] unknown variable 'group_replication_x=hunter2'" >&2
    exit 1
fi
"""


@pytest.mark.parametrize("version", ["5.7.44", "8.0.15"])
def test_old_versions_are_asked_for_help(run, option_file, tmp_path, version):
    make_mysqld(tmp_path, OLD_MYSQLD, version)
    result = run()
    assert result["changed"] is True
    assert result["validated"] is True
    assert "--help --verbose was asked" in result["validation_note"]
    assert "--validate-config" not in (tmp_path / "bin/calls").read_text()


def test_a_change_that_an_old_version_refuses_is_taken_back(run, option_file, tmp_path):
    make_mysqld(tmp_path, OLD_MYSQLD, "5.7.44")
    before = b"[mysqld]\ngroup_replication_x=hunter2\n" + LINE
    option_file.write_bytes(before)
    result = run(state="absent")
    assert result["error_code"] == "validation_failed"
    assert "unknown variable 'group_replication_x=...'" in result["msg"]
    assert "hunter2" not in json.dumps(result)
    assert option_file.read_bytes() == before


@pytest.mark.parametrize("name", ["fifo", "folder", "/dev/null"])
@pytest.mark.parametrize("option", ["option_file", "drop_in"])
def test_option_file_that_is_no_regular_file(run, option_file, tmp_path, option, name):
    os.mkfifo(str(tmp_path / "fifo"))
    (tmp_path / "folder").mkdir()
    option_file.write_bytes(b"[mysqld]\n!include %s\n" % bytes(tmp_path / name))
    result = run(**{option: str(tmp_path / name)})
    assert result["failed"] is True
    # A device that everybody may write to is not trusted either.
    known = ("option_file_unreadable", "option_file_broken", "option_file_not_trusted")
    assert result["error_code"] in known


def test_mariadb_is_refused(run, option_file, tmp_path):
    make_mysqld(tmp_path, "exit 1\n", "10.11.6-MariaDB")
    before = option_file.read_bytes()
    assert run()["error_code"] == "mariadb"
    assert option_file.read_bytes() == before
    assert not (tmp_path / "bin/calls").exists()


def test_the_version_decides_which_group_is_read(run, option_file, tmp_path):
    make_mysqld(tmp_path, "exit 0\n", "8.0.36")
    option_file.write_bytes(b"[mysqld-8.0]\n" + LINE)
    assert run()["changed"] is False
