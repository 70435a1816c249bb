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

from ansible.errors import AnsibleActionSkip, AnsibleConnectionFailure, AnsibleError
from ansible.utils.display import Display

from ._host_result import host_result, of_ansible_only
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


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Raise AnsibleError where something takes longer."""

    def leave(_number: int, _frame: object) -> None:
        raise AnsibleError(f"it took longer than {seconds} seconds")

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
    #: The module that looks after a job in the background returns the result as the host gave it.
    _supports_async = False

    def _low_level_execute_command(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Run a command on the host, and return what it prints with visible characters alone."""
        done: dict[str, Any] = super()._low_level_execute_command(  # type: ignore[misc]
            *arguments, **named
        )
        for name in ("stdout", "stderr"):
            text = done.get(name)
            if isinstance(text, str):
                done[name] = visible(text.replace("\r\n", "\n"), "\n\t")
                done[f"{name}_lines"] = done[name].splitlines()
        return done

    def _execute_module(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Run a module on the host."""
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
                super().cleanup(force)  # type: ignore[misc]
        except AnsibleError as error:
            # The task has its result by now.
            Display().warning(f"Temporary files may be left on the host: {error}")

    def _parse_returned_data(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Return a module's result without what is Ansible's own business."""
        data = super()._parse_returned_data(*arguments, **named)  # type: ignore[misc]
        return of_ansible_only(data)
