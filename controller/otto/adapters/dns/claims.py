"""Whose a record set is: octoDNS's ownership processor, which also tells, and spares, what others made.

For each record set of ours there is a TXT record set beside it, `_owner.TYPE.NAME`, as octoDNS makes them:
it names the owner. What has none is nobody's that we know of; what has one of another owner is theirs.
Neither is changed, unless the zone's policy says so.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from octodns.processor.ownership import OwnershipProcessor
from octodns.zone import Zone as OctoZone

from otto.adapters.dns.records import to_set
from otto.decide.dns.marks import NAME, TTL, Key, is_mark, mark, marked, value_of
from otto.model.domain import DomainPolicy
from otto.model.zone import RecordSet


class Claims(OwnershipProcessor):  # type: ignore[misc]  # octoDNS has no types
    """Sorts a zone into ours and others' while octoDNS plans it. Of use for one plan.

    Args:
        owner: who we are.
        policy: of the zone.
        left: keys that stay as they are, if they are ours.

    Attributes:
        foreign: what others made, and is left alone.
        conflicts: what of that is in the way of what is desired.
        taken: keys of what others made and the plan takes over.
        managed: how many record sets are ours, ownership records left out.
        seen: whether the zone held anything.
    """

    def __init__(self, owner: str, policy: DomainPolicy, left: frozenset[Key] = frozenset()) -> None:
        super().__init__(
            "otto",
            txt_name=NAME,
            txt_value=value_of(owner),
            txt_ttl=TTL,
            should_replace=True,
            allow_takeover=policy.takeover,
        )
        self._policy = policy
        self._left = left
        self.foreign: list[RecordSet] = []
        self.conflicts: list[RecordSet] = []
        self.taken: set[Key] = set()
        self.managed = 0
        self.seen = False
        self._in_the_way: list[Any] = []

    def sort(
        self, zone: OctoZone, wanted: AbstractSet[Key], nameservers: Iterable[str]
    ) -> tuple[dict[Key, Any], dict[Key, Any]]:
        """Records of a zone by key, our ownership records left out: ours, and others'.

        Args:
            zone: as it is.
            wanted: keys that are desired.
            nameservers: those that it names for itself, with last dots: meanwhile even an exclusive zone
                keeps their addresses, and the DS of what the spec delegates, which no spec can hold.
        """
        records = {_key(record): record for record in zone.records}
        marks = {marked(name): record for (name, type_), record in records.items() if is_mark(name, type_)}
        everything = self._policy.exclusive and self._policy.takeover
        theirs = {key for key, record in marks.items() if not self._is_ownership(record) and not everything}
        kept = {key for key in (*_addresses(zone, nameservers), *_signers(wanted)) if key not in wanted}
        ours: dict[Key, Any] = {}
        others: dict[Key, Any] = {}
        for key, record in records.items():
            if is_mark(*key):
                if marked(key[0]) in theirs:
                    others[key] = record
            elif key not in theirs and (key in marks or (self._policy.exclusive and key not in kept)):
                ours[key] = record
            else:
                others[key] = record
        return ours, others

    def process_source_and_target_zones(
        self,
        desired: OctoZone,
        existing: OctoZone,
        target: object,
        lenient: bool = False,  # noqa: ARG002
    ) -> tuple[OctoZone, OctoZone]:
        """Take out of both zones what is not to be changed; octoDNS compares what is left."""
        names = desired.root_ns.values if desired.root_ns else getattr(target, "nameservers", ())
        ours, others = self.sort(existing, {_key(record) for record in desired.records}, names)
        self.seen = bool(ours or others)
        self.managed = len(ours)
        self._leave(desired, existing, ours)
        spared = dict(others)
        at = _by_name(others)
        for record in [record for record in desired.records if not is_mark(*_key(record))]:
            blockers = [blocker for blocker in _blockers(record, at) if _key(blocker) in others]
            if not blockers:
                continue
            if self._policy.takeover:
                self._take(blockers, spared)
            else:
                self._spare(desired, record, blockers)
        for record in spared.values():
            existing.remove_record(record)
        self.foreign = _sets(spared.values())
        self.conflicts = _sets({_key(item): item for item in self._in_the_way}.values())
        return desired, existing

    def process_plan(self, plan: Any, *_: object, **__: object) -> Any:  # noqa: ANN401
        """The plan as it is: what was not to be changed has left both zones before they were compared."""
        return plan

    def _leave(self, desired: OctoZone, existing: OctoZone, ours: dict[Key, Any]) -> None:
        """Desire what we have, where it cannot be known what is to be."""
        marks = {_key(record): record for record in existing.records if is_mark(*_key(record))}
        for key in self._left & ours.keys():
            desired.add_record(ours[key], replace=True, lenient=True)
            if owned := marks.get(mark(key)):
                desired.add_record(owned, replace=True, lenient=True)

    def _take(self, blockers: list[Any], spared: dict[Key, Any]) -> None:
        for blocker in blockers:
            spared.pop(_key(blocker), None)
            self.taken.add(_key(blocker))

    def _spare(self, desired: OctoZone, record: Any, blockers: list[Any]) -> None:  # noqa: ANN401
        """Desire nothing where others' records are; they are in the way unless they are what is desired."""
        if [to_set(item) for item in blockers] != [to_set(record)]:
            self._in_the_way += blockers
        name, type_ = mark(_key(record))
        desired.remove_record(record)
        owned = desired.get_type(name, type_)
        if owned is not None and self._is_ownership(owned):
            desired.remove_record(owned)


def _key(record: Any) -> Key:  # noqa: ANN401
    return record.name, record._type  # noqa: SLF001


def _addresses(zone: OctoZone, nameservers: Iterable[str]) -> Iterator[Key]:
    for name in nameservers:
        if name.endswith(f".{zone.name}"):
            inside = name.removesuffix(f".{zone.name}")
            yield from ((inside, "A"), (inside, "AAAA"))


def _signers(wanted: AbstractSet[Key]) -> Iterator[Key]:
    """The DS of zones that are delegated: without it nobody would validate them any more (RFC 4035, 5.2)."""
    return ((name, "DS") for name, type_ in wanted if type_ == "NS" and name)


def _by_name(records: dict[Key, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for (name, _), record in records.items():
        found.setdefault(name, []).append(record)
    return found


def _blockers(record: Any, at: dict[str, list[Any]]) -> Iterable[Any]:  # noqa: ANN401
    """Records that cannot be beside a desired one (RFC 1034, section 3.6.2), or say that it is another's."""
    name, type_ = _key(record)
    for other in at.get(name, ()):
        if "CNAME" in (type_, other._type) or other._type == type_:  # noqa: SLF001
            yield other
    yield from (item for item in at.get(mark((name, type_))[0], ()) if item._type in ("CNAME", "TXT"))  # noqa: SLF001


def _sets(records: Iterable[Any]) -> list[RecordSet]:
    return sorted((to_set(record) for record in records), key=lambda item: item.key)
