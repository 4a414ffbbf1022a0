"""What a spec wants of a zone, as octoDNS's zone, by octoDNS's rules."""

from octodns.processor.base import ProcessorException
from octodns.record.exception import RecordException
from octodns.record.exception import ValidationError as RecordInvalid
from octodns.zone import Zone as OctoZone
from octodns.zone.exception import ValidationError as ZoneInvalid

from otto.adapters.dns.records import to_record
from otto.decide.dns.marks import excess, is_mark
from otto.decide.dns.names import absolute
from otto.decide.dns.wanted import Wanted
from otto.model.domain import DomainSpec
from otto.model.errors import TerminalError
from otto.model.zone import RecordSet


def desired_zone(domain: DomainSpec, wanted: Wanted) -> OctoZone:
    """The zone that a spec wants, ownership records left out.

    Raises:
        TerminalError: it holds something that no zone may; the place in the spec is told.
    """
    zone = OctoZone(f"{domain.name}.", [])
    for item in wanted.sets:
        _check(domain, item)
        try:
            zone.add_record(to_record(zone, item))
        except (RecordException, RecordInvalid, ProcessorException) as error:
            raise TerminalError(
                f"{_place(domain, item)}: {_reasons(error)}", mend="correct the spec"
            ) from error
    try:
        zone.validate()
    except ZoneInvalid as error:
        raise TerminalError(f"{_file(domain)}: {_reasons(error)}", mend="correct the spec") from error
    return zone


def _check(domain: DomainSpec, item: RecordSet) -> None:
    if is_mark(item.name, item.type):
        raise TerminalError(
            f"{_place(domain, item)}: {item.name} is where OttO writes whose a record is",
            mend="take the record out of the spec",
        )
    if over := excess(item.key, domain.name):
        raise TerminalError(
            f"{_place(domain, item)}: the name is {over} characters too long to have an ownership record",
            mend="shorten the name",
        )


def _place(domain: DomainSpec, item: RecordSet) -> str:
    record = next((record for record in domain.records if record.key == item.key), None)
    pointer = "/spec/nameservers" if record is None else f"/spec/records/{record.place}"
    where = _file(domain, record.line if record else 0)
    return f"{where} {pointer}: {absolute(item.name, domain.name)} {item.type}"


def _file(domain: DomainSpec, line: int = 0) -> str:
    return f"{domain.file}:{line or domain.line}" if domain.file else domain.name


def _reasons(error: Exception) -> str:
    """Why octoDNS refuses something, in one line."""
    reasons = getattr(error, "reasons", None)
    if reasons:
        return "; ".join(str(getattr(reason, "reason", reason)) for reason in reasons)
    return " ".join(str(error).split())
