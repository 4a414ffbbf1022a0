"""DigitalOcean, Google Cloud DNS and PowerDNS, against servers that speak their APIs: one life on each."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.dns.apis import (
    API_KEY,
    TOKEN,
    Api,
    DigitalOceanApi,
    GoogleApi,
    PowerDnsApi,
    RefusalError,
    throttled,
)
from tests.integration.dns.nameserver import OWNER
from tests.integration.dns.specs import applied, changed, domain, planned, record

from otto.adapters.dns import engine
from otto.adapters.dns.access import Access, Server
from otto.adapters.dns.faults import translated
from otto.model.domain import DnsProvider, DomainSpec, Record
from otto.model.errors import OttoError, StaleError, TerminalError, TransientError
from otto.model.progress import silent

APIS: dict[str, type[Api]] = {
    "digitalocean": DigitalOceanApi,
    "googlecloud": GoogleApi,
    "powerdns": PowerDnsApi,
}
REFUSED = RefusalError(500, {"id": "server_error", "message": "Unexpected server-side error"})
Reach = tuple[Api, Access, Callable[..., DomainSpec]]

RECORDS = (
    record("", "MX", "10 mail.example.org."),
    record("", "TXT", '"v=spf1 -all; x"'),
    record("", "CAA", '0 issue "ca.example.net"'),
    record("*", "A", "192.0.2.1", "192.0.2.2"),
    record("_sip._tcp", "SRV", "10 20 5060 sip.example.org."),
    record("alias", "CNAME", "www.example.org."),
    record("sub", "NS", "ns1.example.net.", "ns2.example.net."),
    record("www", "AAAA", "2001:db8::1"),
)


@pytest.fixture(params=sorted(APIS))
def reach(request: pytest.FixtureRequest) -> Iterator[Reach]:
    """An API, how it is reached, and specs of a zone there."""
    with reached(request.param) as found:
        yield found


@contextlib.contextmanager
def reached(name: str) -> Iterator[Reach]:
    provider = DnsProvider(name)
    with warnings.catch_warnings(), APIS[name]().serving() as api:
        warnings.simplefilter("ignore")  # of Google's libraries about Python, when they are loaded

        def spec(*records: Record, **more: Any) -> DomainSpec:
            return replace(domain(*records, name="example.org", **more), provider=provider)

        credentials = {"digitalocean": TOKEN, "powerdns": API_KEY}.get(name, "")
        endpoint = f"{api.url}/v2" if provider is DnsProvider.DIGITALOCEAN else api.url
        access = Access(OWNER, credentials=credentials, endpoints={name: endpoint})
        if isinstance(api, GoogleApi):
            access = replace(access, credentials=api.credentials())
        if isinstance(api, PowerDnsApi):
            access = replace(access, server=Server("127.0.0.1", api.port), endpoints={})
        yield api, access, spec


def changes(method: str, path: str) -> bool:
    """Whether a request changes something."""
    return method != "GET" and path != "/token"


def refusing_after(most: int) -> Callable[[str, str], RefusalError | None]:
    """Let so many requests change something, and no more."""
    left = iter(range(most))
    return lambda method, path: REFUSED if changes(method, path) and next(left, None) is None else None


def failing(work: Callable[[], object], spec: DomainSpec) -> OttoError:
    """The error that something ends with, as a worker tells it."""
    try:
        work()
    except Exception as error:  # noqa: BLE001
        return translated(error, spec.provider.value, spec.name)
    raise AssertionError("nothing went wrong")


def test_a_zone_is_made_filled_read_back_and_emptied(reach: Reach) -> None:
    _, access, spec = reach
    plan = applied(spec(*RECORDS), access)
    assert plan.makes_zone
    assert len(changed(plan)) == len(RECORDS)
    again = planned(spec(*RECORDS), access)
    assert not again, again.changes
    assert again.managed == len(RECORDS)
    emptied = applied(spec(), access)
    assert set(changed(emptied).values()) == {"delete"}
    assert len(changed(emptied)) == len(RECORDS)
    assert not planned(spec(), access)
    assert engine.read(spec(), access).exists


def test_more_records_than_a_page_holds_are_all_seen(reach: Reach) -> None:
    _, access, spec = reach
    many = [record(f"host-{number:04d}", "A", "192.0.2.1") for number in range(130)]
    applied(spec(*many), access)
    again = planned(spec(*many), access)
    assert not again
    assert again.managed == 130


def test_records_of_others_are_left_alone_and_two_owners_conflict(reach: Reach) -> None:
    _, access, spec = reach
    applied(spec(record("www", "A", "192.0.2.1")), replace(access, owner="somebody"))
    plan = applied(spec(record("www", "A", "192.0.2.2"), record("api", "A", "192.0.2.2")), access)
    assert changed(plan) == {"api A": "create"}
    assert {item.address for item in plan.conflicts} == {"www A", "_owner.a.www TXT"}
    assert not planned(spec(record("www", "A", "192.0.2.1")), replace(access, owner="somebody"))


def test_a_change_since_the_plan_is_noticed_before_anything_is_done(reach: Reach) -> None:
    api, access, spec = reach
    applied(spec(record("www", "A", "192.0.2.1")), access)
    wish = spec(record("www", "A", "192.0.2.2"), record("api", "A", "192.0.2.2"))
    plan = planned(wish, access)
    applied(spec(record("www", "A", "192.0.2.66")), access)
    before = len(api.calls)
    with pytest.raises(StaleError, match=r"www A is 192\.0\.2\.66"):
        engine.apply(wish, plan, access, silent)
    assert all(call.startswith("GET") or "/token" in call for call in api.calls[before:])


def test_a_name_turns_from_address_to_alias(reach: Reach) -> None:
    _, access, spec = reach
    applied(spec(record("www", "A", "192.0.2.1")), access)
    wish = spec(record("www", "CNAME", "elsewhere.example.net."))
    assert changed(applied(wish, access)) == {"www A": "delete", "www CNAME": "create"}
    assert not planned(wish, access)


def test_wrong_credentials_are_told_and_never_shown(reach: Reach) -> None:
    api, access, spec = reach
    wrong = replace(access, credentials="dop_v1_wrong")
    if isinstance(api, GoogleApi):
        wrong = replace(access, credentials='{"project_id": "x", "private_key": "dop_v1_wrong"}')
    error = failing(lambda: planned(spec(), wrong), spec())
    assert isinstance(error, TerminalError)
    assert "spec.credentials" in error.mend
    assert "dop_v1_wrong" not in str(error)


def test_too_many_requests_are_waited_out_and_what_is_left_is_done_then(reach: Reach) -> None:
    api, access, spec = reach
    wish = spec(record("www", "A", "192.0.2.1"), record("api", "A", "192.0.2.1"))
    applied(spec(record("old", "A", "192.0.2.1")), access)
    plan = planned(wish, access)
    refusal = GoogleApi.throttled() if isinstance(api, GoogleApi) else throttled(90)
    api.refuse = lambda method, path: refusal if changes(method, path) else None
    error = failing(lambda: engine.apply(wish, plan, access, silent), wish)
    assert isinstance(error, TransientError)
    assert not isinstance(error, StaleError)
    assert error.retry_after
    if isinstance(api, DigitalOceanApi):
        assert 60 < error.retry_after <= 90
    api.refuse = lambda _method, _path: None
    applied(wish, access)
    assert not planned(wish, access)


def test_a_provider_that_fails_is_tried_again_later(reach: Reach) -> None:
    api, access, spec = reach
    applied(spec(record("old", "A", "192.0.2.1")), access)
    wish = spec(record("www", "A", "192.0.2.1"))
    plan = planned(wish, access)
    api.refuse = lambda method, path: (
        RefusalError(503, {"message": "later"}) if changes(method, path) else None
    )
    error = failing(lambda: engine.apply(wish, plan, access, silent), wish)
    assert type(error) is TransientError


def test_an_alias_goes_where_the_provider_has_it(reach: Reach) -> None:
    api, access, spec = reach
    wish = spec(record("", "ALIAS", "elsewhere.example.net."))
    if isinstance(api, DigitalOceanApi):
        error = failing(lambda: planned(wish, access), wish)
        assert isinstance(error, TerminalError)
        assert "ALIAS records not supported" in error.message
        return
    applied(wish, access)
    assert not planned(wish, access)


def test_a_digitalocean_apply_that_stops_half_way_is_finished_by_the_next() -> None:
    """Its API knows single records: an ownership record is there before what it is about."""
    with DigitalOceanApi().serving() as api:
        access = Access(OWNER, credentials=TOKEN, endpoints={"digitalocean": f"{api.url}/v2"})
        wish = replace(domain(*RECORDS, name="example.org"), provider=DnsProvider.DIGITALOCEAN)
        applied(replace(wish, records=()), access)
        for stop in range(1, 12):
            plan = planned(wish, access)
            api.refuse = refusing_after(stop)
            with contextlib.suppress(TransientError):
                engine.apply(wish, plan, access, silent)
            api.refuse = lambda _method, _path: None
            names = {(item["name"], item["type"]) for item in api.domains["example.org"].values()}
            for name, type_ in names - {("@", "NS")}:
                if not name.startswith("_owner"):
                    key = f"_owner.{type_.lower()}" + (
                        "" if name == "@" else f".{name}".replace("*", "_wildcard")
                    )
                    assert (key, "TXT") in names
        applied(wish, access)
        assert not planned(wish, access)


@pytest.mark.parametrize("moved", [False, True])
def test_a_googlecloud_apply_that_stops_between_two_requests_is_finished_by_the_next(*, moved: bool) -> None:
    """Each request is atomic, and holds ownership records with what they are about."""
    with reached("googlecloud") as (api, access, spec):
        assert isinstance(api, GoogleApi)
        wish = spec(*(record(f"host-{number:03d}", "A", "192.0.2.1") for number in range(450)))
        applied(spec(), access)
        plan = planned(wish, access)
        there = {"name": "host-449.example.org.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.9"]}
        if moved:
            api.refuse = lambda method, path: _slipped_in(api, there) if path.endswith("/changes/1") else None
        else:
            api.refuse = refusing_after(1)
        error = failing(lambda: engine.apply(wish, plan, access, silent), wish)
        api.refuse = lambda _method, _path: None
        assert type(error) is TransientError
        assert moved == ("of 900 record sets were changed" in error.message)
        rest = planned(wish, access)
        names = {change.record.name for change in rest.changes}
        assert 0 < len(names) < 900
        assert all(f"_owner.a.{name}" in names for name in names if not name.startswith("_owner"))
        engine.apply(wish, rest, access, silent)
        assert [item.address for item in planned(wish, access).conflicts] == ["host-449 A"] * moved


def _slipped_in(api: GoogleApi, record_set: dict[str, Any]) -> None:
    """Somebody else makes a record set while ours are on their way."""
    (zone,) = api.zones
    api.sets[zone][record_set["name"], record_set["type"]] = record_set
