"""A machine that a person declared is configured and asked as any other, by its pinned key alone."""

from dataclasses import replace

import pytest

from otto.decide.hosts import as_host
from otto.model.declared import DeclaredHost
from otto.model.observed import Seen, Unseen
from otto.model.progress import silent

from .conftest import PAGES, Site

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]


async def test_a_declared_machine_is_configured_and_joins_the_balancer(ready: Site) -> None:
    standing, other = ready.fleet.web
    balancer = ready.fleet.balancers[0]
    key = " ".join(other.host_key.split()[:2])
    spec = DeclaredHost("old1", other.address, key, site="shop", ssh_user=other.ssh_user)
    machine = as_host(spec)
    changes = {"backends": (standing, machine), "digests": {"old1": "new", balancer.name: "other"}}
    try:
        result = await ready.ansible.configure(ready.request(hosts=(machine, balancer), **changes), silent)
        assert not result.failed, result
        facts = await ready.facts((machine, balancer))
        assert isinstance(facts["old1"], Seen)
        assert facts["old1"].value.configuration == "new"
        assert facts["old1"].value.services["nginx"] == "active"
        assert set(facts[balancer.name].value.backends) == {standing.name, "old1"}
        stranger = as_host(replace(spec, name="old2", host_key=standing.host_key))
        found = await ready.facts((stranger,))
        assert isinstance(found["old2"], Unseen)
    finally:
        again = await ready.ansible.configure(ready.request(), silent)
        assert not again.failed
        assert not (await ready.deploy("one", PAGES)).failed
