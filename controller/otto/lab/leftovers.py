"""Processes that stay when a lab goes: monitors of containers, providers whose Terraform was killed."""

from collections.abc import Sequence
from pathlib import Path

from otto.lab import processes

# Podman's monitor of a finished `exec` lingers for 300 s (containers.conf(5), exit_command_delay).
_MONITOR = "conmon"
_PROVIDER = "otto.lab.provider"


def end(folder: Path, containers: Sequence[str]) -> int:
    """End what is left of a lab's processes; how many there were.

    Args:
        folder: `OTTO_HOME/lab`.
        containers: ids of the containers that were removed.
    """
    found = {
        *processes.matching(_PROVIDER, str(folder.absolute())),
        *(process for container in containers for process in processes.matching(_MONITOR, container)),
    }
    for process in found:
        processes.end(process)
    return len(found)
