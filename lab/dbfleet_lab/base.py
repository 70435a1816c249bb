# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""What every part of the lab needs: names, places, messages, commands with a log."""

import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = CHECKOUT / "lab"
STATE = CHECKOUT / ".lab"
VENV = CHECKOUT / ".venv"
ANSIBLE = CHECKOUT / ".ansible"

# Every container, network and image carries this, so that two clones run side by side.
PREFIX = "dbfleet-" + hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]


class LabError(Exception):
    """What went wrong and the next step, in words for the person at the terminal."""


def digest(*parts: str | bytes) -> str:
    """A short name for some content."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(str(len(data)).encode() + b":" + data)
    return total.hexdigest()[:12]


def search_path() -> str:
    """PATH with the folders added that hold tools for root, which a plain account's PATH lacks."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    folders += [folder for folder in ("/usr/sbin", "/sbin") if folder not in folders]
    return os.pathsep.join(folders)


def say(text: str) -> None:
    """One line for the person at the terminal. Standard output is for results."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Keeps a second call in this checkout waiting until the first is done."""
    STATE.mkdir(exist_ok=True)
    with (STATE / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def stage(
    title: str,
    command: Sequence[str],
    log: str,
    env: Mapping[str, str] | None = None,
    next_step: str = "",
) -> None:
    """Runs a long command: its output goes to a log, its progress to the terminal."""
    folder = STATE / "log"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{log}.log"
    start = time.monotonic()
    live = sys.stderr.isatty()
    if not live:
        say(f"{title} ...")
    with path.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env
        )
        try:
            while process.poll() is None:
                time.sleep(0.1)
                if live:
                    seconds = time.monotonic() - start
                    line = f"{title} ... {seconds:.0f} s  {_last_line(path)}"
                    print(f"\r\033[K{line[:100]}", end="", file=sys.stderr, flush=True)
        except BaseException:
            # It cleans up after itself, and is given the time to.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            process.terminate()
            process.wait()
            raise
    if live:
        print("\r\033[K", end="", file=sys.stderr)
    seconds = time.monotonic() - start
    if process.returncode == 0:
        say(f"{title}: {seconds:.0f} s")
        return
    say(tail(path.read_text(errors="replace")))
    raise LabError(
        f"{title}: failed with status {process.returncode} (all of its output: "
        f"{path.relative_to(CHECKOUT)}){'. ' + next_step if next_step else ''}"
    )


def tail(text: str, lines: int = 20) -> str:
    """The last lines of an output, indented."""
    return "\n".join("    " + line for line in text.rstrip().splitlines()[-lines:])


def _last_line(path: Path) -> str:
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - 400))
        lines = handle.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
