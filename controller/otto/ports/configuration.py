"""What configures hosts, brings content to them, and asks them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from otto.model.configuration import ConfigurationRequest, ConfigurationResult
from otto.model.host import Host, HostFacts
from otto.model.observed import Seen, Unseen
from otto.model.progress import Report


class Configuration(Protocol):
    """What runs on the hosts."""

    def roles(self) -> Mapping[str, str]:
        """Role name -> digest of its files."""

    def foreseen(self, site: str) -> AbstractAsyncContextManager[None]:
        """Make ready for a play over a site that the block is likely to ask for.

        What that takes goes on beside the block. The play need not come: nothing is left at the block's end.
        """

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        """Run one targeted play."""

    async def drain(self, balancers: Sequence[Host], timeout: float, report: Report) -> None:  # noqa: ASYNC109
        """Have balancers take no new visitor and let those they have finish, for at most so many seconds.

        A balancer that does not answer has no visitors: it is left out, and told of by the report.

        Raises:
            TransientError: a balancer answers and goes on taking visitors.
        """

    async def set_aside(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> Mapping[str, int]:
        """Have balancers send no new visitor to servers, and wait for those they have to finish.

        Again for the same servers is harmless, and is needed after a balancer was reloaded: that forgets it.

        Args:
            balancers: all of the site's; one that does not answer has no visitors, and is told of.
            servers: names of web servers, as the balancers call them.
            timeout: seconds visitors have to finish; those left then are cut by what follows.
            report: hears what happens.

        Returns:
            Server -> sessions that were left when the time was up, over all balancers; 0 is the rule.

        Raises:
            TerminalError: a name that no server can have; nothing was sent.
            TransientError: a balancer answers and goes on sending visitors there, or has no other server
                that is UP: it leaves those visitors to the server. Other balancers may have done as told.
        """

    async def bring_back(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> None:
        """Have balancers send visitors to servers again, and wait until each balancer calls them UP.

        No visitor is sent to a server before the balancer's own check of it has passed.

        Raises:
            TerminalError: a name that no server can have; nothing was sent.
            TransientError: a balancer that answers does not call one of them UP in time.
        """

    async def culprits(
        self, hosts: Sequence[Host], paths: Mapping[str, Sequence[str]]
    ) -> Mapping[str, tuple[str, ...]]:
        """Who or what keeps changing files of hosts, in words, by host; as far as each of them can tell.

        To be asked before a repair, which would be the last change itself. Not on a steady path. `paths` are
        the files by host; a host without any is not asked. One that does not answer says `does not answer`.
        """

    def facts(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[str, Seen[HostFacts] | Unseen]]:
        """Facts of hosts, of many sites at once, each as it comes; every host is answered for."""
