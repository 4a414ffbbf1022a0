"""Makes writes commits: one each, upon the newest commit, as often as that takes.

What waits at a time is published together: each order is drafted upon the draft of the one before it, and the
branch is moved once, to the last of them. A remote, which takes a second or two for a push, so keeps up with
any number of writers.
"""

import asyncio
import contextvars
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from otto.model.document import Kind, Written
from otto.model.errors import TerminalError, TransientError
from otto.model.writing import Order
from otto.ports.specbook import MovedError, Specbook
from otto.reconcile.kit import Kit
from otto.reconcile.stores.drafter import Drafted, Drafter
from otto.reconcile.stores.record import Record

log = structlog.get_logger("otto.stores")

_TRIES = 8
_PAUSE = 0.05  # seconds before the second try, doubled with each, moved at random
_MOST = 50  # orders that are published together


@dataclass(eq=False, slots=True)
class _Waiting:
    """An order, and whoever waits for what comes of it.

    Attributes:
        alone: whether it is published by itself: together with others it was refused.
        tries: how often the branch had moved.
    """

    order: Order
    done: "asyncio.Future[Written]"
    alone: bool = False
    tries: int = 0


_Outcome = tuple[_Waiting, Drafted | Exception]


class _RefusedError(Exception):
    """The remote will not have what was pushed."""


class Writer:
    """Writes.

    Args:
        kit: the ports.
        drafter: makes drafts.
        book: publishes them.

    Attributes:
        record: what was written and refused.
        written: the last commit that was made here, "" before the first.
    """

    def __init__(self, kit: Kit, drafter: Drafter, book: Specbook) -> None:
        self._kit = kit
        self._drafter = drafter
        self._book = book
        self._one_at_a_time = asyncio.Lock()
        self._line: list[_Waiting] = []
        self._most = _MOST
        self._at_work: asyncio.Task[None] | None = None
        self.record = Record(kit, book)
        self.written = ""

    async def write(self, order: Order) -> Written:
        """Carry out a write. Once begun it goes to its end, even if whoever asked has gone.

        Raises:
            UsageError: it cannot be, and why (see `otto.model.writing`); nothing was changed.
            TerminalError: what OttO demands of commits, or the remote, refuses it.
            TransientError: the remote cannot be reached, or too much is being pushed.
        """
        waiting = _Waiting(order, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        if self._at_work is None or self._at_work.done():
            # Of nobody in particular: no caller's words stand in the log lines of another's write.
            self._at_work = asyncio.create_task(self._work(), context=contextvars.Context())
            self._at_work.add_done_callback(_heard)
        try:
            return await asyncio.shield(waiting.done)
        except asyncio.CancelledError:
            with suppress(ValueError):  # it has begun, and nobody asks any more
                self._line.remove(waiting)
            raise

    async def dry_run(self, order: Order) -> Drafted:
        """The same up to the commit that would be made; raises as `write` does."""
        async with self._one_at_a_time:
            return await self._drafter.draft(order, await self._book.head())

    async def _work(self) -> None:
        """Carry out what waits, until nothing does."""
        while self._line:
            async with self._one_at_a_time:
                batch = self._taken()
                try:
                    await self._round(batch)
                except Exception as error:  # noqa: BLE001  (theirs to hear)
                    await self._failed(batch, error)
                except BaseException as error:
                    self._ended([*batch, *self._line], error)
                    raise

    def _taken(self) -> list[_Waiting]:
        """Those whose turn it is, taken out of the line."""
        most = 1 if self._line and self._line[0].alone else self._most
        batch = self._line[:most]
        del self._line[: len(batch)]
        return batch

    async def _round(self, batch: list[_Waiting]) -> None:
        """Try to publish some orders together.

        Raises:
            OttoError: the remote cannot be reached, or refuses the only one of them.
        """
        head = await self._book.head()
        outcomes = await self._drafted(batch, head)
        try:
            await self._publish(outcomes, head)
        except MovedError:
            await self._again(batch)
        except _RefusedError as refused:
            if len(batch) == 1:
                raise refused.__cause__ or refused from None
            # One of them, or all? The remote judges a push as a whole.
            for one in batch:
                one.alone = True
            self._line[:0] = batch
        else:
            self._most = min(_MOST, self._most * 2)
            await self._conclude(outcomes)

    async def _drafted(self, batch: Sequence[_Waiting], head: str) -> list[_Outcome]:
        """Each order's draft upon the one before it, or why there is none."""
        outcomes: list[_Outcome] = []
        base = head
        for waiting in batch:
            try:
                with _about(waiting.order):
                    draft = await self._drafter.draft(waiting.order, base)
            except Exception as error:  # noqa: BLE001  (preconditions raise what their own side knows)
                outcomes.append((waiting, error))
                continue
            outcomes.append((waiting, draft))
            base = draft.commit
        return outcomes

    async def _publish(self, outcomes: Sequence[_Outcome], head: str) -> None:
        """Have the branch lead to the last draft.

        Raises:
            MovedError: it does not lead to `head` any more.
            _RefusedError: the remote will not have it; by the error that says so.
            TransientError: the remote cannot be reached.
        """
        made = [
            (waiting.order, found)
            for waiting, found in outcomes
            if isinstance(found, Drafted) and found.commit != found.base
        ]
        if not made:
            return
        entries = await self.record.announce(made)
        last = made[-1][1].commit
        try:
            await self._book.publish(last, head)
        except MovedError:
            await self.record.dropped()
            raise
        except TerminalError as error:
            await self.record.dropped()
            raise _RefusedError from error
        self.written = last
        await self.record.published(entries)

    async def _again(self, batch: list[_Waiting]) -> None:
        """The branch had moved: have them tried once more, fewer at a time, for that is quicker."""
        log.info("stores.moved", orders=len(batch), attempt=batch[0].tries + 1)
        for one in batch:
            self._kit.metrics.write_retried()
            one.tries += 1
        over = [one for one in batch if one.tries >= _TRIES]
        self._line[:0] = [one for one in batch if one.tries < _TRIES]
        self._most = max(1, len(batch) // 2)
        await self._failed(
            over, TransientError(f"others push faster than OttO can commit ({_TRIES} tries)", retry_after=5)
        )
        if len(over) < len(batch):
            pause = _PAUSE * 2 ** batch[0].tries
            await self._kit.clock.sleep(self._kit.rng.uniform(pause / 2, pause))

    async def _conclude(self, outcomes: Sequence[_Outcome]) -> None:
        """Tell everybody what came of it."""
        for waiting, found in outcomes:
            order = waiting.order
            if isinstance(found, Exception):
                await self._failed([waiting], found)
                continue
            changed = found.commit != found.base
            if changed:
                named = {"kind": order.kind.value, "name": order.name, "commit": found.commit}
                with _about(order):
                    log.info("stores.written", request=order.request, caller=order.caller.name, **named)
            if not waiting.done.done():
                document = self._drafter.document(order, found.commit)
                waiting.done.set_result(Written(found.commit, document, changed=changed, notes=found.notes))

    async def _failed(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """Put on record that orders were refused, and tell whoever waits."""
        for waiting in batch:
            if waiting.done.done():
                continue
            with _about(waiting.order):
                await self.record.refused(waiting.order, error)
            waiting.done.set_exception(error)
            _heard(waiting.done)

    def _ended(self, waiting: Sequence[_Waiting], error: BaseException) -> None:
        """The controller is ending: nobody waits for what will not come."""
        self._line.clear()
        for one in waiting:
            if not one.done.done():
                one.done.set_exception(error)
                _heard(one.done)


def _about(order: Order) -> AbstractContextManager[object]:
    """Whom lines of the log are about."""
    about = {} if order.kind is Kind.HOST else {"site": order.name}
    return structlog.contextvars.bound_contextvars(**about)


def _heard(future: "asyncio.Future[Any]") -> None:
    """Should nobody ask any more what came of it, that is no error of its own."""
    if not future.cancelled():
        future.exception()
