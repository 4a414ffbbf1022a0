"""The pool's route, with `ip` told what to say."""

import json
from collections.abc import Sequence
from ipaddress import IPv4Network

from otto.lab import pool
from otto.lab.containers import Network

POOL = IPv4Network("10.203.0.0/16")
ROUTE: dict[str, object] = {"type": "unreachable", "dst": "10.203.0.0/16", "metric": 4000}
BRIDGE: dict[str, object] = {"dst": "10.203.7.0/24", "dev": "podman1"}


class Machine:
    """A routing table, and whether we may change it."""

    def __init__(self, *routes: dict[str, object], root: bool = True) -> None:
        self.routes = list(routes)
        self.root = root

    def ip(self, arguments: Sequence[str]) -> tuple[bool, str]:
        words = list(arguments)
        if "show" in words:
            exact = "exact" in words
            return True, json.dumps([r for r in self.routes if not exact or r == ROUTE])
        if not self.root:
            return False, "RTNETLINK answers: Operation not permitted"
        assert words[2:] == ["unreachable", "10.203.0.0/16", "metric", "4000"]
        self.routes = [r for r in self.routes if r != ROUTE]
        if words[1] == "replace":
            self.routes.append(ROUTE)
        return True, ""


def net(subnet: str, owner: str = "") -> Network:
    return Network("id", "name", {"otto.owner": owner} if owner else {}, (IPv4Network(subnet),))


def test_the_route_is_added_once() -> None:
    machine = Machine()
    assert pool.ensure_route(POOL, machine.ip) == pool.Route(str(POOL), present=True, changed=True)
    assert pool.ensure_route(POOL, machine.ip) == pool.Route(str(POOL), present=True)
    assert machine.routes == [ROUTE]


def test_without_the_right_to_add_it_there_is_a_warning() -> None:
    route = pool.ensure_route(POOL, Machine(root=False).ip)
    assert not route.present
    assert "ip route add unreachable 10.203.0.0/16 metric 4000" in route.warning
    assert "Operation not permitted" in route.warning


def test_it_goes_with_the_last_lab() -> None:
    machine = Machine(ROUTE)
    assert pool.remove_route(POOL, [net("10.88.0.0/16")], machine.ip).changed
    assert machine.routes == []


def test_it_stays_while_another_lab_has_a_network_in_the_pool() -> None:
    machine = Machine(ROUTE)
    route = pool.remove_route(POOL, [net("10.203.9.0/24", "0123abcd")], machine.ip)
    assert route.present
    assert not route.changed


def test_networks_of_others_do_not_hold_it() -> None:
    assert pool.used_by(POOL, [net("10.203.9.0/24"), net("10.88.0.0/16", "0123abcd")]) == ()
    assert pool.used_by(POOL, [net("10.203.9.0/24", "b"), net("10.203.8.0/24", "a")]) == ("a", "b")


def test_it_stays_while_an_interface_lies_in_the_pool() -> None:
    assert pool.remove_route(POOL, [], Machine(ROUTE, BRIDGE).ip).present


def test_there_is_nothing_to_remove() -> None:
    assert pool.remove_route(POOL, [], Machine().ip) == pool.Route(str(POOL), present=False)


def test_without_the_right_to_remove_it_there_is_a_warning() -> None:
    route = pool.remove_route(POOL, [], Machine(ROUTE, root=False).ip)
    assert route.present
    assert "ip route del unreachable" in route.warning
