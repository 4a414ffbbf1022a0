"""Hosts that carry our labels, and that no spec and no state owns."""

from collections.abc import Iterable, Mapping

from otto.model.host import LiveHost


def orphans(
    live: Iterable[LiveHost], wanted: Mapping[str, frozenset[str]], known: Mapping[str, frozenset[str]]
) -> tuple[LiveHost, ...]:
    """Hosts that are nobody's. They cost something and serve nobody; removing them is a person's decision.

    Args:
        live: every host under our owner's labels.
        wanted: site -> names of the hosts its spec in force asks for.
        known: site -> ids of the hosts its Terraform state holds.
    """
    nobody: frozenset[str] = frozenset()
    found = (
        host
        for host in live
        if host.name not in wanted.get(host.site, nobody) and host.id not in known.get(host.site, nobody)
    )
    return tuple(sorted(found, key=lambda host: (host.site, host.name, host.id)))
