"""The port `Infrastructure` over Terraform or OpenTofu."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace

from otto.adapters.terraform import applying, environment, lock, planning, settling, tree, version
from otto.adapters.terraform.backend import Backend, LiveResource, Module
from otto.adapters.terraform.folder import Folder
from otto.adapters.terraform.narration import Narrator
from otto.adapters.terraform.reading import StateReader
from otto.adapters.terraform.rootmodule import PREFIX
from otto.adapters.terraform.session import Session, load, session
from otto.adapters.terraform.settings import Settings
from otto.adapters.terraform.streams import merged
from otto.adapters.terraform.version import Version
from otto.model.canonical import Data, digest
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.history import Account
from otto.model.host import HostEvent, LiveHost
from otto.model.infrastructure import Adoptable, InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.observed import InfrastructureState
from otto.model.progress import Report
from otto.model.spec import HostGroup, Provider
from otto.ports import Clock


class TerraformInfrastructure:
    """Servers and networks by Terraform, one working folder per site.

    Safe for many sites at once; on one site, a second command is told who is at it.

    Args:
        backends: what differs from provider to provider.
        settings: folder, binary, limits.
        clock: time.
        outside: the controller's environment, of which children get an allow-list.
    """

    def __init__(
        self,
        backends: Mapping[Provider, Backend],
        settings: Settings,
        clock: Clock,
        outside: Mapping[str, str] = os.environ,
    ) -> None:
        self._backends = backends
        self._settings = settings
        self._clock = clock
        self._outside = outside
        self._states = StateReader(clock)
        self._modules: dict[Provider, Module] = {}
        self._digests: dict[Provider, tuple[tree.Signature, str]] = {}
        self._version: Version | None = None

    async def version(self) -> Version:
        """The program in use.

        Raises:
            TerminalError: it is missing or too old.
        """
        if self._version is None:
            passed = {n: self._outside[n] for n in environment.PASSED_ON if n in self._outside}
            nothing = {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
            self._version = await version.detect(self._settings.binary, passed | nothing)
        return self._version

    def module(self, provider: Provider) -> str:
        """Digest of the provider's Terraform module and of what serves it.

        Raises:
            OttoError: the provider is not set up, or cannot be.
        """
        module = self._modules.get(provider) or self._look_up(provider)
        signature = tree.signature(module.path)
        seen, files = self._digests.get(provider, ((), ""))
        if not files or seen != signature:
            files = tree.digest_of(module.path)
            self._digests[provider] = (signature, files)
        return digest({"files": files, "provider": module.provider_digest})

    async def state(self, site: str) -> InfrastructureState | None:
        """What the state holds, without asking the provider; None when there is no state.

        Microseconds while the file is as it was.

        Raises:
            TerminalError: the state cannot be read.
        """
        return await self._states.infrastructure(self._folder(site), self._host_types())

    async def inventory(self, site: str | None = None) -> tuple[LiveHost, ...]:
        """Hosts alive under our owner's labels, of one site or all."""
        found = [
            replace(host, provider=provider.value)
            for provider, backend in self._backends.items()
            for host in await backend.inventory(site)
        ]
        return tuple(sorted(found, key=lambda host: (host.site, host.name, host.id)))

    async def events(self) -> AsyncGenerator[HostEvent, None]:
        """What providers tell of hosts under our owner's labels, as it happens; waits while nothing does.

        Nothing is started for it. Events may be missed: they hasten a look and replace none.

        Raises:
            TransientError: a connection ended or there is none; call again after a while.
        """
        async with aclosing(merged([backend.events() for backend in self._backends.values()])) as told:
            async for event in told:
                yield event
        raise TransientError("no provider tells of events")

    async def plan(self, inputs: InfrastructureInputs, report: Report) -> InfrastructurePlan:
        """Import what is ours and missing from the state, then plan; hosts of `inputs.replace` anew.

        What is alive under the site's labels and neither wanted nor in the state is left alone.

        Raises:
            WaitingError: another process holds the site's state lock.
            OttoError: as Terraform's diagnostics say.
        """
        backend = self._backend(inputs.provider)
        await self.version()
        module = await self._fresh_module(inputs.provider)
        async with self._session(inputs.site, module, "plan") as at:
            await self._prepare(at, inputs.provider, backend.variables(inputs), report)
            return await planning.plan(at, backend, inputs, report)

    async def refresh(self, inputs: InfrastructureInputs, report: Report) -> tuple[ResourceChange, ...]:
        """What changed outside Terraform, by asking the provider; nothing is changed.

        Raises:
            WaitingError: another process holds the site's state lock.
            OttoError: as Terraform's diagnostics say.
        """
        variables = self._backend(inputs.provider).variables(inputs)
        await self.version()
        module = await self._fresh_module(inputs.provider)
        async with self._session(inputs.site, module, "refresh") as at:
            await self._prepare(at, inputs.provider, variables, report)
            return await planning.refresh(at, variables, report)

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        """Apply that very plan; the state afterwards.

        Raises:
            TransientError: the plan went stale or a resource failed; what was made is in the state.
            OttoError: as Terraform's diagnostics say.
        """
        provider = planning.read_note(self._folder(plan.site), plan.handle).provider
        module = await self._fresh_module(provider)
        async with self._session(plan.site, module, "apply") as at:
            note = planning.read_note(at.folder, plan.handle)
            await applying.apply(at, plan, note, report)
            return await self.state(plan.site) or InfrastructureState()

    async def show(self, plan: InfrastructurePlan) -> Mapping[str, Data]:
        """A plan in Terraform's JSON terms, sensitive values masked: fit to be shown and stored.

        Raises:
            TransientError: the plan went stale.
        """
        note = planning.read_note(self._folder(plan.site), plan.handle)
        if note.shown is not None or note.empty:
            return note.shown or {}
        module = await self._fresh_module(note.provider)
        async with self._session(plan.site, module, "show") as at:
            return await planning.show(at, plan.handle)

    async def adoptable(self, inputs: InfrastructureInputs) -> tuple[Adoptable, ...]:
        """What the next plan would take into the state: alive, ours, wanted, and missing from it.

        Raises:
            TerminalError: the state cannot be read.
        """
        live = await self._backend(inputs.provider).resources(inputs.site)
        known = await self._states.load(self._folder(inputs.site))
        found = planning.strays(live, known, planning.host_names(inputs)).wanted
        return tuple(Adoptable(PREFIX + item.address, item.id, item.name, item.host) for item in found)

    async def remove(self, host: LiveHost) -> None:
        """Remove one host that carries our owner's labels, now, without Terraform; gone already is fine.

        Raises:
            TerminalError: it is not ours, or the site's state holds it.
            WaitingError: somebody works on the site, and may be making that very host.
        """
        folder = self._folder(host.site)
        async with self._undisturbed(folder):
            known = await self._states.load(folder)
            if known and any(of.get("id") == host.id for of in known.resources.values()):
                raise TerminalError(
                    f"host {host.name} ({host.id}) is no orphan: the state of site {host.site} holds it",
                    mend="change the site's spec",
                )
            for backend in self._backends.values():
                await backend.remove(host.site, LiveResource("", host.id, host.name, host.name))

    async def destroy(self, site: str, provider: Provider, report: Report) -> None:
        """Destroy everything the site has, state and labelled leftovers, and its working folder.

        May be called again after it was cut off, and for a site that has nothing.

        Raises:
            WaitingError: another process holds the site's state lock.
            OttoError: as Terraform's diagnostics say.
        """
        backend = self._backend(provider)
        folder = self._folder(site)
        folder.sweep()
        if not folder.exists():
            await applying.remove_leftovers(backend, site, report)
            return
        module = await self._fresh_module(provider)
        async with self._session(site, module, "destroy") as at:
            known = load(folder)
            if known and known.resources:
                await self._destroy_state(at, provider, report)
            await applying.remove_leftovers(backend, site, report)
            folder.remove()

    async def settle(self, site: str, report: Report) -> None:
        """Wait for child processes of this site that an earlier, killed controller left running.

        After a limit they are interrupted. Locks that nobody holds are cleared.

        Raises:
            WaitingError: a living controller or command is at it.
        """
        await settling.settle(self._folder(site), self._settings, self._clock, report)

    async def account(self, provider: Provider) -> Account | None:
        """As whom, and where, the provider would act; None where that cannot be told apart.

        Raises:
            TransientError: it cannot be asked now.
            TerminalError: it refuses our credentials, or is not set up here.
        """
        return await self._backend(provider).account()

    async def _destroy_state(self, at: Session, provider: Provider, report: Report) -> None:
        await self.version()
        variables = self._last_variables(at.folder, provider)
        await self._prepare(at, provider, variables, report)
        await applying.destroy_state(at, variables, report)

    def _last_variables(self, folder: Folder, provider: Provider) -> Mapping[str, Data]:
        """The variables of the last plan, no host wanted.

        Terraform plans what is wanted before it plans to destroy, and what is wanted may no longer be
        possible: a host on an image that is gone, say.
        """
        group = HostGroup(count=0, size="small", image="none")
        neutral = self._backend(provider).variables(InfrastructureInputs(folder.site, provider, group, group))
        try:
            last = json.loads(folder.variables.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return neutral
        known = {name: last.get(name, value) for name, value in neutral.items()}
        return known | {name: {**known[name], "count": 0} for name in ("web", "balancer")}

    async def _prepare(
        self, at: Session, provider: Provider, variables: Mapping[str, Data], report: Report
    ) -> None:
        Narrator(report).say("preparing Terraform")
        try:
            await at.prepare(variables, digest([self.module(provider), str(self._version)]))
            await at.recover()
        except OttoError:
            at.distrust()
            raise

    @asynccontextmanager
    async def _undisturbed(self, folder: Folder) -> AsyncIterator[None]:
        """Hold a site's lock; a site without a folder is nobody's to work on, and gets none."""
        if not folder.exists():
            yield
            return
        async with lock.held(folder, "remove", self._clock, self._settings.lock_wait):
            yield

    def _session(self, site: str, module: Module, command: str) -> AbstractAsyncContextManager[Session]:
        return session(
            self._folder(site),
            module,
            command,
            settings=self._settings,
            clock=self._clock,
            outside=self._outside,
        )

    async def _fresh_module(self, provider: Provider) -> Module:
        """The module as it is now; a backend may have to wake its provider first, so off the event loop."""
        return await asyncio.to_thread(self._look_up, provider)

    def _look_up(self, provider: Provider) -> Module:
        module = self._backend(provider).module
        self._modules[provider] = module
        return module

    def _host_types(self) -> dict[str, str]:
        """Host types of the providers met so far: reading a state wakes none."""
        return {kind: path for module in self._modules.values() for kind, path in module.host_types.items()}

    def _folder(self, site: str) -> Folder:
        return Folder.of(self._settings.home, site)

    def _backend(self, provider: Provider) -> Backend:
        if provider not in self._backends:
            raise TerminalError(f"provider {provider} is not set up here", mend="name another in the spec")
        return self._backends[provider]
