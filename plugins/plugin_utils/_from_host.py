# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the action plugins take what a host says. Private to dbfleet.mysql.

Ansible prints some of a host's words before an action returns its result: what follows the module's
JSON, keys that it does not expect, what the remote C(rm) says.
"""

from __future__ import annotations

import contextlib
import signal
from typing import Any, Iterator

from ansible.errors import (
    AnsibleActionFail,
    AnsibleActionSkip,
    AnsibleConnectionFailure,
    AnsibleError,
)
from ansible.utils.display import Display

from ._host_result import host_result, of_ansible_only, only_result
from ._text import indented, visible

#: In seconds.
_CLEANUP = 30


@contextlib.contextmanager
def _visible_errors() -> Iterator[None]:
    """Let Ansible's errors say what the host said with visible characters alone."""
    try:
        yield
    except AnsibleActionSkip:
        raise
    except AnsibleError as error:
        unreachable = isinstance(error, AnsibleConnectionFailure)
        kind = AnsibleConnectionFailure if unreachable else AnsibleError
        # Without its cause, whose words Ansible would add.
        raise kind(indented(visible(str(error), "\n\t"))) from None


class _TooLong(BaseException):
    """The time is up. The ssh connection would take an Exception for a reason to try again."""


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Raise _TooLong where something takes longer."""

    def leave(_number: int, _frame: object) -> None:
        raise _TooLong(f"it took longer than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, leave)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class FromHost:
    """Stands before Ansible's own class among an action plugin's bases.

    Attributes:
        returned: the keys that the module's documentation names.
    """

    returned: frozenset[str] = frozenset()
    _is_cleanup = False

    def _low_level_execute_command(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Run a command on the host, and return what it prints with visible characters alone."""
        done: dict[str, Any] = super()._low_level_execute_command(  # type: ignore[misc]
            *arguments, **named
        )
        for name in ("stdout", "stderr"):
            text = done.get(name)
            if isinstance(text, str):
                text = visible(text.replace("\r\n", "\n"), "\n\t")
                # Ansible takes paths and JSON out of the one, and shows the other.
                done[name] = indented(text) if name == "stderr" else text
                done[f"{name}_lines"] = done[name].splitlines()
        return done

    def _execute_module(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Run a module on the host."""
        if self._task.async_val:  # type: ignore[attr-defined]
            # The module that looks after such a job returns the result as the host gave it.
            raise AnsibleActionFail("async is not supported for this task.")
        with _visible_errors():
            result: dict[str, Any] = super()._execute_module(  # type: ignore[misc]
                *arguments, **named
            )
        return result

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the task, and return what counts of its result."""
        with _visible_errors():
            return host_result(
                super().run(tmp, task_vars),  # type: ignore[misc]
                self.returned,
            )

    def cleanup(self, force: bool = False) -> None:
        """Remove what was sent to the host. Ansible does it after the task, and after its time."""
        try:
            with _visible_errors(), _at_most(_CLEANUP):
                self._is_cleanup = True
                super().cleanup(force)  # type: ignore[misc]
        except (AnsibleError, _TooLong) as error:
            # The task has its result by now.
            Display().warning(f"Temporary files may be left on the host: {error}")

    def _remove_tmp_path(self, *arguments: Any, **named: Any) -> None:
        """Remove what was sent to the host, within the time that :meth:`cleanup` gives.

        The package action of ansible-core 2.17 does it when the task's own time may be up already.
        """
        if self._is_cleanup:
            super()._remove_tmp_path(*arguments, **named)  # type: ignore[misc]

    def _parse_returned_data(
        self, res: dict[str, Any], *arguments: Any, **named: Any
    ) -> dict[str, Any]:
        """Return a module's result without what is Ansible's own business."""
        res = {**res, "stdout": only_result(res.get("stdout") or "")}
        data = super()._parse_returned_data(res, *arguments, **named)  # type: ignore[misc]
        return of_ansible_only(data)
