"""`ansible-playbook` that has loaded itself before it is told what to play.

Started by `running` as a program of its own, never imported: loading takes Ansible longer than all else
before its first task, and can be done while Terraform makes the hosts. Arguments: a named pipe, and the
command's arguments as far as they are known. One line of JSON from the pipe brings the rest of them; if
there is none, whoever started it has changed its mind or is gone.
"""

import importlib
import json
import signal
import sys
from pathlib import Path

# The command itself, and what a play imports only once it has hosts to work on.
_COMMAND = "ansible.cli.playbook"
_LATER = (
    "ansible.executor.playbook_executor",
    "ansible.executor.task_queue_manager",
    "ansible.plugins.action.normal",
    "ansible.plugins.connection.ssh",
    "ansible.plugins.strategy.free",
)
# Whoever started it kills it at its end. Should that fail, it ends by itself: longer than any apply.
_LONGEST_SECONDS = 6 * 3600


def _rest(pipe: Path) -> list[str] | None:
    """The rest of the arguments; None when there will be none."""
    signal.alarm(_LONGEST_SECONDS)
    with pipe.open(encoding="utf-8") as lines:
        line = lines.readline()
    signal.alarm(0)
    return [str(argument) for argument in json.loads(line)] if line else None


def _play() -> int:
    command = importlib.import_module(_COMMAND)
    for name in _LATER:
        importlib.import_module(name)
    rest = _rest(Path(sys.argv[1]))
    if rest is None:
        return 0
    sys.argv = ["ansible-playbook", *sys.argv[2:], *rest]
    return int(command.main() or 0)


if __name__ == "__main__":
    sys.exit(_play())
