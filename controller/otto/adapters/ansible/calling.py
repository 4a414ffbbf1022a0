"""Hosts spoken to directly, with their keys pinned: a command each, and what it answers."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

from otto.adapters.ansible import direct
from otto.adapters.ansible.asking import Answer, Silence
from otto.adapters.ansible.direct import Caller
from otto.adapters.ansible.inventory import fault
from otto.adapters.ansible.known_hosts import file_of, known_hosts
from otto.adapters.ansible.options import AnsibleOptions, control_folder
from otto.adapters.ansible.workspace import workspace
from otto.model.host import Host


class Calls:
    """Commands on hosts without Ansible: starting it costs more than thirty hosts' answers.

    Args:
        options: folders and key.
        random_bytes: salts of the known-hosts files.
    """

    def __init__(self, options: AnsibleOptions, random_bytes: Callable[[int], bytes]) -> None:
        self._options = options
        self._random_bytes = random_bytes

    async def ask(
        self,
        hosts: Sequence[Host],
        command: str,
        *,
        seconds: float,
        at_once: int,
        said: Mapping[str, bytes] | None = None,
    ) -> AsyncGenerator[tuple[str, Answer], None]:
        """Run a command on hosts; (host, its standard output, or why there is none), as they come.

        Args:
            hosts: each of them is answered for exactly once.
            command: of the host's shell.
            seconds: how long one host may take, from its turn on.
            at_once: how many are asked at a time.
            said: host -> what the command reads on its standard input; nothing where it is not named.
        """
        faults = {host.name: reason for host in hosts if (reason := fault(host))}
        for name, reason in faults.items():
            yield name, Silence(reason)
        good = [host for host in hosts if host.name not in faults]
        if not good:
            return
        options = self._options
        with workspace(options.runs, self.pins(good)) as folder:
            caller = Caller(options.folder, options.key.absolute(), control_folder(options.control), folder)
            asked = direct.ask(
                caller.lines(good, command), caller.environment(), seconds=seconds, at_once=at_once, said=said
            )
            async with aclosing(asked):
                async for name, answer in asked:
                    yield name, answer

    def pins(self, hosts: Sequence[Host]) -> dict[str, str]:
        """Name of a known-hosts file -> what is in it, one for each host."""
        return {file_of(host): known_hosts(host, self._random_bytes) for host in hosts}
