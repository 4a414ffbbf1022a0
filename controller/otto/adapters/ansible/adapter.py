"""Port `Configuration` over ansible-runner."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from otto.adapters.ansible.asking import Answer, Question, Silence, ask, seen
from otto.adapters.ansible.calling import Calls
from otto.adapters.ansible.command import Command
from otto.adapters.ansible.connections import close_connections
from otto.adapters.ansible.culprits import culprits
from otto.adapters.ansible.draining import drain
from otto.adapters.ansible.factreading import COMMAND, MalformedFactError, read_facts
from otto.adapters.ansible.inventory import fault, run_inventory
from otto.adapters.ansible.known_hosts import file_of
from otto.adapters.ansible.options import AnsibleOptions, control_folder
from otto.adapters.ansible.outcome import Tallies, Tally, message_of
from otto.adapters.ansible.rolefiles import role_digests
from otto.adapters.ansible.rotation import Rotation
from otto.adapters.ansible.running import Event, Running, breakdown, running
from otto.adapters.ansible.variables import parts, variables
from otto.adapters.ansible.workspace import sweep, workspace, write_private
from otto.adapters.cancellation import unbroken
from otto.model.canonical import Data
from otto.model.configuration import ConfigurationRequest, ConfigurationResult, HostOutcome
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.host import Host, HostFacts
from otto.model.observed import Seen, Unseen
from otto.model.progress import Progress, Report
from otto.ports import Clock

_PLAYBOOK = "site.yml"
_INVENTORY = "inventory.yml"
_NOBODY = "all: {}\n"
_FULL_FACTS = "gather_subset=!all,min,hardware,network gather_timeout=10"

log = structlog.get_logger("otto.ansible")


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """A run that waits, and its folder."""

    folder: Path
    run: Running


class Ansible:
    """Plays and facts over SSH, several at once.

    Args:
        options: folders, key and time limits.
        clock: for deadlines and for the times of what was seen.
        random_bytes: salts of the known-hosts file.
    """

    def __init__(
        self,
        options: AnsibleOptions,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._options = options
        self._clock = clock
        self._calls = Calls(options, random_bytes)
        self._rotation = Rotation(self._calls, options.folder)
        self._foreseen: dict[str, _Foreseen] = {}
        sweep(options.runs)

    def roles(self) -> Mapping[str, str]:
        """Role name -> digest of its files."""
        return role_digests(self._options.folder)

    @asynccontextmanager
    async def foreseen(self, site: str) -> AsyncGenerator[None, None]:
        """Load Ansible beside the block; the first play over the site in it has it ready. See the port."""
        async with AsyncExitStack() as stack:
            try:
                self._foreseen[site] = await stack.enter_async_context(self._held())
            except (OSError, OttoError) as error:  # the play will do without, or tell of it itself
                log.warning("play.unforeseen", site=site, error=str(error))
            try:
                yield
            finally:
                self._foreseen.pop(site, None)

    @asynccontextmanager
    async def _held(self) -> AsyncGenerator[_Foreseen, None]:
        """A run that waits, gone with all its processes when the block is left."""
        with workspace(self._options.runs, {_INVENTORY: _NOBODY}) as folder:
            async with running(self._site_play(folder, held=True)) as run:
                yield _Foreseen(folder, run)

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        """Run the play a request asks for: CONFIGURE the hosts, or DEPLOY content to them.

        A request to CONFIGURE that has an archive does both in one run. A host that fails, cannot be
        reached or takes too long is told in the result.

        Raises:
            TerminalError: the request or the playbook itself cannot be run.
            TransientError: Ansible broke down.
        """
        if not request.hosts:
            return ConfigurationResult(())
        self._check(request)
        tags = sorted({part for host in request.hosts for part in parts(request, host)})
        if not tags:  # none at all would mean all of them to Ansible
            return ConfigurationResult(Tallies(request.hosts).results())
        result = await self._play_foreseen(request, tags, report)
        if result is None:
            with self._workspace(request.hosts, variables(request)) as folder:
                async with running(self._site_play(folder, ",".join(tags))) as run:
                    result = await self._play(run, request.hosts, report)
        for bad in result.failed:
            log.warning(
                "host.failed", site=request.site, step=request.kind.value, host=bad.host,
                outcome=bad.outcome.value, task=bad.task, message=bad.message,
            )  # fmt: skip
        return result

    async def _play_foreseen(
        self, request: ConfigurationRequest, tags: Sequence[str], report: Report
    ) -> ConfigurationResult | None:
        """Play by the run that was foreseen; None when there is none, or it died before it had begun.

        The run puts its things away while others go on; the end of `foreseen` waits for it.
        """
        ready = self._foreseen.pop(request.site, None)
        if ready is None or ready.run.ended:
            return None
        self._furnish(ready.folder, request.hosts, variables(request))
        ready.run.release(tags)
        try:
            return await self._play(ready.run, request.hosts, report)
        except (TerminalError, TransientError) as error:
            if ready.run.began:
                raise
            log.warning("play.unforeseen", site=request.site, error=str(error))
            return None
        finally:
            if not ready.run.told_all:
                await unbroken(ready.run.stop())

    def _site_play(self, folder: Path, tags: str = "", *, held: bool = False) -> Command:
        options = self._options
        return Command(options.folder, folder, options.forks, playbook=_PLAYBOOK, tags=tags, held=held)

    async def _play(self, run: Running, hosts: Sequence[Host], report: Report) -> ConfigurationResult:
        """Follow a play to its last word or to its time limit."""
        seconds, tallies = self._options.timeout, Tallies(hosts)
        try:
            async with asyncio.timeout(seconds), aclosing(run.events()) as events:
                begun: set[str] = set()
                async for event in events:
                    task = _task_of(event)
                    new = {task} - begun - {""}
                    begun |= new
                    _tell(report, event, tallies.take(event), len(begun), new=bool(new))
                    if tallies.complete:
                        break
        except TimeoutError:
            tallies.cut_off(HostOutcome.TIMED_OUT, f"the play was not done after {seconds:g} s")
        else:
            if not tallies.complete:
                raise breakdown(run)
        return ConfigurationResult(tallies.results())

    async def drain(self, balancers: Sequence[Host], timeout: float, report: Report) -> None:  # noqa: ASYNC109
        """Have balancers finish with their visitors, by haproxy's soft stop over SSH; `draining` says how.

        Raises:
            TransientError: a balancer answers and goes on taking visitors.
        """
        await drain(self._calls, balancers, timeout, report)

    async def set_aside(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> Mapping[str, int]:
        """Have balancers send no new visitor to servers, and those they have finish. See the port."""
        return await self._rotation.set_aside(balancers, servers, timeout, report)

    async def bring_back(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> None:
        """Have balancers send visitors to servers again, each once its own check has passed. See the port."""
        await self._rotation.bring_back(balancers, servers, timeout, report)

    async def culprits(
        self, hosts: Sequence[Host], paths: Mapping[str, Sequence[str]]
    ) -> Mapping[str, tuple[str, ...]]:
        """Who or what keeps changing files of hosts, as far as they tell. See the port."""
        return await culprits(self._calls, self._options, hosts, paths)

    def facts(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[str, Seen[HostFacts] | Unseen]]:
        """Facts of hosts, of many sites at once, each as it comes; every host is answered for."""
        options = self._options
        asked = self._calls.ask(hosts, COMMAND, seconds=options.facts_timeout, at_once=options.facts_forks)
        return seen(asked, _otto_fact, self._clock)

    def full_facts(
        self, hosts: Sequence[Host]
    ) -> AsyncIterator[tuple[str, Seen[Mapping[str, Any]] | Unseen]]:
        """Ansible's own facts (hardware, network, distribution), which cost each host a second or two."""
        question = Question("ansible.builtin.setup", _FULL_FACTS, self._options.full_facts_timeout)
        return seen(self._ask(hosts, question), _full_facts, self._clock)

    async def close(self) -> None:
        """End the SSH connections that are kept for the next run."""
        await close_connections(control_folder(self._options.control))

    def _check(self, request: ConfigurationRequest) -> None:
        for host in request.hosts:
            if reason := fault(host):
                raise TerminalError(f"host {host.name} of {request.site}: {reason}")
        if not self._options.key.is_file():
            raise TerminalError(f"the SSH key {self._options.key} is missing", mend="start `otto up` once")

    async def _ask(
        self, hosts: Sequence[Host], question: Question
    ) -> AsyncGenerator[tuple[str, Answer], None]:
        faults = {host.name: reason for host in hosts if (reason := fault(host))}
        for name, reason in faults.items():
            yield name, Silence(reason)
        good = tuple(host for host in hosts if host.name not in faults)
        if not good:
            return
        forks = min(len(good), self._options.facts_forks)
        with self._workspace(good, {}) as folder:
            command = Command(
                self._options.folder, folder, forks, module=question.module, arguments=question.arguments
            )
            asked = ask(command, [host.name for host in good], self._clock, question.seconds)
            async with aclosing(asked):
                async for name, answer in asked:
                    yield name, answer

    @contextmanager
    def _workspace(self, hosts: Sequence[Host], own: Mapping[str, Mapping[str, Data]]) -> Iterator[Path]:
        """A run's private folder, with its inventory and known hosts."""
        with workspace(self._options.runs, {}) as folder:
            self._furnish(folder, hosts, own)
            yield folder

    def _furnish(self, folder: Path, hosts: Sequence[Host], own: Mapping[str, Mapping[str, Data]]) -> None:
        """Write a run's inventory and known hosts into its folder; it is never without an inventory."""
        for name, text in self._calls.pins(hosts).items():
            write_private(folder / name, text)
        inventory = run_inventory(
            hosts,
            own,
            key=self._options.key.absolute(),
            known_hosts={host.name: folder / file_of(host) for host in hosts},
            control=control_folder(self._options.control),
        )
        write_private(folder / f"{_INVENTORY}.new", inventory)
        (folder / f"{_INVENTORY}.new").rename(folder / _INVENTORY)


def _otto_fact(answer: Mapping[str, Any]) -> HostFacts:
    return read_facts(str(answer.get("stdout") or ""))


def _full_facts(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = answer.get("ansible_facts")
    if not isinstance(facts, dict) or answer.get("failed"):
        raise MalformedFactError(f"ansible could not gather its facts: {message_of(answer)}")
    return facts


def _task_of(event: Event) -> str:
    """The task a host begins with, "" for other events and for mere marks in the play such as a flush."""
    data = event.get("event_data") or {}
    if event.get("event") != "playbook_on_task_start" or data.get("task_action") == "ansible.builtin.meta":
        return ""
    return str(data.get("task_uuid") or data.get("task") or "")


def _tell(report: Report, event: Event, tally: Tally | None, tasks: int, *, new: bool) -> None:
    """Turn an event into progress: each task as the first host begins it, and each host that drops out."""
    data = event.get("event_data") or {}
    if new:
        report(Progress(str(data.get("task") or ""), tasks))
    elif tally is not None and tally.bad is not None:
        report(Progress(f"{tally.bad.value}: {tally.task}: {tally.message}", tasks, host=tally.host))
