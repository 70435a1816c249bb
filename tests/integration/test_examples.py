# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example that a reader can copy runs as it stands."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.control import Control
from helpers.lab import CHECKOUT, LAYOUT, at_least, other_plugin, run
from helpers.pages import blocks
from helpers.server import OPTION_FILES, Server

MODULES = (
    "group_replication_plugin",
    "group_replication_request",
    "group_replication_summary",
    "plugin_load_add",
    "pymysql_package",
)


def examples() -> list[list[dict[str, Any]]]:
    """Return the tasks that ansible-doc shows as each module's examples."""
    names = [f"dbfleet.mysql.{module}" for module in MODULES]
    done = run("ansible-doc", "--json", *names)
    assert done.returncode == 0, done.stderr
    docs = json.loads(done.stdout)
    # MySQL 5.7 has no plugin clone.
    entry = {
        "mysql_clone.so": "clone=mysql_clone.so",
        "semisync_master.so": "rpl_semi_sync_master=semisync_master.so",
    }[other_plugin()]
    texts = (docs[name]["examples"].replace("clone=mysql_clone.so", entry) for name in names)
    return [yaml.safe_load(text) for text in texts]


def test_examples_of_the_modules(servers: list[Server], control: Control) -> None:
    """Each module has a play of its own."""
    modules = (CHECKOUT / "plugins" / "modules").glob("*.py")
    assert {module.stem for module in modules} == set(MODULES)
    for server in servers:
        server.sql(
            "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS provision@'%';"
            " CREATE USER provision@'%' IDENTIFIED BY 'example-password';"
            " GRANT ALL ON *.* TO provision"
        )
        server.sh("mkdir -p /srv/mysql/3307 && printf '[mysqld]\\n' > /srv/mysql/3307/my.cnf")
    plays = [
        {"hosts": server.name, "gather_facts": False, "tasks": tasks}
        for server, tasks in zip(itertools.cycle(servers), examples(), strict=False)
    ]
    password = {"provision_password": "example-password"}
    done = control.plays(plays, {server.name: dict(password) for server in servers})
    assert done.code == 0, done.output
    for play in plays:
        assert play["tasks"]
        assert all(f"TASK [{task['name']}]" in done.output for task in play["tasks"])


def test_requirements_of_the_readme(tmp_path: Path) -> None:
    """The address is the one that galaxy.yml names; what stands here is installed from it."""
    (wanted,) = [block for block in blocks("README.md") if isinstance(block, dict)]
    (entry,) = wanted["collections"]
    galaxy = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())
    assert entry == {
        "name": galaxy["repository"] + ".git",
        "type": "git",
        "version": galaxy["version"],
    }
    here = {**entry, "name": f"file://{CHECKOUT}", "version": "HEAD"}
    (tmp_path / "requirements.yml").write_text(yaml.safe_dump({"collections": [here]}))
    command = ("ansible-galaxy", "collection", "install", "-r", f"{tmp_path}/requirements.yml")
    done = run(*command, "-p", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    installed = tmp_path / "ansible_collections/dbfleet/mysql"
    assert (installed / "playbooks/group_replication_plugin.yml").exists()
    assert not (installed / "tests").exists()


def test_line_of_the_option_files_page(server: Server) -> None:
    page = (CHECKOUT / "docs/option_files.md").read_text()
    ((group, line),) = re.findall(r"```ini\n(.*)\n(.*)\n```", page)
    assert group == "[mysqld]"
    errors = ["Unable to start Group Replication on boot"]
    if at_least("8.0"):  # 5.7 misses other settings first
        errors.append("group_name option is mandatory")
    server.put_in_order()
    server.restart()
    assert all(error in server.last_start() for error in errors)
    server.add_options(line)
    server.restart()
    assert not any(error in server.last_start() for error in errors)
    assert server.plugin_status() == "ACTIVE"


def test_account_of_the_security_page(server: Server, control: Control) -> None:
    page = (CHECKOUT / "docs/security.md").read_text()
    (statements,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    if not at_least("8.0"):  # what the page says of 5.7
        statements = re.sub(r"GRANT .*(persisted_variables|error_log).*\n", "", statements)
        statements = statements.replace("SYSTEM_VARIABLES_ADMIN", "SUPER")
    server.sql(f"SET SESSION sql_log_bin = 0; DROP USER IF EXISTS dbfleet@localhost; {statements}")
    (password,) = re.findall(r"IDENTIFIED BY '(.*)'", statements)
    login = {"login_user": "dbfleet", "login_password": password}
    # So the server's log must be asked whether it was started without a group.
    server.add_options("max_connections=44")
    installed, again, without_row, removed = control.modules(
        server,
        login,
        {**login, "registration": "always"},
        {**login, "registration": "never"},
        {**login, "state": "absent"},
    )
    assert installed["plugin"]["status"] == "ACTIVE", installed
    assert (again["changed"], again["registered"]) == (False, True), again
    assert (without_row["changed"], without_row["registered"]) == (True, False), without_row
    assert (removed["changed"], removed["plugin"]) == (True, None), removed
    assert not [result for result in (installed, removed) if result.get("warnings")]


# How many YAML blocks of each page are tasks or plays. The inventories and the play with a loop,
# for several servers on one host, are run by test_fleet_layouts.py.
PAGES = {
    "README.md": 3,
    "docs/apply_to_a_fleet.md": 1,
    "docs/error_codes.md": 1,
    "docs/include_in_your_role.md": 10,
    "docs/option_files.md": 1,
    "roles/group_replication/README.md": 1,
}


def test_each_page_is_known() -> None:
    pages = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md"), *CHECKOUT.glob("roles/*/*.md")]
    names = (str(page.relative_to(CHECKOUT)) for page in pages)
    assert {name for name in names if blocks(name)} == set(PAGES)


PLAY = {"hosts": "all", "gather_facts": False}
# A step that changes an option file may be meant for before a start, and the next for after it.
CHANGED = f"find -L {OPTION_FILES} -newercc /var/run/mysqld/mysqld.pid"
RESTART = {
    **PLAY,
    "tasks": [{"ansible.builtin.shell": f'[ -z "$({CHANGED})" ] || lab-server restart'}],
}


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_a_page(server: Server, control: Control, page: str) -> None:
    found = [
        block for block in blocks(page) if isinstance(block, list) and "loop" not in str(block)
    ]
    assert len(found) == PAGES[page]
    # The pages have the paths of Debian's packages and Oracle's.
    text = json.dumps(found)
    text = text.replace("/run/mysqld/mysqld.sock", LAYOUT.socket)
    text = text.replace("/etc/mysql/conf.d/", f"{LAYOUT.option_folder}/")
    text = text.replace("/etc/mysql/", f"{Path(LAYOUT.option_file).parent}/")
    found = json.loads(text)
    plays = []
    for block in found:
        steps = [step for step in block if "ansible.builtin.meta" not in step]
        for step in steps:
            plays += [step if "hosts" in step else {**PLAY, "tasks": [step]}, RESTART]
    done = control.plays(plays, {server.name: {}})
    assert done.code == 0, done.output
    assert "no hosts matched" not in done.output
    # The page begins with a plain INSTALL PLUGIN.
    if page == "docs/include_in_your_role.md":
        server.restart()
        assert server.plugin_status() == "ACTIVE"
        assert not server.registered()
        assert "already exists" not in server.last_start()


def test_quick_start(servers: list[Server], control: Control) -> None:
    """Run the page's commands as they stand, with its inventory; only its hosts are the lab's."""
    text = (CHECKOUT / "docs/quick_start.md").read_text()
    inventory = re.findall(r"```ini\n(.*?)```", text, re.DOTALL)
    # The second is more of the variables that the first ends with.
    assert len(inventory) == 2
    (control.folder / "inventory").write_text("".join(inventory))
    hosts = re.findall(r"^db\d.*", inventory[0], re.MULTILINE)
    (control.folder / "host_vars").mkdir()
    for host, server in zip(hosts, servers, strict=True):
        server.sql(
            "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS provision@localhost;"
            " CREATE USER provision@localhost IDENTIFIED BY 'example-password';"
            " GRANT ALL ON *.* TO provision@localhost"
        )
        variables = {
            "ansible_connection": "containers.podman.podman",
            "ansible_host": server.container,
            "ansible_user": "root",
            "ansible_python_interpreter": LAYOUT.python,
            "ansible_pipelining": True,
            "vault_provision_password": "example-password",
        }
        (control.folder / "host_vars" / f"{host}.yml").write_text(json.dumps(variables))

    folder = str(control.folder)
    built = run("ansible-galaxy", "collection", "build", "--output-path", folder)
    assert built.returncode == 0, built.stderr
    collections = f"{folder}/collections"
    # The lab's own collections stay within reach, behind the installed one.
    paths = f"{collections}:{os.environ['ANSIBLE_COLLECTIONS_PATH']}"

    def command(line: str, path: str = paths) -> str:
        """Run a line in the folder that the inventory and the tarball are in."""
        done = run(
            *("sh", "-c", f'cd "$0" && {line}', folder),
            # With the verbosity of -vv, which shows where each task comes from.
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": path, "ANSIBLE_VERBOSITY": "2"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "example-password" not in done.stdout + done.stderr
        assert f"{collections}/ansible_collections/dbfleet/mysql" in done.stdout
        return done.stdout

    def statuses() -> list[str]:
        return [server.plugin_status() for server in servers]

    lines = re.findall(r"(?:^|`)(ansible-[^`\n]+ [^`\n]+)", text, re.MULTILINE)
    galaxy, check, install, verify, remove = lines
    # The lab's own collections, where the checkout counts as installed, are not within its reach.
    command(galaxy, collections)
    assert "changed: [db1.example.com]" in command(check)
    assert statuses() == ["", "", ""]
    # What the page tells of a group, of one host after the other, and of a part of the fleet.
    group, serial, limit = re.findall(r"`(-(?:e|-limit) [^`]+)`", text)
    command(f"{install} {group} {serial} {limit}")
    assert statuses() == ["ACTIVE", "", ""]
    assert "changed: [db1.example.com]" not in command(install)
    assert statuses() == ["ACTIVE", "ACTIVE", "ACTIVE"]
    command(verify)
    command(remove)
    assert statuses() == ["ACTIVE", "ACTIVE", "ACTIVE"]
    command(remove.replace("--check", "-e group_replication_confirm_remove=true"))
    assert statuses() == ["", "", ""]
