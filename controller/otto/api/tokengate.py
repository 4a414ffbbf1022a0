"""The gate: who comes in with a token, who without, and who not at all."""

import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from starlette.requests import Request

from otto.api import addresses
from otto.api.addresses import Network
from otto.api.gate import CHALLENGE, LOCAL, address_of
from otto.api.guesses import Guesses
from otto.api.problems import Kind, ProblemError
from otto.api.refusals import Refusals
from otto.decide import tokens as deciding
from otto.model.caller import Caller, Scope, Token
from otto.model.errors import OttoError
from otto.ports import Ledger
from otto.ports.tokens import Tokens

log = structlog.get_logger("otto.api")

_FRESH = 1.0  # seconds for which a token that was looked up counts: as long as a revoked one may
_USED = timedelta(minutes=5)
_KNOWN = 1000
_INVALID = {"www-authenticate": 'Bearer realm="OttO", error="invalid_token"'}


class Counted(Protocol):
    """Counts what the gate turns away."""

    def api_refused(self, kind: str) -> None:
        """Count a refusal by the kind of its problem."""

    def guessed(self, *, locked: bool) -> None:
        """Count a token that nobody has, and whether its sender is not listened to from now on."""


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Who is let in.

    Attributes:
        anonymous: whether this machine needs no token.
        hosts: names, besides loopback ones, by which it may call us then.
        proxies: whose `X-Forwarded-For` is believed.
        guesses: bad tokens one address may send within the window.
        window: seconds.
        plain: whether tokens may come unencrypted from other machines.
    """

    anonymous: bool = True
    hosts: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    guesses: int = 10
    window: float = 300.0
    plain: bool = False


@dataclass(slots=True)
class _Known:
    token: Token
    at: float


class TokenGate:
    """See `Gate`. Lives in the API's event loop.

    Args:
        tokens: those that there are.
        ledger: where refusals are recorded.
        options: who is let in.
        now: the time of day, in UTC.
        monotonic: seconds that never go back.
        counted: counts what is turned away.
        scrub: takes secrets out of what is recorded.
    """

    def __init__(
        self,
        tokens: Tokens,
        ledger: Ledger,
        options: GateOptions,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        *,
        counted: Counted,
        scrub: Callable[[str], str] = str,
    ) -> None:
        self._counted = counted
        self._tokens = tokens
        self._options = options
        self._now = now
        self._monotonic = monotonic
        self._guesses = Guesses(options.guesses, options.window, monotonic)
        self._refusals = Refusals(ledger, now, monotonic, scrub)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._used: dict[str, datetime] = {}

    async def admit(self, request: Request) -> Caller:
        """See `Gate`."""
        headers, peer, address = _joined(request), address_of(request), self.sender(request)
        try:
            given = request.headers.getlist("authorization")
            if not given:
                return self._without_token(peer, address, headers)
            self._require_private(request, peer, headers)
            return await self._with_token(given, address)
        except ProblemError as error:
            await self.refused(None, request, error)
            raise

    def sender(self, request: Request) -> str:
        """See `Gate`: behind proxies of ours, whom they name."""
        return addresses.sender(address_of(request), _joined(request), self._options.proxies)

    async def refused(self, caller: Caller | None, request: Request, error: ProblemError) -> None:
        """See `Gate`."""
        self._counted.api_refused(error.kind.slug)
        what = f"{request.method} {request.url.path}"
        address = caller.address if caller else self.sender(request)
        await self._refusals.note(error.kind.slug, caller.name if caller else "", address, error.detail, what)

    async def settle(self) -> None:
        """Have the audit record hear of every refusal that it did not hear of yet; from any event loop."""
        await self._refusals.settle(everything=True)

    def _without_token(self, peer: str, address: str, headers: Mapping[str, str]) -> Caller:
        here = addresses.is_loopback(peer) and not addresses.through_proxy(headers)
        if not here or not self._options.anonymous:
            raise ProblemError(Kind.UNAUTHENTICATED, "a token is needed", headers=CHALLENGE)
        if not addresses.names_us(headers.get("host", ""), self._options.hosts):
            raise ProblemError(
                Kind.UNAUTHENTICATED,
                "a token is needed: the request was sent to a name that is not this machine's",
                mend="call it localhost or 127.0.0.1, or add the name to api.hosts",
                headers=CHALLENGE,
            )
        return Caller(LOCAL, Scope.ADMIN, address=address)

    def _require_private(self, request: Request, peer: str, headers: Mapping[str, str]) -> None:
        """Refuse a token that came unencrypted from another machine: whoever listens has it by now."""
        here = addresses.is_loopback(peer)
        direct = here and not addresses.through_proxy(headers)
        if self._options.plain or request.url.scheme == "https" or direct:
            return
        at = addresses.parsed(peer)
        ours = here or (at is not None and any(at in network for network in self._options.proxies))
        if ours and headers.get("x-forwarded-proto", "").lower() == "https":
            return
        raise ProblemError(
            Kind.FORBIDDEN,
            "the token was sent over plain HTTP from another machine: others may have read it",
            mend="revoke it, and use https (api.certificate, or a proxy named in api.proxies)",
        )

    async def _with_token(self, given: list[str], address: str) -> Caller:
        secret = _bearer(given)
        digest = deciding.digest_of(secret) if deciding.is_whole(secret) else ""
        guesser = addresses.crowd(address)
        wait = self._guesses.wait(guesser)
        if wait and digest not in self._known:  # whoever was let in lately is not guessing
            raise ProblemError(
                Kind.TOO_MANY,
                "too many tokens that do not count came from this address",
                headers={"retry-after": str(math.ceil(wait))},
            )
        token = await self._token(digest) if digest else None
        if token is None:
            self._counted.guessed(locked=self._guesses.add(guesser))
            raise ProblemError(Kind.UNAUTHENTICATED, "the token does not count", headers=_INVALID)
        now = self._now()
        if not token.holds(now):
            self._known.pop(digest, None)
            how = "was revoked" if token.revoked_at else "has expired"
            detail = f"the token {token.id} {how}"
            raise ProblemError(Kind.UNAUTHENTICATED, detail, headers=_INVALID)
        await self._mark(token, now)
        return Caller(token.name, token.scope, token.labels, token.id, address)

    async def _token(self, digest: str) -> Token | None:
        """The token of a digest, as it was kept within the last second."""
        known = self._known.get(digest)
        if known is not None and self._monotonic() - known.at < _FRESH:
            return known.token
        found = await self._tokens.by_digest(digest)
        if found is None or not hmac.compare_digest(found.digest, digest):
            self._known.pop(digest, None)
            return None
        self._known[digest] = _Known(found, self._monotonic())
        self._known.move_to_end(digest)
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return found

    async def _mark(self, token: Token, now: datetime) -> None:
        """Have it on record that the token is used, every few minutes."""
        last = self._used.get(token.id) or token.used_at
        if last is not None and now - last < _USED:
            return
        if len(self._used) > _KNOWN:
            self._used.clear()
        self._used[token.id] = now
        try:
            await self._tokens.used(token.id, now)
        except OttoError as error:  # no reason to let nobody in
            log.warning("api.unmarked", known=token.id, error=error.message)


def _bearer(given: list[str]) -> str:
    """The token of an `Authorization` header (RFC 6750, section 2.1), "" when it holds none."""
    if len(given) != 1:
        return ""
    scheme, _, token = given[0].strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _joined(request: Request) -> Mapping[str, str]:
    """Headers by name in lower case; one that was sent twice is one list (RFC 9110, section 5.3)."""
    names = {name.lower() for name in request.headers.keys()}  # noqa: SIM118  (a multi-dictionary)
    return {name: ", ".join(request.headers.getlist(name)) for name in names}
