# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that run as another account of the host, and modules that run within limits."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import resource
import signal
import sys
import tempfile
import time
import traceback
from typing import Any, Callable, Iterator, NamedTuple

from ansible.module_utils import basic


class Bounded(NamedTuple):
    """What a run of a module came to.

    Attributes:
        result: what it returned; None where it printed no JSON object.
        seconds: how long it took.
        megabytes: the most memory that it had at a time.
        hung: whether it was ended because its time was up.
        errors: what it wrote to stderr, such as a traceback.
    """

    result: dict[str, Any] | None
    seconds: float
    megabytes: float
    hung: bool
    errors: str


def become(account: str) -> None:
    """Give up root for another account, its groups included."""
    entry = pwd.getpwnam(account)
    os.initgroups(account, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


@contextlib.contextmanager
def running_as(account: str, work: Callable[[], None]) -> Iterator[int]:
    """Run a function in a process of another account until the block ends; gives its pid."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            become(account)
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def run_bounded(
    code: Any,
    options: dict[str, Any],
    seconds: float = 20,
    address_space: int = 0,
) -> Bounded:
    """Run a module in a process of its own, and end it and its children where it takes too long.

    Args:
        code: the Python module with its main().
        options: the module's options.
        seconds: how long it may take.
        address_space: how many bytes it may address; 0 for no limit.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        sys.stdout.flush()
        begin = time.monotonic()
        child = os.fork()
        if not child:
            os.setsid()
            if address_space:
                resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            run_main(code, options)
        hung = False
        while True:
            done, _status, usage = os.wait4(child, os.WNOHANG)
            if done:
                break
            if not hung and time.monotonic() - begin > seconds:
                hung = True
                os.killpg(child, signal.SIGKILL)
            time.sleep(0.005)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it may have started
        took = time.monotonic() - begin
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    try:
        result = json.loads(texts[0])
    except ValueError:
        result = None
    return Bounded(result, took, usage.ru_maxrss / 1024, hung, texts[1][-4000:])


def run_main(code: Any, options: dict[str, Any]) -> None:
    """Run a module's main() with these options, and end this process."""
    # As Ansible hands the options over; the second one from ansible-core 2.19 on.
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    try:
        code.main()
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)
