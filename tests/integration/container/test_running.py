"""The image at work: as any user, with nothing but its volume to write to."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Controller, environment, eventually, fetch, podman, run

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("container")]
SOCKET = "/run/podman/podman.sock"
UNTIL_UP, UNTIL_READY, UNTIL_GONE = 30.0, 90.0, 20.0


@pytest.fixture(scope="module")
def at_work(image: str, owner: str, engine_socket: Path) -> Iterator[Controller]:
    """One that drives the lab through the machine's engine, as a user nobody has heard of."""
    made = Controller(image, owner)
    try:
        made.start(
            "--user", "12345:0", "--volume", f"{engine_socket}:{SOCKET}", settings={"CLOWD_PROVIDERS": "lab"}
        )
        eventually("healthy", made.healthy, UNTIL_UP, made.logs)
        yield made
        made.otto("destroy", "--all", "--yes")
        its = podman("exec", made.name, "cat", "/var/lib/otto/home/owner")
        assert not podman("ps", "--all", "--quiet", "--filter", f"label=otto.owner={its}")
        assert not podman("network", "ls", "--quiet", "--filter", f"label=otto.owner={its}")
    finally:
        _sweep(made)


def _sweep(made: Controller) -> None:
    owner = podman("exec", made.name, "cat", "/var/lib/otto/home/owner", check=False).strip()
    if len(owner) == 8:
        for kind in (("rm", "--force", "--time", "0"), ("network", "rm", "--force")):
            listing = ("network", "ls") if kind[0] == "network" else ("ps", "--all")
            found = podman(*listing, "--quiet", "--filter", f"label=otto.owner={owner}", check=False).split()
            if found:
                podman(*kind, *found, check=False)
    made.remove()


def ready(controller: Controller) -> bool:
    sites = json.loads(controller.otto("status", "--json"))["sites"]
    return [site["phase"] for site in sites] == ["Ready"]


def test_answers_for_its_health(at_work: Controller) -> None:
    assert fetch(f"{at_work.url}/healthz") == (200, '{"status":"ok"}')
    eventually("ready", lambda: fetch(f"{at_work.url}/readyz")[0] == 200, UNTIL_UP, at_work.logs)
    assert podman("healthcheck", "run", at_work.name) == ""


def test_brings_a_site_of_the_lab_up_and_takes_a_push_from_outside(
    at_work: Controller, tmp_path: Path
) -> None:
    eventually("the site is Ready", lambda: ready(at_work), UNTIL_READY, at_work.logs)
    clone = tmp_path / "sites"
    git = ("git", "-c", "protocol.ext.allow=always", "-c", "user.name=ada", "-c", "user.email=ada@localhost")
    run(*git, "clone", "-q", f"ext::podman exec -i {at_work.name} git %s /var/lib/otto/home/specs.git", clone)
    page = clone / "sites" / "hello" / "index.html"
    page.write_text(
        page.read_text(encoding="utf-8").replace("</body>", "<p>from outside</p></body>"), encoding="utf-8"
    )
    run(*git, "-C", clone, "commit", "-q", "-a", "-m", "A word more")
    told = run(*git, "-C", clone, "push", check=False)
    assert "accepted  hello  content changed" in told

    (endpoint,) = json.loads(at_work.otto("status", "--json"))["sites"][0]["endpoints"]

    def served() -> bool:
        return "from outside" in fetch(endpoint["url"], host="hello.test")[1]

    eventually("the page is served", served, UNTIL_UP, at_work.logs)


def test_the_doctor_inside_misses_nothing(at_work: Controller) -> None:
    found = json.loads(at_work.otto("doctor", "--json"))
    assert [check for check in found["checks"] if check["state"] == "fail"] == []
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert states["Lab base image"] == states["Container engine"] == states["Machine's network"] == "ok"


def test_nothing_is_written_but_to_the_volume(at_work: Controller) -> None:
    changed = podman("diff", at_work.name).splitlines()
    assert [
        line
        for line in changed
        if not line.startswith(("C /etc", "A /etc", "C /run", "A /run", "C /var", "A /var/lib"))
    ] == []
    assert "read-only" in podman("exec", at_work.name, "sh", "-c", "touch /x 2>&1 || true").lower()


def test_goes_on_after_it_was_killed_and_stops_in_order_when_told_to(controller: Controller) -> None:
    head = ("exec", controller.name, "git", "-C", "/var/lib/otto/home/specs.git", "rev-parse", "main")
    controller.start(settings={"CLOWD_PROVIDERS": "aws"})
    eventually("healthy", controller.healthy, UNTIL_UP, controller.logs)
    commit = podman(*head)
    podman("kill", "--signal", "KILL", controller.name)
    podman("wait", controller.name, seconds=UNTIL_GONE)

    podman("start", controller.name)
    eventually("healthy again", controller.healthy, UNTIL_UP, controller.logs)
    assert podman(*head) == commit
    podman("kill", "--signal", "TERM", controller.name)
    podman("wait", controller.name, seconds=UNTIL_GONE)
    assert controller.exit_status() == 0
    assert "OttO has stopped" in controller.logs()


def test_is_unhealthy_when_nobody_answers(controller: Controller) -> None:
    asked = [
        "podman",
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "/usr/local/lib/otto/healthy",
        controller.image,
    ]
    assert (
        subprocess.run(asked, env=environment(), capture_output=True, timeout=60, check=False).returncode == 1
    )


def test_says_so_when_it_may_not_write_to_its_volume(controller: Controller) -> None:
    said = podman(
        *(
            "run",
            "--rm",
            "--name",
            controller.name,
            "--network",
            "none",
            "--read-only",
            "--user",
            "12345:12345",
        ),
        *("--volume", f"{controller.name}:/var/lib/otto", controller.image),
        check=False,
    )
    assert "the volume /var/lib/otto cannot be written by user 12345, group 12345" in said
    assert "--user 12345:0" in said
