"""What the adapter needs to know about its surroundings."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from otto.model.errors import TerminalError

# A Unix socket's path has room for 108 bytes; ssh adds 17 for a temporary name, we a slash and 16 digits.
_LONGEST_FOLDER = 108 - 17 - 17 - 1


@dataclass(frozen=True, slots=True)
class AnsibleOptions:
    """Where the adapter finds its things, and how long it waits.

    Attributes:
        folder: `infra/ansible`: playbook, roles, modules, ansible.cfg.
        runs: folder for the private folders of single runs; made when missing.
        key: private SSH key.
        control: folder for ssh's control sockets; used if its path is short enough for a socket.
        timeout: seconds one play may take.
        facts_timeout: seconds one host has to answer with its facts.
        full_facts_timeout: seconds one host has for Ansible's full facts.
        forks: hosts worked on at once in one play.
        facts_forks: hosts asked at once for facts, which costs little here and there.
    """

    folder: Path
    runs: Path
    key: Path
    control: Path
    timeout: float = 600.0
    facts_timeout: float = 8.0
    full_facts_timeout: float = 30.0
    forks: int = 10
    facts_forks: int = 50


def control_folder(wanted: Path) -> Path:
    """A private folder for control sockets whose path is short enough, made when missing.

    Raises:
        TerminalError: it is there and not ours.
    """
    folder = wanted.absolute()
    if len(os.fsencode(folder)) > _LONGEST_FOLDER or "%" in str(folder):
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
        folder = Path(tempfile.gettempdir()) / f"otto-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or folder.is_symlink():
        raise TerminalError(f"{folder}, for ssh's sockets, belongs to somebody else", mend=f"remove {folder}")
    folder.chmod(0o700)
    return folder
