"""What makes servers and networks."""

from collections.abc import AsyncIterator
from typing import Protocol

from otto.model.history import Account
from otto.model.host import HostEvent, LiveHost
from otto.model.infrastructure import Adoptable, InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.observed import InfrastructureState
from otto.model.progress import Report
from otto.model.spec import Provider


class Infrastructure(Protocol):
    """Servers and networks."""

    def module(self, provider: Provider) -> str:
        """Digest of the provider's Terraform module and of what serves it."""

    async def state(self, site: str) -> InfrastructureState | None:
        """What the state holds, without asking the provider; None when there is no state.

        Raises:
            TerminalError: the state cannot be read.
        """

    async def inventory(self, site: str | None = None) -> tuple[LiveHost, ...]:
        """Hosts alive under our owner's labels, of one site or all. Milliseconds, no Terraform."""

    def events(self) -> AsyncIterator[HostEvent]:
        """What providers tell of hosts under our owner's labels, as it happens; waits while nothing does.

        Nothing is started for it. Events may be missed: they hasten a look and replace none.

        Raises:
            TransientError: the connection ended or there is none; call again after a while.
        """

    async def plan(self, inputs: InfrastructureInputs, report: Report) -> InfrastructurePlan:
        """Import what is ours and missing from the state, then plan; hosts of `inputs.replace` anew.

        What is alive under the site's labels and neither wanted nor in the state is left alone.

        Raises:
            WaitingError: another process holds the site's state lock.
        """

    async def refresh(self, inputs: InfrastructureInputs, report: Report) -> tuple[ResourceChange, ...]:
        """What changed outside Terraform, by asking the provider; nothing is changed.

        Raises:
            WaitingError: another process holds the site's state lock.
        """

    async def adoptable(self, inputs: InfrastructureInputs) -> tuple[Adoptable, ...]:
        """What the next plan would take into the state."""

    async def remove(self, host: LiveHost) -> None:
        """Remove one host that carries our owner's labels, now, without Terraform; gone already is fine.

        Raises:
            TerminalError: it is not ours, or the site's state holds it.
        """

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        """Apply that very plan; the state afterwards.

        Raises:
            TransientError: the plan went stale or a resource failed; what was made is in the state.
        """

    async def destroy(self, site: str, provider: Provider, report: Report) -> None:
        """Destroy everything the site has, state and labelled leftovers, and its working folder."""

    async def settle(self, site: str, report: Report) -> None:
        """Wait for child processes of this site that an earlier, killed controller left running.

        After a limit they are interrupted. Locks that nobody holds are cleared.
        """

    async def account(self, provider: Provider) -> Account | None:
        """As whom, and where, the provider would act; None where that cannot be told apart.

        Raises:
            TransientError: it cannot be asked now.
            TerminalError: it refuses our credentials.
        """
