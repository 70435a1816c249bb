# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server's next start does: known where it can be, and said to be unknown elsewhere.

The lab starts mysqld as its account, as the packages' systemd units do.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.control import Control
from helpers.lab import FLEET, LAYOUT, at_least, lab
from helpers.playbooks import INSTALL, VERIFY
from helpers.server import INSTALL_PLUGIN, Server, reset

LINE = "[mysqld]\nplugin_load_add=group_replication.so\n"
DROP_IN = f"{LAYOUT.option_folder}/zz_gr.cnf"
#: A group's options as an operations team writes them, but for the group's name.
GTIDS = ("log_bin=b", "server_id=7", "gtid_mode=ON", "enforce_gtid_consistency=ON")
REPOSITORIES = (
    () if at_least("8.0") else ("master_info_repository=TABLE", "relay_log_info_repository=TABLE")
)


def put_drop_in(server: Server, text: str = LINE, mode: str = "0644", owner: str = "root") -> None:
    server.write(DROP_IN, text.encode())
    server.sh(f"chown {owner} {DROP_IN}; chmod {mode} {DROP_IN}")


UNREADABLE = {
    "file": f"chmod 0600 {DROP_IN}",
    "folder": f"mkdir -p /srv/own && mv {DROP_IN} /srv/own/gr.cnf && chmod 0700 /srv/own"
    f" && printf '!include /srv/own/gr.cnf\n' > {DROP_IN} && chmod 0644 {DROP_IN}",
    "link": f"mkdir -p /srv/own && mv {DROP_IN} /srv/own/gr.cnf && chmod 0700 /srv/own"
    f" && ln -s /srv/own/gr.cnf {DROP_IN}",
}


@pytest.mark.main
@pytest.mark.parametrize("way", UNREADABLE)
@pytest.mark.hazard(
    "An option file that root may read, and the account that starts mysqld may not",
    "the line seems to load the plugin, and does not",
    "the row in `mysql.plugin` stays; the file and the account are named",
)
def test_option_file_that_the_server_may_not_read(
    server: Server, control: Control, way: str
) -> None:
    put_drop_in(server)
    server.sh(UNREADABLE[way])
    try:
        for _run in range(2):
            run = control.playbook(INSTALL, {server.name: {"ansible_host": server.container}})
            assert run.code == 0, run.output
            assert "the account mysql may not read" in run.output
            assert server.registered()
        server.restart()
        assert server.plugin_status() == "ACTIVE"
        # Now that it may, the row is superfluous.
        server.sh("chmod -R a+rX /srv/own 2>/dev/null; chmod a+r " + DROP_IN)
        run = control.playbook(INSTALL, {server.name: {"ansible_host": server.container}})
        assert run.code == 0, run.output
        assert "may not read" not in run.output
        assert not server.registered()
        server.restart()
        assert server.plugin_status() == "ACTIVE"
    finally:
        server.sh("rm -rf /srv/own")


def test_unreadable_file_without_a_word_on_the_plugin(server: Server, control: Control) -> None:
    put_drop_in(server, "[mysqldump]\nuser=x\n[mysqld]\nmax_connections=44\n", "0600")
    run = control.playbook(INSTALL, {server.name: {"ansible_host": server.container}})
    assert run.code == 0, run.output
    assert "may not read" not in run.output
    assert not server.registered()


@pytest.mark.parametrize("playbook", [INSTALL, VERIFY])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\ufeff[mysqld]\nmax_connections=44\n", ":1:"),
        ("[mysqld]\n[broken\n", ":2:"),
        ("!includedir /etc/is/not/there\n", "/etc/is/not/there"),
    ],
)
@pytest.mark.hazard(
    "The main option file is broken while the server runs, such as by a byte order mark",
    "nobody notices before the next start, which fails",
    "a problem in all playbooks, with the line: `option_file_broken`",
)
def test_option_file_that_no_server_starts_with(
    server: Server, control: Control, playbook: str, text: str, words: str
) -> None:
    server.put_in_order()
    server.restart()
    old = server.read(LAYOUT.option_file_target)
    server.write(LAYOUT.option_file_target, text.encode() + old)
    try:
        run = control.playbook(playbook, {server.name: {"ansible_host": server.container}})
    finally:
        server.write(LAYOUT.option_file_target, old)
    assert run.code != 0
    assert "option_file_broken" in run.output
    assert words in run.output


@pytest.mark.hazard(
    "The library's file is gone while the plugin is loaded, as after a package was removed",
    "not noticed before the next start, which does not load the plugin",
    "`verify` says that the plugin will not survive a restart, and names the file",
)
def test_library_that_is_gone(server: Server, control: Control) -> None:
    server.put_in_order()
    library = f"{LAYOUT.plugin_dir}/group_replication.so"
    server.sh(f"mv {library} {library}.away")
    try:
        run = control.playbook(VERIFY, {server.name: {"ansible_host": server.container}})
    finally:
        server.sh(f"mv {library}.away {library}")
    assert run.code != 0
    assert "will not survive a restart" in run.output
    assert "group_replication.so is missing" in run.output  # by its path without links


@pytest.mark.hazard(
    "A folder of an `!includedir` that the server's account may not enter",
    "the next start fails where systemd starts the server",
    "a problem in all playbooks, with the folder; the plugin keeps its row",
)
def test_included_folder_that_the_server_may_not_read(server: Server, control: Control) -> None:
    host = {server.name: {"ansible_host": server.container}}
    mode = server.sh(f"stat -c %a {LAYOUT.option_folder}").strip()
    server.sh(f"chmod 0700 {LAYOUT.option_folder}")
    try:
        for playbook in (INSTALL, VERIFY):
            run = control.playbook(playbook, host)
            assert run.code != 0
            assert server.registered()
            assert "not known whether it survives a restart" in run.output
            assert f"the account mysql may not read {LAYOUT.option_folder}" in run.output
    finally:
        server.sh(f"chmod {mode} {LAYOUT.option_folder}")


def test_verify_tells_what_an_installation_would_be_refused(
    server: Server, control: Control
) -> None:
    server.add_options("loose-group_replication_group_name=11111111-2222-3333-4444-555555555555")
    run = control.playbook(VERIFY, {server.name: {"ansible_host": server.container}})
    assert run.code != 0
    assert "falls short (1)" in run.output
    assert "an installation would be refused: INSTALL PLUGIN would start" in run.output


@pytest.mark.since("8.0")
@pytest.mark.hazard(
    "An option file got an unknown option while the server runs",
    "nobody notices before the next start, which fails",
    "`verify` asks the server's own program: `option_file_broken`",
)
def test_verify_asks_whether_the_server_starts_again(server: Server, control: Control) -> None:
    server.put_in_order()
    server.restart()
    host = {server.name: {"ansible_host": server.container}}
    assert control.playbook(VERIFY, host).code == 0
    server.add_options("no_such_option_of_mysql=secret-value")
    run = control.playbook(VERIFY, host)
    assert run.code != 0
    assert "option_file_broken" in run.output
    assert "no_such_option_of_mysql" in run.output
    assert "secret-value" not in run.output


@pytest.mark.hazard(
    "The command line has `plugin_load`, which throws away what option files load",
    "the line is written and does nothing",
    "option files are left alone, the row in `mysql.plugin` stays",
)
def test_plugin_load_on_the_command_line(fleet: None, control: Control) -> None:
    lab("up", FLEET, "commanded", "--arg=--plugin-load=validate_password=validate_password.so;")
    server = Server("commanded")
    files = server.option_files()
    host = {server.name: {"ansible_host": server.container}}
    for playbook in (INSTALL, VERIFY):
        run = control.playbook(playbook, host)
        assert run.code == 0, run.output
    assert "command line has plugin_load" in run.output
    assert server.option_files() == files
    server.restart()
    assert server.plugin_status() == "ACTIVE"


@pytest.mark.hazard(
    "`group_replication_section` names a group of mysqld_multi, which the server does not read",
    "the line is written, and does nothing that can be seen",
    "refused before anything is changed: `section_not_read`",
)
def test_section_of_mysqld_multi(server: Server, control: Control) -> None:
    files = server.option_files()
    host = {server.name: {"ansible_host": server.container, "group_replication_section": "mysqld1"}}
    run = control.playbook(INSTALL, host)
    assert run.code != 0
    assert "section_not_read" in run.output
    assert server.option_files() == files
    assert server.plugin_status() == ""
    host[server.name]["group_replication_registration"] = "always"
    assert control.playbook(INSTALL, host).code == 0
    assert server.registered()


@pytest.fixture
def without_grants(server: Server) -> Iterator[Server]:
    """Return a server whose next start has no grant tables."""
    server.sql(INSTALL_PLUGIN)
    server.add_options("skip-grant-tables")
    yield server
    reset([server])


@pytest.mark.hazard(
    "`skip-grant-tables` in an option file, and the plugin lasts by its row",
    "the next start passes over the row",
    "told: the plugin will not survive a restart",
)
def test_row_that_the_next_start_passes_over(without_grants: Server, control: Control) -> None:
    result = control.module(without_grants, registration="always")
    assert result["registered"]
    assert result["survives_restart"] is False
    without_grants.restart()
    assert without_grants.plugin_status() == ""


@pytest.mark.main
@pytest.mark.hazard(
    "Option files were changed after the start, as configuration management does",
    "-",
    "goes on where the server's own log proves that no group was configured at its start",
)
def test_files_changed_after_a_start_without_a_group(server: Server, control: Control) -> None:
    server.add_options(*GTIDS, *REPOSITORIES)
    server.restart()
    put_drop_in(server, "[mysqldump]\nuser=root\n")
    server.add_options("max_connections=44")
    server.sh(f"rm {DROP_IN}")
    assert control.module(server)["changed"]
    # And after the plugin was there and was removed.
    assert control.module(server, state="absent")["changed"]
    server.add_options("max_connections=45")
    assert control.module(server)["changed"]


#: With these at the start, the log does not prove that no group was configured.
QUIET = {
    "the usual log": (),
    "errors alone": ("log_error_verbosity=1",),
    "without that warning": ("log_error_suppression_list=MY-000067",),
    "another filter": ("log_error_services='log_sink_internal'",),
    # The performance schema does not notice then that the plugin was loaded.
    "instruments lost": (
        "plugin_load_add=group_replication.so",
        *(
            f"performance_schema_max_{kind}_classes=0"
            for kind in ("mutex", "rwlock", "cond", "thread", "stage", "memory", "file", "socket")
        ),
    ),
}


@pytest.mark.since("8.0")
@pytest.mark.parametrize("quiet", QUIET)
@pytest.mark.transactions("GTIDs are on")
def test_group_of_the_start_that_the_files_hide(
    server: Server, control: Control, quiet: str
) -> None:
    name = "loose-group_replication_group_name=aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa"
    off = "loose_group-replication-start-on-boot = 0"
    loaded = "plugin_load_add" in str(QUIET[quiet])
    server.add_options(*GTIDS, name, *QUIET[quiet], *([off] if loaded else []))
    server.restart()
    if loaded:
        server.sql("UNINSTALL PLUGIN group_replication")
    server.add_options(off)
    assert control.module(server)["error_code"] == "group_start_unknown"


def test_server_that_is_reached_over_tcp(
    server: Server, control: Control, account: dict[str, object]
) -> None:
    result = control.module(server, login_host="127.0.0.1", **account)
    assert result["server"]["option_file"] == LAYOUT.option_file
    # Its pid_file need not be there.
    pid_file = server.sql("SELECT @@pid_file")[0][0]
    server.sh(f"mv {pid_file} {pid_file}.away")
    try:
        result = control.module(server, "--check", login_host="127.0.0.1", **account)
    finally:
        server.sh(f"mv {pid_file}.away {pid_file}")
    assert result["server"]["option_file"] == LAYOUT.option_file


def test_socket_whose_path_is_relative(server: Server, control: Control) -> None:
    server.add_options(f"datadir={LAYOUT.datadir}", "socket=mysqld.sock", "pid_file=mysqld.pid")
    server.restart()
    try:
        result = control.module(server)
        assert result["changed"], result
        assert result["server"]["option_file"] == LAYOUT.option_file
        server.sh(f"mysql -S {LAYOUT.datadir}/mysqld.sock -e 'UNINSTALL PLUGIN group_replication'")
    finally:
        server.sh(f"tar -xPf /root/etc.tar {LAYOUT.option_file_target}")
        server.restart()


@pytest.mark.hazard(
    "Another server has the same `server_uuid` and data directory, as a cloned machine has",
    "this machine's option files decide, and the other's row is deleted",
    "its option files are said to be out of sight, its row stays",
)
def test_cloned_server_elsewhere(servers: list[Server], control: Control) -> None:
    here, there = servers[:2]
    auto = f"{LAYOUT.datadir}/auto.cnf"
    uuid = here.read(auto)
    there_uuid = there.read(auto)
    there.write(auto, uuid)
    there.sh(f"chown mysql: {auto}; chmod 0640 {auto}")
    there.restart()
    try:
        there.sql(INSTALL_PLUGIN)
        there.sql("SET sql_log_bin = 0; CREATE USER ops; GRANT ALL ON *.* TO ops")
        here.put_in_order()
        address = there.sh("hostname -i").split()[0]
        result = control.module(
            here, login_host=address, login_user="ops", login_password="", allow_group_start=True
        )
        assert result["server"]["option_file"] is None, result
        assert there.registered()
    finally:
        there.sql("SET sql_log_bin = 0; DROP USER IF EXISTS ops")
        there.write(auto, there_uuid)
        there.sh(f"chown mysql: {auto}; chmod 0640 {auto}")
        there.restart()
