"""What counts as a collapse of desired state, and how it is told."""

from otto.decide.collapse import collapsed
from otto.model.policy import Collapse
from otto.model.spec import HostGroup, SiteSpec
from otto.testing import site_spec


def fleet(sites: int, web: int) -> dict[str, SiteSpec]:
    group = HostGroup(web, "small", "base")
    return {f"site-{n}": site_spec(f"site-{n}", web=group) for n in range(sites)}


def reason(before: dict[str, SiteSpec], after: dict[str, SiteSpec], limits: Collapse) -> str:
    found = collapsed(before, after, frozenset(), limits)
    return found.reason if found else ""


def test_specs_collapse_over_either_limit() -> None:
    ten, eight = fleet(10, 1), fleet(8, 1)
    words = "2 specs of 10 vanished in one step"
    assert reason(ten, eight, Collapse(1, 1.0)) == f"{words} (allowed: 1, or 100%)"
    assert reason(ten, eight, Collapse(9, 0.1)) == f"{words} (allowed: 9, or 10%)"
    assert reason(ten, eight, Collapse(2, 0.2)) == ""


def test_hosts_collapse_over_both_limits() -> None:
    big, small = fleet(2, 9), fleet(2, 5)
    words = "2 sites lost 8 of 20 wanted hosts in one step"
    assert reason(big, small, Collapse(3, 0.34)) == f"{words} (allowed: 3, or 34% if that is more)"
    assert reason(big, small, Collapse(3, 0.4)) == ""
    assert reason(big, small, Collapse(8, 0.1)) == ""
