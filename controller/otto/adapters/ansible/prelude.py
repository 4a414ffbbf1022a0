"""`ansible-playbook` that has loaded itself before it is told what to play.

Started by `running` as a program of its own, never imported: loading takes Ansible longer than all else
before its first task, and can be done while Terraform makes the hosts. Arguments: a named pipe, and the
command's arguments as far as they are known; the inventory may be empty as yet. One line of JSON from the
pipe, the tags to play, says that the inventory is what it should be. If there is none, whoever started it
has changed its mind or is gone.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible import context
from ansible.cli.playbook import PlaybookCLI
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.plugins import loader as plugins
from ansible.template import Templar, trust_as_template
from ansible.utils.context_objects import CLIArgs
from ansible.vars.manager import VariableManager

# Whoever started it kills it at its end. Should that fail, it ends by itself: longer than any apply.
_LONGEST_SECONDS = 6 * 3600
_KINDS = ("become", "callback", "connection", "shell")
_ACTIONS = ("ansible.builtin.assert", "ansible.builtin.normal")
_LOOKUPS = ("ansible.builtin.file", "ansible.builtin.template")
# Any filter and any test has all of them loaded.
_FILTERS_AND_TESTS = "{{ 'a' | ansible.builtin.unique is match('a') }}"


class _Held(PlaybookCLI):  # type: ignore[misc]  # ansible is not typed
    """The command, waiting where it is about to learn of its hosts."""

    def _play_prereqs(self) -> Any:  # noqa: ANN401
        prepared = super()._play_prereqs()
        loader, inventory, variables = prepared
        _rehearse(loader, variables)
        tags = _tags(Path(sys.argv[1]))
        if tags is None:
            sys.exit(0)
        context.CLIARGS = CLIArgs({**context.CLIARGS, "tags": tags})
        inventory.refresh_inventory()
        return prepared


def _rehearse(loader: DataLoader, variables: VariableManager) -> None:
    """Load what a play loads, much of it in the process of every task anew unless it is there already."""
    for kind in _KINDS:
        list(getattr(plugins, f"{kind}_loader").all(class_only=True))
    for name in _ACTIONS:
        plugins.action_loader.get(name, class_only=True)
    for name in _LOOKUPS:
        plugins.lookup_loader.get(name, class_only=True)
    Templar(loader=loader).template(trust_as_template(_FILTERS_AND_TESTS))
    for playbook in context.CLIARGS["args"]:
        Playbook.load(playbook, variable_manager=variables, loader=loader)


def _tags(pipe: Path) -> list[str] | None:
    """The tags to play; None when there will be none."""
    with _at_most(_LONGEST_SECONDS), os.fdopen(_opened(pipe), encoding="utf-8") as lines:
        line = lines.readline()
    return [str(tag) for tag in json.loads(line)] if line else None


def _opened(pipe: Path) -> int:
    """The pipe, opened without waiting for somebody to write to it: whoever should may be dead."""
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    return descriptor


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Die after so many seconds."""
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    _Held.cli_executor(["ansible-playbook", *sys.argv[2:]])
