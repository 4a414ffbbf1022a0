"""Takes in what webhooks deliver, in another thread, and acts on it in the controller's.

Deliveries are gathered until none came for a moment: a thousand of them about one repository make one
fetch. Nothing is lost should the controller die here: the polls find what a delivery would have told.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from otto.config import SourceSettings
from otto.decide.addresses import normalised
from otto.decide.pipelines import short
from otto.model.delivery import Delivery, DeliveryKind
from otto.model.history import AuditEntry
from otto.model.pipeline import Event, Trigger
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.triggers import Triggers

log = structlog.get_logger("otto.webhook")

_QUIET = 0.5  # seconds without a delivery after which those gathered are acted on
_LONGEST = 30.0  # seconds they wait at most, should deliveries never end
_MOST = 10_000  # different ones gathered; more are left to the polls
_WEBHOOK = "webhook"

Heard = Callable[[Delivery], None]
_Key = tuple[str, tuple[str, ...], str, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Deliveries about the same: the newest of them, and how many there were."""

    delivery: Delivery
    count: int = 1


class Intake:
    """The way from webhooks into the loop.

    Args:
        kit: the ports.
        fleet: which sites there are.
        source: the spec repository.
        triggers: starts pipelines.

    Attributes:
        listeners: told of every gathered delivery, pull requests among them, in the controller's thread.
    """

    def __init__(self, kit: Kit, fleet: Fleet, source: SourceSettings, triggers: Triggers) -> None:
        self._kit = kit
        self._fleet = fleet
        self._triggers = triggers
        self._source = (normalised(source.url), source.branch)
        self._known: tuple[object, Mapping[str, frozenset[str]]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: OrderedDict[_Key, Gathered] = OrderedDict()
        self._refused: list[AuditEntry] = []
        self._stirred = asyncio.Event()
        self.listeners: list[Heard] = []

    def followed(self) -> Mapping[str, frozenset[str]] | None:
        """Normalised address -> refs that something follows there; None before the specs were read.

        May be asked from any thread.
        """
        known = self._known
        return known[1] if known is not None else None

    def take(self, delivery: Delivery) -> bool:
        """Take in a delivery, from any thread; whether the controller is there to act on it."""
        return self._hand_over(lambda: self._gather(delivery))

    def refused(self, sender: str, count: int, why: str, client: str) -> bool:
        """Have the audit record say that deliveries were refused, from any thread."""
        entry = AuditEntry(
            self._kit.clock.now(),
            _WEBHOOK,
            "refuse",
            summary=f"{count} webhook {'delivery' if count == 1 else 'deliveries'} refused",
            reason=why,
            detail={"sender": sender, "from": client, "count": str(count)},
        )
        return self._hand_over(lambda: self._record(entry))

    def learn(self) -> None:
        """Take note of which repositories the specs name now; costs nothing while they are the same."""
        catalogue = self._fleet.catalogue
        if self._known is not None and self._known[0] is catalogue:
            return
        found: dict[str, set[str]] = {}
        address, branch = self._source
        if address:
            found.setdefault(address, set()).add(short(branch))
        for spec in self._fleet.specs_in_force().values():
            if spec.content.git:
                found.setdefault(normalised(spec.content.git), set()).add(short(spec.content.ref))
        self._known = (catalogue, {name: frozenset(refs) for name, refs in found.items() if name})

    async def run(self) -> None:
        """Act on what comes in until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                await self._stirred.wait()
                await self._quiet()
                await self._act()
        finally:
            self._loop = None

    async def _quiet(self) -> None:
        """Return when nothing came for a moment, or the longest wait is over."""
        began = self._kit.clock.monotonic()
        while self._stirred.is_set() and self._kit.clock.monotonic() - began < _LONGEST:
            self._stirred.clear()
            await self._kit.clock.sleep(_QUIET)

    async def _act(self) -> None:
        refused, self._refused = self._refused, []
        pending, self._pending = self._pending, OrderedDict()
        for entry in refused:
            await self._guarded(self._append(entry))
        for gathered in pending.values():
            await self._guarded(self._start(gathered))

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            # The polls find what this delivery told of.
            log.exception("webhook.failed", kind=type(error).__name__)

    async def _append(self, entry: AuditEntry) -> None:
        await self._kit.ledger.append(entry)

    async def _start(self, gathered: Gathered) -> None:
        delivery = gathered.delivery
        log.info(
            "webhook.acted",
            sender=delivery.sender.value,
            what=delivery.kind.value,
            repository=delivery.repositories[0] if delivery.repositories else "",
            ref=delivery.ref,
            commit=delivery.commit,
            deliveries=gathered.count,
        )
        for listener in self.listeners:
            listener(delivery)
        if delivery.kind is not DeliveryKind.PUSH:
            return
        address, branch = self._source
        if address in delivery.repositories and short(branch) == delivery.ref:
            await self._triggers.specs(delivery.by, gathered.count)
        self._content(gathered)

    def _content(self, gathered: Gathered) -> None:
        delivery, specs = gathered.delivery, self._fleet.specs_in_force()
        addresses = {
            spec.content.git
            for spec in specs.values()
            if spec.content.git and normalised(spec.content.git) in delivery.repositories
        }
        for address in sorted(addresses):
            event = Event(
                Trigger.CONTENT,
                self._kit.clock.now(),
                delivery.by,
                address,
                delivery.ref,
                delivery.commit,
                gathered.count,
            )
            self._triggers.content(event, [address])

    def _gather(self, delivery: Delivery) -> None:
        key = (delivery.kind.value, delivery.repositories, delivery.ref, delivery.pull)
        before = self._pending.pop(key, None)
        if before is None and len(self._pending) >= _MOST:
            log.warning("webhook.dropped", pending=len(self._pending))
            return
        self._pending[key] = Gathered(delivery, before.count + 1 if before else 1)
        self._stirred.set()

    def _record(self, entry: AuditEntry) -> None:
        self._refused.append(entry)
        self._stirred.set()

    def _hand_over(self, work: Callable[[], None]) -> bool:
        loop = self._loop
        if loop is None:
            return False
        try:
            loop.call_soon_threadsafe(work)
        except RuntimeError:  # the loop was closed a moment ago
            return False
        return True
