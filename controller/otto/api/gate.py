"""Who may come in: asked once for every request, before anything of it is read but its head."""

import ipaddress
from typing import Protocol

from starlette.requests import Request

from otto.api.problems import Kind, ProblemError
from otto.model.caller import Caller, Scope

LOCAL = "local"
"""Name of a caller on a loopback address who sent no token."""

CHALLENGE = {"www-authenticate": 'Bearer realm="OttO"'}
"""What goes with every 401 (RFC 6750, section 3)."""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Gate(Protocol):
    """Tells who asks. Called in the API's event loop, for every path that is not public.

    What it needs of the controller's loop goes through `Bridge`; reads of the store do not need to.
    """

    async def admit(self, request: Request) -> Caller:
        """Who asks, with what they may and which sites they see.

        Nothing of the body may be read here.

        Raises:
            ProblemError: UNAUTHENTICATED without a token that counts, FORBIDDEN for one that does not count
                here, TOO_MANY after too much guessing.
        """


class LoopbackGate:
    """Lets whoever asks from a loopback address do everything, and nobody else do anything.

    A request that a proxy passed on is not from loopback, whatever address it comes from; nor is one that
    was sent to another name than a loopback one, as a page of another site can have a browser do.
    """

    async def admit(self, request: Request) -> Caller:
        """See `Gate`."""
        if not is_local(request):
            raise ProblemError(
                Kind.UNAUTHENTICATED, "a token is needed but on this machine itself", headers=CHALLENGE
            )
        return Caller(LOCAL, Scope.ADMIN, address=address_of(request))


def address_of(request: Request) -> str:
    """Where a request comes from, "" where that cannot be told."""
    return request.client.host if request.client else ""


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, by no proxy, to a loopback name."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    return _is_loopback(address_of(request)) and _names_loopback(request.headers.get("host", ""))


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _names_loopback(host: str) -> bool:
    name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return name.lower() == "localhost" or _is_loopback(name.strip("[]"))
