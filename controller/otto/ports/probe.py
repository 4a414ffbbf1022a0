"""Requests to sites from outside."""

from typing import Protocol

from otto.model.probing import ProbeRequest, ProbeResult


class Probe(Protocol):
    """Requests to sites."""

    async def get(self, request: ProbeRequest) -> ProbeResult:
        """Make one request; never raises for what the other side does."""

    async def ssh(self, address: str, port: int, timeout: float) -> bool:  # noqa: ASYNC109
        """Whether an SSH server names itself there within that many seconds (RFC 4253, section 4.2).

        Raises:
            TransientError: nothing can be asked from here, which says nothing of the other side.
        """
