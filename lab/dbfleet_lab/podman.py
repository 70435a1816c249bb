# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""Calls of podman, and the settings that some hosts need for it."""

import json
import os
import platform
import resource
import subprocess
from pathlib import Path
from typing import Any, TypeAlias

from dbfleet_lab.base import STATE, LabError, digest, search_path, tail

Done: TypeAlias = subprocess.CompletedProcess[bytes]

SETTINGS = STATE / "containers.conf"
TRIED = STATE / "containers.tried"


def environment() -> dict[str, str]:
    """The environment for podman: the caller's, plus what this host turned out to need."""
    env = dict(os.environ, PATH=search_path())
    if SETTINGS.exists():
        env["CONTAINERS_CONF"] = str(SETTINGS)
    return env


def call(*arguments: str, check: bool = True, data: bytes | None = None) -> Done:
    """Runs podman and keeps its output."""
    try:
        done = subprocess.run(
            ["podman", *arguments],
            input=data if data is not None else b"",
            capture_output=True,
            check=False,
            env=environment(),
        )
    except FileNotFoundError:
        raise LabError("podman is not installed: run `make setup`") from None
    if check and done.returncode:
        raise LabError(
            f"podman {arguments[0]} failed with status {done.returncode}:\n"
            + tail(done.stderr.decode(errors="replace"))
        )
    return done


def output(*arguments: str) -> str:
    """What podman printed."""
    return call(*arguments).stdout.decode(errors="replace").strip()


def lines(*arguments: str) -> list[str]:
    """What podman printed, by line."""
    return output(*arguments).splitlines()


def inspect(kind: str, name: str) -> dict[str, Any] | None:
    """What podman knows of a container, image or network; None where it knows none."""
    done = call(kind, "inspect", name, check=False)
    if done.returncode:
        return None
    found = json.loads(done.stdout)
    return dict(found[0]) if found else None


def find_settings(image: str) -> None:
    """Finds out by a trial whether containers start here, and with which settings.

    Some hosts refuse podman's default limits, some refuse the default runtime. Nothing of that is
    assumed: the first way that starts a container is kept in the state folder.
    """
    if TRIED.exists() and TRIED.read_text() == _host():
        return
    nofile, nproc = _limit(resource.RLIMIT_NOFILE), _limit(resource.RLIMIT_NPROC)
    ulimits = f'["nofile={nofile}:{nofile}", "nproc={nproc}:{nproc}"]'
    limits = f"[containers]\ndefault_ulimits = {ulimits}\n"
    reason = ""
    for settings in (None, limits, limits + '[engine]\nruntime = "runc"\n'):
        SETTINGS.unlink(missing_ok=True)
        if settings is not None:
            _write(SETTINGS, settings)
        done = call("run", "--rm", "--network=none", "--entrypoint=true", image, check=False)
        if done.returncode == 0:
            _write(TRIED, _host())
            return
        reason = reason or done.stderr.decode(errors="replace")
    SETTINGS.unlink(missing_ok=True)
    raise LabError(
        "no container starts on this machine; `podman run` says:\n"
        + tail(reason)
        + "\nIt must be able to start one (`podman info` shows what it found) before the lab can."
    )


def _limit(kind: int) -> int:
    # Podman lowers its own limits before it starts anything (nproc to 32768), so that the caller's
    # hard limit can be too high; this much is enough for the whole lab.
    enough = 16384
    hard = resource.getrlimit(kind)[1]
    return enough if hard == resource.RLIM_INFINITY else min(hard, enough)


def _host() -> str:
    # A trial holds for as long as these stay the same.
    return digest(
        platform.release(),
        str(_limit(resource.RLIMIT_NOFILE)),
        str(_limit(resource.RLIMIT_NPROC)),
        str(os.geteuid()),
        output("--version"),
    )


def _write(path: Path, text: str) -> None:
    # In one step, as others may be reading it.
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
