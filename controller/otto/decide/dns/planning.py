"""From what would be changed of a zone to differences, and to a plan that people and the guard judge."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from otto.decide.dns.marks import is_mark, marked
from otto.decide.dns.wanted import Key, Wanted, wanted
from otto.model.difference import UNWISHED, Cause, Difference, Layer, Severity
from otto.model.plan import (
    RECORD,
    Action,
    ActionKind,
    Circumstances,
    Plan,
    Removing,
    Step,
    StepKind,
    ZoneCircumstances,
)
from otto.model.zone import ChangeKind, RecordChange, RecordSet, ZonePlan
from otto.model.zonememory import DesiredZone

_NONE = "none"
_KINDS = {
    ChangeKind.CREATE: ActionKind.CREATE,
    ChangeKind.UPDATE: ActionKind.UPDATE,
    ChangeKind.DELETE: ActionKind.DESTROY,
}


@dataclass(frozen=True, slots=True)
class _Wishes:
    """The wish, and the one that was put in place last.

    Attributes:
        now: the wish.
        before: the one before, None for none.
        exclusive: whether the whole zone was OttO's by both.
        marked: keys of which an ownership record changes, so that they are, or were, OttO's.
    """

    now: Wanted
    before: Wanted | None
    exclusive: bool
    marked: frozenset[Key]

    @classmethod
    def of(cls, found: ZonePlan, desired: DesiredZone, last: DesiredZone | None) -> "_Wishes":
        before = wanted(last.spec, last.targets) if last else None
        exclusive = last is not None and last.spec.policy.exclusive and desired.spec.policy.exclusive
        marks = (change.record for change in found.changes if is_mark(*change.record.key))
        about = frozenset(marked(record.name) for record in marks)
        return cls(wanted(desired.spec, desired.targets), before, exclusive, about)

    def cause(self, change: RecordChange) -> Cause:
        """Why a record set changes."""
        key, before = change.record.key, self.before
        if before is None or change.takes_over:
            return Cause.SPEC
        old, new = before.by_key.get(key), self.now.by_key.get(key)
        if old == new and (old is not None or change.kind is not ChangeKind.DELETE):
            return Cause.DRIFT
        if old is new is None and self.exclusive and key not in self.marked:
            return Cause.DRIFT  # somebody added it to a zone that is all OttO's
        return Cause.FOLLOW if self._follows(before, key, old, new) else Cause.SPEC

    def _follows(self, before: Wanted, key: Key, old: RecordSet | None, new: RecordSet | None) -> bool:
        """Whether all that is new is what a site's addresses are: the spec says the same as before."""
        site = self.now.follows.get(key)
        same_ttl = old is None or new is None or old.ttl == new.ttl
        return site is not None and before.follows.get(key) == site and same_ttl


def differences(
    found: ZonePlan, desired: DesiredZone, last: DesiredZone | None = None
) -> tuple[Difference, ...]:
    """Everything that would be changed, sorted by path; records of ownership are nobody's business.

    Args:
        found: what would be changed.
        desired: what should be.
        last: the wish that was put in place last; without one, the spec is the cause of everything.
    """
    wishes = _Wishes.of(found, desired, last)
    share = round(1 / max(1, found.managed), 4)
    told = [_difference(change, wishes.cause(change), share) for change in counted(found)]
    told += _of_the_zone(found, desired, last)
    return tuple(sorted(told, key=lambda item: item.sort_key))


def conflicts(found: ZonePlan, desired: DesiredZone) -> tuple[Difference, ...]:
    """Record sets of others where the spec wants its own: they are told of, and left as they are."""
    wants = wanted(desired.spec, desired.targets).by_key
    return tuple(
        Difference(
            Layer.DNS,
            path_of(item),
            str(wants.get(item.key, _NONE)),
            f"{item}, which is not OttO's",
            Cause.SPEC,
            Severity.WARNING,
        )
        for item in sorted(found.conflicts, key=lambda item: item.key)
    )


def counted(found: ZonePlan) -> tuple[RecordChange, ...]:
    """The changes that count: records that only say whose another one is do not."""
    return tuple(change for change in found.changes if not change.marks)


def without(found: ZonePlan, left: Iterable[Difference]) -> ZonePlan:
    """The plan without the changes that these differences are about."""
    paths = {item.path for item in left}
    kept = tuple(change for change in found.changes if change.marks or path_of(change.record) not in paths)
    return replace(
        found,
        changes=kept,
        dnssec=None if "dnssec" in paths else found.dnssec,
        delegation=None if "delegation" in paths else found.delegation,
        makes_zone=found.makes_zone and "zone" not in paths,
    )


def path_of(record: RecordSet) -> str:
    """The path of a difference about a record set."""
    return f"records/{record.name or '@'}/{record.type}"


def plan(
    found: ZonePlan,
    desired: DesiredZone,
    last: DesiredZone | None = None,
    *,
    asked: bool = False,
) -> Plan:
    """A plan of a zone: its records change, then its nameservers are asked.

    Args:
        found: what would be changed.
        desired: what should be.
        last: the wish that was put in place last.
        asked: whether a person asked for it, whether or not anything differs.
    """
    what = differences(found, desired, last)
    steps = [_step(found)] if found else []
    if steps or asked:
        count = len(wanted(desired.spec, desired.targets).sets)
        steps.append(Step(StepKind.VERIFY, (), (), (f"{count} record sets, on every nameserver",)))
    return Plan(desired.zone, desired.digest, tuple(steps), _circumstances(found, what, asked=asked))


def removal(found: ZonePlan, removing: Removing) -> Plan:
    """The plan that takes all of OttO's records out of a zone that is given up.

    Args:
        found: their removal, as the zone's provider would do it.
        removing: who wants it.
    """
    about = Circumstances(
        causes=("asked",), removing=removing, zone=ZoneCircumstances(found.managed), drifted=(), mends=()
    )
    return Plan(found.zone, "", (_step(found),) if found else (), about)


def _step(found: ZonePlan) -> Step:
    changes = sorted(counted(found), key=lambda change: change.record.address)
    actions = [*_actions_of_the_zone(found), *map(_action, changes)]
    detail = [f"inputs {found.digest}", *map(_line, changes), *_lines_of_the_zone(found)]
    return Step(StepKind.DNS, (), tuple(actions), tuple(sorted(detail)))


def _action(change: RecordChange) -> Action:
    # What goes was in a spec until now, or its site has left: somebody's words ask for it.
    asked = change.kind is ChangeKind.DELETE
    return Action(
        change.record.address,
        _KINDS[change.kind],
        _changed(change),
        reason="takes over what is somebody else's" if change.takes_over else "",
        asked=asked,
        type=RECORD,
    )


def _changed(change: RecordChange) -> tuple[str, ...]:
    before, after = change.before, change.after
    if before is None or after is None:
        return ()
    differs = (("ttl", before.ttl != after.ttl), ("values", before.values != after.values))
    return tuple(name for name, other in differs if other)


def _line(change: RecordChange) -> str:
    return f"{change.record.address}: {_words(change.before)} -> {_words(change.after)}"


def _words(record: RecordSet | None) -> str:
    return _NONE if record is None else str(record)


def _actions_of_the_zone(found: ZonePlan) -> Iterator[Action]:
    if found.makes_zone:
        yield Action("zone", ActionKind.CREATE, type="zone")
    if found.delegation is not None:
        yield Action("delegation", ActionKind.UPDATE, ("nameservers",), type="delegation")
    if found.dnssec is not None:
        yield Action("dnssec", ActionKind.UPDATE, ("signed",), type="dnssec")


def _lines_of_the_zone(found: ZonePlan) -> Iterator[str]:
    if found.delegation is not None:
        before, after = (", ".join(names) or _NONE for names in found.delegation)
        yield f"delegation: {before} -> {after}"
    if found.dnssec is not None:
        yield f"dnssec: {_signed(not found.dnssec)} -> {_signed(found.dnssec)}"


def _signed(on: bool) -> str:
    return "signed" if on else "not signed"


def _difference(change: RecordChange, cause: Cause, share: float) -> Difference:
    severity = Severity.CRITICAL if change.weighs_most else Severity.WARNING
    want, have = _words(change.after), _words(change.before)
    return Difference(Layer.DNS, path_of(change.record), want, have, cause, severity, share)


def _of_the_zone(found: ZonePlan, desired: DesiredZone, last: DesiredZone | None) -> Iterator[Difference]:
    before = last.spec if last else None
    if found.makes_zone:
        cause = Cause.FAILURE if last else Cause.SPEC
        yield Difference(Layer.DNS, "zone", "served", "not there", cause, Severity.CRITICAL)
    if found.delegation is not None:
        have, want = (", ".join(names) or _NONE for names in found.delegation)
        same = before is not None and before.nameservers == desired.spec.nameservers
        cause = Cause.DRIFT if same else Cause.SPEC
        yield Difference(Layer.DNS, "delegation", want, have, cause, Severity.CRITICAL)
    if found.dnssec is not None:
        same = before is not None and before.dnssec == desired.spec.dnssec
        cause = Cause.DRIFT if same else Cause.SPEC
        want, have = _signed(found.dnssec), _signed(not found.dnssec)
        yield Difference(Layer.DNS, "dnssec", want, have, cause, Severity.CRITICAL)


def _circumstances(found: ZonePlan, what: tuple[Difference, ...], *, asked: bool) -> Circumstances:
    causes = {item.path: item.cause for item in what}
    unwished = tuple(sorted(item.path for item in what if item.cause in UNWISHED))

    def addresses(*wanted_causes: Cause) -> tuple[str, ...]:
        return tuple(
            sorted(
                change.record.address
                for change in counted(found)
                if causes[path_of(change.record)] in wanted_causes
            )
        )

    return Circumstances(
        causes=tuple(sorted({item.cause.value for item in what} | ({"asked"} if asked else set()))),
        drifted=(Layer.DNS.value,) if unwished else (),
        mends=unwished,
        zone=ZoneCircumstances(
            found.managed,
            addresses(Cause.FOLLOW),
            addresses(*UNWISHED),
            tuple(sorted(change.record.address for change in counted(found) if change.takes_over)),
        ),
    )
