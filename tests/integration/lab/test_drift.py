"""What others do to hosts shows as drift, and is mended or refused."""

import subprocess
from collections.abc import Callable

import pytest

from otto.lab.lab import Lab
from otto.lab.sizes import MIB, Limits

from .conftest import MakeSite, Site

pytestmark = pytest.mark.lab
Podman = Callable[..., str]


@pytest.mark.parametrize(
    ("meddle", "drift"),
    [
        (["kill"], 'state           = "exited" -> "running"'),
        (["pause"], 'state           = "paused" -> "running"'),
        (["rename", "{}", "mine"], 'container       = "mine" -> "otto-'),
        (["network", "disconnect", "{network}", "{}"], "connected       = false -> true"),
    ],
)
def test_meddling_is_seen_and_mended_in_place(
    site: Site, podman: Podman, meddle: list[str], drift: str
) -> None:
    before = site.host()
    names = {"network": f"otto-{site.lab.owner}-shop"}
    words = [word.format(site.container(), **names) for word in meddle]
    podman(*words, *([] if "{}" in meddle else [site.container()]))
    assert drift in site.terraform("plan").said
    assert site.plan() == {"shop-web-1": ("update",)}
    site.apply()
    assert site.plan() == {}
    assert site.host() == before
    assert site.ssh(before, "hostname").said == "shop-web-1"


def test_changed_limits_are_seen(lab: Lab, site: Site) -> None:
    lab.api().limit_container(site.container(), Limits(0.25, 300 * MIB))
    said = site.terraform("plan").said
    assert '"0.25 CPU, 300 MiB" -> "small"' in said
    site.apply()
    assert site.plan() == {}


def test_a_removed_host_is_made_anew_where_it_was(site: Site, podman: Podman) -> None:
    before = site.host()
    podman("rm", "-f", site.container())
    assert site.plan() == {"shop-web-1": ("create",)}
    site.apply()
    after = site.host()
    assert after["address"] == before["address"]
    assert after["id"] != before["id"]
    assert site.ssh(after, "hostname").said == "shop-web-1"


def test_a_host_whose_address_the_engine_keeps_gets_a_spare_one(site: Site, podman: Podman) -> None:
    """As Podman does now and then: it believes the address in use by a container that it has removed."""
    address = site.host()["address"]
    podman("rm", "-f", site.container())
    network, squatter = f"otto-{site.lab.owner}-shop", f"{site.container()}-squatter"
    image = site.lab.status().image
    labels = ("--label", f"otto.owner={site.lab.owner}x")
    podman(
        "run", "-d", "--name", squatter, "--network", network, "--ip", address, *labels, image, "/sbin/init"
    )
    try:
        site.apply()
        after = site.host()
        assert after["address"].endswith(".254")
        assert site.ssh(after, "hostname").said == "shop-web-1"
        assert site.plan() == {}
    finally:
        podman("rm", "-f", "-t", "0", squatter)
        podman("rm", "-f", "-t", "0", site.container())


def test_a_removed_network_is_made_anew_with_its_hosts(site: Site, podman: Podman) -> None:
    podman("network", "rm", "-f", f"otto-{site.lab.owner}-shop")
    assert site.plan() == {"site": ("create",), "shop-web-1": ("create",)}
    site.apply()
    assert site.plan() == {}


def test_an_engine_that_is_gone_is_an_error_and_no_drift(site: Site) -> None:
    site.lab.down()
    done = site.terraform("plan")
    assert done.status == 1
    assert "no answer" in done.said
    assert "Mend: otto lab up" in done.said
    site.lab.up()
    assert site.plan() == {}


def test_what_exists_already_is_never_made_twice(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "clash")
    site.apply()
    (site.folder / "terraform.tfstate").unlink()
    network = site.terraform("apply", "-auto-approve")
    assert network.status == 1
    assert f"network otto-{lab.owner}-clash exists already" in " ".join(network.said.split())
    site.terraform("import", "module.site.lab_network.site", f"otto-{lab.owner}-clash")
    host = site.terraform("apply", "-auto-approve")
    assert host.status == 1
    assert f"container {site.container()} exists already" in " ".join(host.said.split())
    assert "terraform import" in host.said
    assert len(lab.hosts("clash")) == 1


def test_a_lost_state_is_found_again_by_import(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "lost")
    site.variables["web"]["count"] = 2
    site.apply()
    before = (site.host(1), site.host(2))
    (site.folder / "terraform.tfstate").unlink()
    for resource in lab.resources("lost"):
        assert resource.ours
        done = site.terraform("import", f"module.site.{resource.address}", resource.id)
        assert done.status == 0, done.said
    assert site.plan() == {}
    site.apply()
    assert (site.host(1), site.host(2)) == before


def test_importing_what_is_not_there_is_refused(site: Site) -> None:
    done = site.terraform("import", 'module.site.lab_host.hosts["shop-web-1"]', "no-such-container")
    assert done.status == 1
    site.terraform("state", "rm", 'module.site.lab_host.hosts["shop-web-1"]')
    done = site.terraform("import", 'module.site.lab_host.hosts["shop-web-1"]', "no-such-container")
    assert "there is no container no-such-container" in done.said


def test_foreign_things_with_a_sites_names_are_told(lab: Lab, make_site: MakeSite, podman: Podman) -> None:
    site = make_site(lab, "squat")
    podman("create", "--name", site.container(), lab.status().image)
    try:
        [found] = lab.resources("squat")
        assert (found.ours, found.host) == (False, "squat-web-1")
        done = site.terraform("apply", "-auto-approve")
        assert "exists already (not made by OttO, created)" in " ".join(done.said.split())
    finally:
        podman("rm", "-f", site.container())


def test_a_host_that_does_not_come_up_leaves_nothing(lab: Lab, make_site: MakeSite, podman: Podman) -> None:
    site = make_site(lab, "sick")
    tag = "localhost/otto-lab-sick:1"
    script = f"FROM {lab.status().image}\nRUN ln -sf /bin/false /sbin/init\n"
    done = subprocess.run(
        ["podman", "build", "-q", "--isolation=chroot", "-t", tag, "-f", "-"],
        input=script,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    try:
        site.variables["web"]["image"] = tag
        said = site.terraform("apply", "-auto-approve")
        assert said.status == 1
        assert "did not boot" in said.said
        assert lab.hosts("sick") == ()
    finally:
        podman("rmi", tag)


def test_a_missing_image_is_told_before_anything_is_made(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "bare")
    site.variables["web"]["image"] = "localhost/none:1"
    done = site.terraform("apply", "-auto-approve")
    assert done.status == 1
    assert "the lab has no image localhost/none:1" in " ".join(done.said.split())
    assert lab.resources("bare") == ()
