"""octoDNS's provider for Route 53, with limits of time and an address of choice."""

from typing import Any

from octodns_route53 import Route53Provider

from otto.adapters.dns import aws
from otto.adapters.dns.access import Access


class Route53(Route53Provider):  # type: ignore[misc]  # octoDNS has no types
    """Public zones at Route 53; each request of a plan's changes is atomic.

    Args:
        access: with AWS's credentials.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        # Not by name: octoDNS would take `example.org.uk.` for `example.org.` where there is only the former.
        super().__init__("otto", get_zones_by_name=False, private=False, root_ns_warnings=False)
        # They belong to records that no spec of ours can hold: octoDNS need not look for, or tidy, any.
        self._health_checks: dict[str, object] = {}

    def client(self, service_name: str, *_: object, **__: object) -> Any:  # noqa: ANN401
        """A connection; octoDNS's own has no limits."""
        return aws.client(service_name, self._access)

    def _apply(self, plan: Any) -> None:  # noqa: ANN401
        if not plan.changes:  # a zone alone: octoDNS would send an empty batch, which is none
            self._get_zone_id(plan.desired.name, create=True)
            return
        super()._apply(plan)
