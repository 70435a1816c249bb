# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""The commands of lab/lab."""

import argparse
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from dbfleet_lab import fleet, image, machine, podman, tarball
from dbfleet_lab.base import STATE, LabError, say

_ABOUT = "Real MySQL servers in containers, for the demo, the tests and the benchmark."
_EXAMPLES = """\
examples:
  lab/lab up dev mysql1 mysql2 mysql3      three servers that reach each other by name
  lab/lab sql dev mysql1 "SHOW PLUGINS"    a statement as root
  lab/lab restart dev                      a real restart of each server
  lab/lab inventory dev > hosts.yml        then: lab/run ansible-playbook -i hosts.yml ...
  lab/lab down dev                         remove them

environment:
  LAB_MYSQL_IMAGE   the MySQL server to use instead of Debian's package: a
                    version that is in the folder of tarballs (8.4), the path
                    of a tarball, or an image (docker.io/library/mysql:8.4)
  LAB_SERVERS       the folder of tarballs such as
                    mysql-8.4.8-linux-glibc2.17-x86_64.tar.xz; without it
                    ../shared/servers, or .lab/servers where that is missing
  PYTHON            the Python to make the virtual environment with
"""
_ABOUT_RUN = """\
Run a command in this checkout's environment, which "make demo" or "make setup"
made. Ansible comes from .venv and finds the checkout as the installed
collection dbfleet.mysql; podman is set up as the lab needs it. "lab/lab env"
prints that environment."""
_EXAMPLES_OF_RUN = """\
examples:
  lab/lab inventory demo > hosts.yml       the servers that "make demo" started
  lab/run ansible-playbook -i hosts.yml dbfleet.mysql.group_replication_plugin
  lab/run ansible-doc dbfleet.mysql.plugin_load_add
  lab/run podman ps
  lab/run pytest tests/unit                after "make setup"
"""


def main(arguments: Sequence[str]) -> int:
    """Runs one command; an error is a sentence, not a traceback."""
    options, rest = _parse(arguments)
    # Asked to end, a command ends what it started, as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options, rest)
    except LabError as error:
        say(f"lab: {error}")
        return 1
    except KeyboardInterrupt:
        say("lab: cut off; the next call puts right what was left half done")
        return 130


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    # All after "--" belongs to the command to run.
    own, rest = list(arguments), list[str]()
    if "--" in own:
        cut = own.index("--")
        own, rest = own[:cut], own[cut + 1 :]
    return _parser().parse_args(own), rest


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab/lab",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=about, description=about)

    sub = command("setup", "install what is needed (Debian packages, virtual environment)")
    sub.add_argument("--demo", action="store_true", help="for the servers and the playbooks alone")
    sub.add_argument("--docs", action="store_true", help="for the documentation site, too")
    sub.add_argument("--bench", action="store_true", help="for the benchmark, too")
    picture = command("image", "build an image of the servers where its recipe changed")
    start = command("up", "start servers; those that run already as wished stay")
    for sub in (picture, start):
        sub.add_argument("--server", choices=image.SERVERS, default="mysql")
        kind = sub.add_mutually_exclusive_group()
        kind.add_argument("--without", choices=image.WITHOUT, default="", help="leave it out")
        kind.add_argument("--with", choices=image.WITH, default="", dest="added", help="add it")
    start.add_argument("fleet", metavar="FLEET")
    start.add_argument("names", metavar="NAME", nargs="+")
    start.add_argument(
        "--file",
        metavar="DEST=SRC",
        action="append",
        default=[],
        help="put the file SRC at DEST before the first start (may be repeated)",
    )
    start.add_argument(
        "--arg",
        metavar="MYSQLD_ARG",
        action="append",
        default=[],
        help="an argument for mysqld, as --arg=--port=3307 (may be repeated)",
    )
    start.add_argument(
        "--stopped",
        action="store_true",
        help="start the container alone: no data directory yet, mysqld not running",
    )
    sub = command("down", "remove a fleet, or all of this checkout's")
    sub.add_argument("fleet", metavar="FLEET", nargs="?")
    command("clean", "remove all fleets, the images and the state folder .lab")
    sub = command("restart", "restart the servers of a fleet, or those named")
    sub.add_argument("fleet", metavar="FLEET")
    sub.add_argument("names", metavar="NAME", nargs="*")
    for name, about in (
        ("start-server", "start a server that was stopped"),
        ("stop-server", "stop a server; its container stays up"),
    ):
        sub = command(name, about)
        sub.add_argument("fleet", metavar="FLEET")
        sub.add_argument("names", metavar="NAME", nargs="+")
    sub = command("exec", "run a command in a container: lab/lab exec FLEET NAME -- CMD...")
    sub.add_argument("fleet", metavar="FLEET")
    sub.add_argument("name", metavar="NAME")
    sub = command("sql", "run SQL as root over the socket")
    sub.add_argument("fleet", metavar="FLEET")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument("sql", metavar="SQL")
    sub = command("name", "print a container's name")
    sub.add_argument("fleet", metavar="FLEET")
    sub.add_argument("name", metavar="NAME")
    sub = command("inventory", "print an Ansible inventory of a fleet")
    sub.add_argument("fleet", metavar="FLEET")
    command("layout", "print where the servers keep their files, as JSON")
    command("versions", "print the versions of the servers in the folder of tarballs")
    command("version", "print the version of the MySQL server that is used")
    command("env", "print the environment for Ansible, molecule and podman, as KEY=value")
    commands.add_parser(
        "run",
        prog="lab/run",
        usage="lab/run COMMAND [ARGUMENT ...]",
        help="run a command in that environment: lab/run CMD...",
        description=_ABOUT_RUN,
        epilog=_EXAMPLES_OF_RUN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command("status", "list the servers")
    return parser


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    match options.command:
        case "setup":
            machine.setup(tests=not options.demo, docs=options.docs, bench=options.bench)
        case "image":
            print(image.ensure(options.server, _target(options)))
        case "up":
            fleet.up(options.fleet, options.names, _wish(options))
        case "down":
            fleet.down(options.fleet)
        case "clean":
            _clean()
        case "restart":
            fleet.control(options.fleet, options.names, "restart")
        case "start-server" | "stop-server":
            fleet.control(options.fleet, options.names, options.command.partition("-")[0])
        case "exec":
            _become(_exec(options, rest))
        case "sql":
            client = ["mysql", "--user=root", "--batch", f"--execute={options.sql}"]
            _become(_exec(options, client))
        case "name":
            print(fleet.container(options.fleet, options.name))
        case "inventory":
            print(fleet.inventory(options.fleet))
        case "layout":
            print(image.layout().json())
        case "versions":
            for path in tarball.there():
                print(tarball.version_of(path))
        case "version":
            print(image.version())
        case "env":
            for key, value in machine.environment().items():
                print(f"{key}={shlex.quote(value)}")
        case "run":
            _become(rest)
        case "status":
            print(fleet.status())
    return 0


def _target(options: argparse.Namespace) -> str:
    if options.added:
        return f"with-{options.added}"
    return f"without-{options.without}" if options.without else "full"


def _wish(options: argparse.Namespace) -> fleet.Wish:
    files = []
    for word in options.file:
        target, equals, source = word.partition("=")
        if not equals or not target.startswith("/"):
            raise LabError(f"--file {word}: write it as /path/in/the/container=file")
        try:
            files.append((target, Path(source).read_bytes()))
        except OSError as error:
            raise LabError(f"--file {word}: {error.strerror}") from None
    target = _target(options)
    stopped = options.stopped or target == "without-server"
    return fleet.Wish(options.server, target, stopped, tuple(files), tuple(options.arg))


def _exec(options: argparse.Namespace, command: list[str]) -> list[str]:
    if not command:
        raise LabError("which command? lab/lab exec FLEET NAME -- CMD...")
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    name = fleet.container(options.fleet, options.name)
    return ["podman", "exec", "--interactive", *terminal, name, *command]


def _become(command: list[str]) -> None:
    if not command:
        raise LabError("which command? lab/run CMD...")
    env = machine.environment(full=True)
    program = shutil.which(command[0], path=env["PATH"])
    if program is None:
        raise LabError(f"{command[0]} is not installed: run `make setup`")
    sys.stdout.flush()
    os.execve(program, command, env)


def _clean() -> None:
    if shutil.which("podman", path=podman.environment()["PATH"]):
        fleet.down(None)
        image.remove_all()
    image.clear_workplace()
    shutil.rmtree(STATE, ignore_errors=True)
