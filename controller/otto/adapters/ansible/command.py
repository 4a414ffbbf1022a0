"""What is run of Ansible: the command, its environment, and what keeps it from outliving us."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otto.adapters.ansible.processes import MARK
from otto.model.errors import TerminalError

# The named pipe, in its workspace, at which a command that is held waits.
PIPE = "play"
# How long the runner waits for output before it asks whether to stop.
_POLL_SECONDS = 0.2
_COMMANDS = ("ansible", "ansible-playbook")
_PRELUDE = Path(__file__).with_name("prelude.py")
# What ansible_runner sets for its own callback plugin; nothing else of its environment, which begins as
# a copy of ours, reaches Ansible.
_RUNNERS_OWN = (
    "AD_HOC_COMMAND_ID",
    "ANSIBLE_CALLBACK_PLUGINS",
    "ANSIBLE_LOAD_CALLBACK_PLUGINS",
    "ANSIBLE_STDOUT_CALLBACK",
    "AWX_ISOLATED_DATA_DIR",
    "RUNNER_OMIT_EVENTS",
    "RUNNER_ONLY_FAILED_EVENTS",
)


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: a playbook with tags, or one module on every host.

    Attributes:
        folder: `infra/ansible`.
        workspace: private folder, holding `inventory.yml`.
        forks: hosts worked on at once.
        playbook: file in the folder.
        tags: tags of the playbook's tasks to run.
        module: module to run instead of a playbook.
        arguments: its arguments.
        held: whether it waits, loaded, until `Running.release` says what to play.
    """

    folder: Path
    workspace: Path
    forks: int
    playbook: str = ""
    tags: str = ""
    module: str = ""
    arguments: str = ""
    held: bool = False


def arguments(command: Command) -> dict[str, object]:
    """What ansible_runner is asked for."""
    common: dict[str, object] = {
        "private_data_dir": str(command.workspace),
        "project_dir": str(command.folder),
        "inventory": str(command.workspace / "inventory.yml"),
        "forks": command.forks,
        "quiet": True,
        "fact_cache_type": "",
        "envvars": {"ANSIBLE_CALLBACK_PLUGINS": "", "ANSIBLE_STDOUT_CALLBACK": ""},
        "settings": {
            "pexpect_timeout": _POLL_SECONDS,
            "suppress_ansible_output": True,
            "suppress_output_file": True,
        },
    }
    if command.module:
        own = {"module": command.module, "module_args": command.arguments, "host_pattern": "all"}
    else:
        own = {"playbook": str(command.folder / command.playbook), "tags": command.tags}
    return common | own


def environment(command: Command, runners: Mapping[str, str]) -> dict[str, str]:
    """All that the command is given, out of what ansible_runner would give it."""
    binaries = Path(sys.executable).parent
    return {name: runners[name] for name in _RUNNERS_OWN if name in runners} | {
        MARK: str(command.workspace),
        "PATH": f"{binaries}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(command.workspace),
        "TMPDIR": tempfile.gettempdir(),  # /tmp may be read-only where we run
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_CONFIG": str(command.folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(command.workspace / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(command.workspace / "tmp"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_NOCOLOR": "1",
    }


def wrapped(line: list[str], instead: Sequence[str] = ()) -> list[str]:
    """The command by its full path, dying with the thread that started it where the system can do that.

    Args:
        line: as ansible_runner would start it.
        instead: what is started in the program's place.

    Raises:
        TerminalError: it is not installed.
    """
    name = line[0]
    if name not in _COMMANDS:
        raise TerminalError(f"ansible_runner wants to run {name!r}, which OttO never asks for")
    beside = Path(sys.executable).parent / name
    path = str(beside) if beside.exists() else shutil.which(name)
    if path is None:
        raise TerminalError(
            f"{name} is not installed", mend="make run (or infra/setup/setup run) installs it"
        )
    guard = shutil.which("setpriv")
    prefix = [guard, "--pdeathsig", "KILL", "--"] if guard else []
    return [*prefix, *(instead or [path]), *line[1:]]


def prelude(command: Command) -> Sequence[str]:
    """What is started in the command's place when it is to wait."""
    if not command.held:
        return ()
    return (sys.executable, "-P", str(_PRELUDE), str(command.workspace / PIPE))
