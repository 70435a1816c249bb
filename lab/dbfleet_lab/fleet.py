# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""Fleets: a podman network each, and a container for each server on it."""

import concurrent.futures
import dataclasses
import io
import re
import tarfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from dbfleet_lab import image, podman
from dbfleet_lab.base import LAB, PREFIX, LabError, digest, locked, say, tail

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,40}[a-z0-9])?")
_LABEL = f"dbfleet={PREFIX}"
ERROR_LOG = "/var/log/mysql/error.log"


@dataclasses.dataclass(frozen=True)
class Wish:
    """What the servers of one call of `up` shall be like."""

    server: str = "mysql"
    target: str = "full"
    stopped: bool = False
    files: tuple[tuple[str, bytes], ...] = ()
    arguments: tuple[str, ...] = ()


def container(fleet: str, name: str) -> str:
    """The container's name, for podman and for Ansible."""
    for word in (fleet, name):
        if not _NAME.fullmatch(word):
            raise LabError(f"{word!r} is no name: use a-z, 0-9, _ and - (neither first nor last)")
    return f"{network(fleet)}-{name}"


def network(fleet: str) -> str:
    """The name of the fleet's network."""
    return f"{PREFIX}-{fleet}"


def up(fleet: str, names: Sequence[str], wish: Wish) -> None:
    """Sees to it that each server is there as wished, and answers (or is down, where wished)."""
    for name in names:
        container(fleet, name)
    start = time.monotonic()
    picture = image.ensure(wish.server, wish.target)
    with locked(f"fleet-{fleet}"):
        if podman.inspect("network", network(fleet)) is None:
            podman.call("network", "create", "--label", _LABEL, network(fleet))
        _each(names, lambda name: _up_one(fleet, name, picture, wish))
    state = "without a running server" if wish.stopped else "up"
    say(f"{fleet}: {' '.join(names)} {state} ({time.monotonic() - start:.1f} s)")


def down(fleet: str | None) -> None:
    """Removes a fleet, or all of this checkout's; whatever state they are in."""
    found = [*_containers(fleet), *_halves(f"{network(fleet)}-" if fleet else f"{PREFIX}-")]
    networks = [network(fleet)] if fleet else _networks()
    if found:
        podman.call("rm", "--force", "--volumes", "--time=0", *found)
    for name in networks:
        podman.call("network", "rm", "--force", name, check=False)
    for name in found:
        say(f"removed {name}")


def names_of(fleet: str) -> list[str]:
    """The servers of a fleet that is there."""
    stem = network(fleet) + "-"
    found = sorted((name.removeprefix(stem) for name in _containers(fleet)), key=_natural)
    if not found:
        raise LabError(f"there is no fleet {fleet}: `lab/lab up {fleet} mysql1` makes one")
    return found


def control(fleet: str, names: Sequence[str], action: str) -> None:
    """start, stop or restart of the server itself; the container stays up."""
    start = time.monotonic()
    chosen = list(names) or names_of(fleet)
    _each(chosen, lambda name: _control_one(container(fleet, name), action))
    word = {"start": "started", "stop": "stopped", "restart": "restarted"}[action]
    say(f"{fleet}: {' '.join(chosen)} {word} ({time.monotonic() - start:.1f} s)")


def inventory(fleet: str) -> str:
    """An Ansible inventory of the fleet, in YAML."""
    out = ["---", "mysql:", "  vars:"]
    out += ["    ansible_connection: containers.podman.podman"]
    out += [f"    ansible_python_interpreter: {image.layout().python}", "  hosts:"]
    for name in names_of(fleet):
        out += [f"    {name}:", f"      ansible_host: {container(fleet, name)}"]
    return "\n".join(out)


def status() -> str:
    """A table of the containers of this checkout, and what their servers do."""
    names = sorted(_containers(None), key=_natural)
    if not names:
        return "no servers (`lab/lab up demo mysql1` starts one)"
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        rows = [("FLEET", "SERVER", "CONTAINER", "STATE"), *pool.map(_row, names)]
    widths = [*(max(len(row[column]) for row in rows) for column in range(3)), 0]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def _row(name: str) -> tuple[str, str, str, str]:
    found = podman.inspect("container", name)
    if found is None:
        return ("?", "?", name, "gone")
    labels = found["Config"]["Labels"]
    state = str(found["State"]["Status"])
    if state == "running":
        runs = _in(name, "test", "-e", "/run/lab/pid").returncode == 0
        state = "server runs" if runs else "server is down"
    return (labels["fleet"], labels["server"], name, state)


def _containers(fleet: str | None) -> list[str]:
    filters = [f"--filter=label={_LABEL}"]
    if fleet is not None:
        filters.append(f"--filter=label=fleet={fleet}")
    found = podman.lines("ps", "--all", "--format", "{{.Names}}", *filters)
    return [name for name in found if name.startswith(PREFIX + "-")]


def _halves(stem: str) -> list[str]:
    # A cut-off `podman create` leaves storage under the name, but no container.
    rows = [line.split("\t") for line in _external()]
    return [name for name, state in rows if name.startswith(stem) and state.lower() == "storage"]


def _external() -> list[str]:
    command = ("ps", "--all", "--external", "--format", "{{.Names}}\t{{.Status}}")
    # It fails where an image that is just being built, maybe for another checkout, goes meanwhile.
    for _number in range(4):
        done = podman.call(*command, check=False)
        if done.returncode == 0:
            return done.stdout.decode(errors="replace").splitlines()
        time.sleep(0.5)
    return podman.lines(*command)


def _networks() -> list[str]:
    found = podman.lines("network", "ls", "--format", "{{.Name}}", f"--filter=label={_LABEL}")
    return [name for name in found if name.startswith(PREFIX + "-")]


def _up_one(fleet: str, name: str, picture: str, wish: Wish) -> None:
    full = container(fleet, name)
    recipe = digest(picture, *map(str, dataclasses.astuple(wish)))
    found = podman.inspect("container", full)
    if found and _is_as_wished(found, recipe, wish):
        return
    if found or _halves(full):
        podman.call("rm", "--force", "--volumes", "--time=0", full)
    podman.call(
        *("create", "--name", full, "--hostname", name, "--network", network(fleet)),
        *("--network-alias", name, "--label", _LABEL, "--label", f"fleet={fleet}"),
        *("--label", f"server={name}", "--label", f"recipe={recipe}"),
        *("--stop-timeout=60", picture, *wish.arguments),
    )
    files = dict(wish.files)
    layout = image.layout(wish.server)
    if layout.settings not in files and wish.target != "without-server":
        files[layout.settings] = _settings(layout.recipe, full)
    if wish.stopped:
        files["/run/lab/stop"] = b""
    podman.call("cp", "-", f"{full}:/", data=_tar(files))
    podman.call("start", full)
    if not wish.stopped:
        _control_one(full, "wait")


def _is_as_wished(found: dict[str, Any], recipe: str, wish: Wish) -> bool:
    labels = found["Config"].get("Labels") or {}
    if labels.get("recipe") != recipe or found["State"]["Status"] != "running":
        return False
    full = str(found["Name"])
    if wish.stopped:
        datadir = image.layout(wish.server).datadir
        untouched = f'[ ! -e /run/lab/pid ] && [ -z "$(ls -A {datadir})" ]'
        return _in(full, "sh", "-c", untouched).returncode == 0
    # One that was taken down on purpose is worth keeping; one that fails to start is not.
    return _in(full, "lab-server", "start").returncode == 0


def _settings(recipe: str, full: str) -> bytes:
    """The image's own settings with a server_id that no other server of the fleet has."""
    number = int(digest(full)[:7], 16) + 1
    text = (LAB / "image" / recipe / "mysqld.cnf").read_text()
    return re.sub(r"(?m)^server_id = .*$", f"server_id = {number}", text).encode()


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode, entry.mtime = len(content), 0o644, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _in(full: str, *command: str) -> podman.Done:
    return podman.call("exec", full, *command, check=False)


def _control_one(full: str, action: str) -> None:
    done = _in(full, "lab-server", action)
    if done.returncode == 0:
        return
    reason = {3: "the server ended by itself", 4: "no answer from the server in 60 seconds"}.get(
        done.returncode, done.stderr.decode(errors="replace").strip() or "podman exec failed"
    )
    log = _in(full, "tail", "-n", "20", ERROR_LOG).stdout.decode(errors="replace")
    log = log or podman.call("logs", "--tail=20", full, check=False).stderr.decode(errors="replace")
    raise LabError(
        f"{full}: {reason}; the end of its error log:\n{tail(log) or '    (empty)'}\n"
        f"It is left as it is for a look: lab/run podman exec -it {full} bash"
    )


def _each(names: Sequence[str], work: Callable[[str], None]) -> None:
    """Does the work for all servers at once; every failure is reported."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        futures = [pool.submit(work, name) for name in names]
    failures = [str(failed) for failed in (future.exception() for future in futures) if failed]
    if failures:
        raise LabError("\n".join(failures))


def _natural(name: str) -> list[tuple[int, str]]:
    # mysql10 after mysql9.
    return [(int(part or 0) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]
