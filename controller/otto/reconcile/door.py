"""Lets in what somebody known has signed, where the fleet's policy says so."""

import json
from dataclasses import dataclass, replace

import structlog

from otto.decide import admission as words
from otto.decide.gitobject import read
from otto.model.canonical import to_data
from otto.model.errors import OttoError, TerminalError
from otto.model.reading import read as restored
from otto.model.signature import Admission, Demand, Refusal, Signatures, Signed, Signer, TagRef
from otto.ports import Source
from otto.reconcile.kit import Kit
from otto.reconcile.vouched import Vouched

log = structlog.get_logger("otto.signatures")

# The last admission, what was told of last, and the commit in force as the fleet keeps it.
_ADMITTED, _TOLD, _IN_FORCE = "signatures.admitted", "signatures.told", "source.commit"
# Of tags that anybody may push, so many of the newest are looked at.
_MOST_TAGS = 100


@dataclass(frozen=True, slots=True)
class _Case:
    """A branch to be judged, under a policy of this digest."""

    head: str
    demanded: Signatures
    policy: str
    source: Source


class Door:
    """Says which commit of the branch may be deployed.

    What was let in once stays in: that its key ends takes nothing down. Nothing in the repository says
    whose signatures count.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._vouched = Vouched(kit.vouching, kit.clock)
        self._admitted: Admission | None = None
        self._policy = ""
        self._loaded = False

    async def admit(self, head: str) -> Admission:
        """What may be deployed of a branch whose newest commit is `head`; says so where it says no."""
        demanded = self._kit.policies.fleet().signatures
        if demanded is None:
            self._kit.metrics.unsigned(on=False)
            return Admission(head, head)
        found, policy = await self._judge(head, demanded, self._kit.source)
        if found.commit and found.signer is not None:
            await self._let_in(found, policy)
        await self._tell(found)
        return found if found.commit else replace(found, commit=await self._in_force())

    async def glance(self, head: str) -> Admission:
        """The same, without keeping it or telling anybody."""
        demanded = self._kit.policies.fleet().signatures
        if demanded is None:
            return Admission(head, head)
        found, _ = await self._judge(head, demanded, self._kit.source)
        return found if found.commit else replace(found, commit=await self._in_force())

    async def preview(self, head: str, source: Source) -> Refusal | None:
        """Why a commit that is being pushed would not be let in, None when it would."""
        demanded = self._kit.policies.fleet().signatures
        if demanded is None or demanded.require is not Demand.COMMITS:
            return None
        return (await self._judge(head, demanded, source))[0].refusal

    async def preview_tag(self, tag: TagRef, source: Source) -> Refusal | None:
        """Why a tag that is being pushed would not count, None when it would, or is none that could."""
        demanded = self._kit.policies.fleet().signatures
        if demanded is None or demanded.require is not Demand.TAGS:
            return None
        if not words.wanted_tags([tag], demanded.tags):
            return None
        try:
            signed = words.tag(source.object(tag.id), tag.name)
            policy = self._kit.vouching.digest(demanded)
        except OttoError as error:
            return words.unread(tag.id, f"tag {tag.name}", error)
        answer = await self._vouched.ask(signed, demanded, policy)
        return answer if isinstance(answer, Refusal) else None

    async def _judge(self, head: str, demanded: Signatures, source: Source) -> tuple[Admission, str]:
        await self._load()
        try:
            case = _Case(head, demanded, self._kit.vouching.digest(demanded), source)
        except OttoError as error:
            return Admission(head, "", refusal=words.unread(head, f"commit {head[:12]}", error)), ""
        judge = self._commit if demanded.require is Demand.COMMITS else self._tags
        return await judge(case), case.policy

    async def _commit(self, case: _Case) -> Admission:
        head, before = case.head, self._before(tags=False)
        if before is not None and self._same(head, case):
            return replace(before, head=head)
        try:
            signed = read(case.source.object(head))
        except OttoError as error:
            return Admission(head, "", refusal=words.unread(head, f"commit {head[:12]}", error))
        answer = await self._vouched.ask(signed, case.demanded, case.policy)
        if isinstance(answer, Refusal):
            return Admission(head, "", refusal=answer)
        descends = before is not None and case.source.reaches(head, before.commit)
        if before is not None and words.rewinds(signed, before.at, descends=descends):
            return Admission(head, "", refusal=words.refusal(signed, words.rewound(before)))
        return Admission(head, head, head, signed.at, answer)

    async def _tags(self, case: _Case) -> Admission:
        head, before = case.head, self._before(tags=True)
        tags, refused = self._read_tags(case)
        for signed in words.newest_first(tags)[:_MOST_TAGS]:
            if before is not None and self._same(signed.id, case):
                return replace(before, head=head, refusal=refused)
            # Who deletes a newer tag, or brings an old one back, takes nothing back that was deployed.
            if before is not None and words.rewinds(signed, before.at, descends=False):
                break
            answer = await self._tag(signed, case)
            if isinstance(answer, Signer):
                return Admission(head, signed.target, signed.id, signed.at, answer, signed.name, refused)
            refused = refused or answer
        if before is None and refused is None:
            refused = words.no_tag(head, case.demanded.tags)
        return Admission(head, "", refusal=refused)

    async def _tag(self, signed: Signed, case: _Case) -> Signer | Refusal:
        answer = await self._vouched.ask(signed, case.demanded, case.policy)
        if isinstance(answer, Signer) and not case.source.reaches(case.head, signed.target):
            return words.refusal(signed, TerminalError("it is of no commit of the branch"))
        return answer

    def _read_tags(self, case: _Case) -> tuple[list[Signed], Refusal | None]:
        """The tags that count by name, and why one of them cannot be read."""
        found: list[Signed] = []
        odd: Refusal | None = None
        for tag in words.wanted_tags(case.source.tags(), case.demanded.tags):
            try:
                found.append(words.tag(case.source.object(tag.id), tag.name))
            except OttoError as error:
                odd = words.unread(tag.id, f"tag {tag.name}", error)
        return found, odd

    def _before(self, *, tags: bool) -> Admission | None:
        """What was let in last, if by a tag or by a commit, as is demanded now."""
        before = self._admitted
        return before if before is not None and bool(before.tag) is tags else None

    def _same(self, vouched: str, case: _Case) -> bool:
        """Whether that is what was let in last, under the same policy: its key may have ended since."""
        admitted = self._admitted
        return admitted is not None and (admitted.vouched, self._policy) == (vouched, case.policy)

    async def _in_force(self) -> str:
        """The commit in force, where it can still be read; "" for none."""
        try:
            kept = await self._kit.store.value(_IN_FORCE)
            return self._kit.source.object(kept).id if kept else ""
        except OttoError:
            return ""

    async def _load(self) -> None:
        if self._loaded:
            return
        text = await self._kit.store.value(_ADMITTED)
        try:
            known = json.loads(text) if text else {}
            self._policy = str(known.get("policy", ""))
            self._admitted = restored(Admission, known["admission"]) if "admission" in known else None
        except (OttoError, ValueError, AttributeError):
            # As if nothing had been let in: it is checked once more.
            log.warning("signatures.unreadable")
        self._loaded = True

    async def _let_in(self, found: Admission, policy: str) -> None:
        before, kept = self._admitted, replace(found, refusal=None)
        if before == kept and policy == self._policy:
            return
        await self._kit.store.set_value(_ADMITTED, json.dumps({"policy": policy, "admission": to_data(kept)}))
        self._admitted, self._policy = kept, policy
        if before is None or before.vouched != found.vouched:
            log.info("signatures.admitted", commit=found.commit, tag=found.tag, signer=str(found.signer))
            await self._kit.ledger.append(words.entry(kept, self._kit.clock.now()))

    async def _tell(self, found: Admission) -> None:
        """Tell of a refusal once: of one thing, for one reason."""
        refusal = found.refusal
        self._kit.metrics.unsigned(on=refusal is not None)
        if refusal is None:
            return
        told = f"{refusal.id} {refusal.reason}"
        if await self._kit.store.value(_TOLD) == told:
            return
        now = self._kit.clock.now()
        log.error("signatures.refused", id=refusal.id, reason=refusal.reason, mend=refusal.mend)
        await self._kit.ledger.append(words.entry(found, now))
        await self._kit.store.set_value(_TOLD, told)
        await self._kit.notifier.notify(words.notice(refusal, now))


def target(tag: TagRef, source: Source) -> str:
    """The commit that a tag leads to, "" where that cannot be read."""
    try:
        found = source.object(tag.id)
        return found.id if found.kind == "commit" else words.tag(found, tag.name).target
    except OttoError:
        return ""
