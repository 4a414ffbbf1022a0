"""Nameservers of a domain at its registrar: Route 53 Domains."""

import time
from collections.abc import Mapping
from typing import Any

from otto.adapters.dns import aws
from otto.adapters.dns.access import Access
from otto.adapters.dns.faults import translated
from otto.model.domain import DomainSpec
from otto.model.errors import StaleError, TerminalError, TransientError

_SERVICE = "route53domains"
_WAIT = 60.0
_DONE, _FAILED = "SUCCESSFUL", ("ERROR", "FAILED")


def nameservers(domain: DomainSpec, access: Access) -> tuple[str, ...]:
    """What the registrar has.

    Raises:
        OttoError: it does not answer, refuses, or does not know the domain.
    """
    found: tuple[str, ...] = _asked(domain, lambda: _nameservers(_client(access), domain.name))
    return found


def change(
    domain: DomainSpec,
    delegation: tuple[tuple[str, ...], tuple[str, ...]],
    glue: Mapping[tuple[str, str], tuple[str, ...]],
    access: Access,
) -> None:
    """Have the registrar name other nameservers, and wait a while until it has.

    Args:
        domain: whose.
        delegation: nameservers before and after.
        glue: addresses of those inside the zone, by (name, type).
        access: with AWS's credentials.

    Raises:
        StaleError: it has others by now than before.
        TransientError: it is not done yet.
        OttoError: it refuses, or does not answer.
    """
    _asked(domain, lambda: _change(domain.name, delegation, glue, _client(access)))


def _asked(domain: DomainSpec, work: Any) -> Any:  # noqa: ANN401
    try:
        return work()
    except Exception as error:
        raise translated(error, _SERVICE, domain.name) from error


def _client(access: Access) -> Any:  # noqa: ANN401
    return aws.client(_SERVICE, access)


def _nameservers(client: Any, name: str) -> tuple[str, ...]:  # noqa: ANN401
    detail = client.get_domain_detail(DomainName=name)
    return tuple(sorted(each["Name"].removesuffix(".").lower() for each in detail.get("Nameservers", ())))


def _change(
    name: str,
    delegation: tuple[tuple[str, ...], tuple[str, ...]],
    glue: Mapping[tuple[str, str], tuple[str, ...]],
    client: Any,  # noqa: ANN401
) -> None:
    before, after = delegation
    if _nameservers(client, name) != before:
        raise StaleError(
            f"{name}: its nameservers at the registrar moved on since it was planned", mend="plan again"
        )
    wanted = [_nameserver(each, glue) for each in after]
    started = client.update_domain_nameservers(DomainName=name, Nameservers=wanted)
    until = time.monotonic() + _WAIT
    while time.monotonic() < until:
        detail = client.get_operation_detail(OperationId=started["OperationId"])
        if detail["Status"] == _DONE:
            return
        if detail["Status"] in _FAILED:
            raise TerminalError(
                f"{name}: the registrar could not change the nameservers: {detail.get('Message', '')}",
                mend="see the domain in the registrar's console",
            )
        time.sleep(1.0)
    raise TransientError(f"{name}: the registrar is still changing the nameservers", retry_after=_WAIT)


def _nameserver(name: str, glue: Mapping[tuple[str, str], tuple[str, ...]]) -> dict[str, object]:
    addresses = [value for type_ in ("A", "AAAA") for value in glue.get((name, type_), ())]
    return {"Name": name, "GlueIps": addresses} if addresses else {"Name": name}
