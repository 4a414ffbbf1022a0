"""`otto images`: list, show, diff, promote, revoke, over the store in memory."""

import asyncio
import json
from dataclasses import replace

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check, schema
from tests.unit.decide.imagery import built, channel, digest, image
from tests.unit.decide.simulation import desired

from otto.model.catalogue import RememberedSpec
from otto.model.history import AuditEntry
from otto.model.host import Host
from otto.model.image import Channel, Image, Package
from otto.model.observed import Applied
from otto.model.spec import HostGroup, Role
from otto.model.status import Phase, SiteStatus
from otto.testing import site_spec

SCHEMAS = ("list", "show", "diff", "promote", "revoke", "prune")


def host(name: str, of: str) -> Host:
    return Host(name, Role.WEB, f"id-{name}", "10.203.0.2", "10.203.0.2", 22, "otto", 80, "ssh-ed25519 A", of)


class Images:
    """A stage whose index holds images that a site follows and runs."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.index = stage.world.store.images
        (stage.home / "otto.db").touch()

    def hold(self, *held: Image | Channel) -> None:
        for one in held:
            asyncio.run(self.index.add(one) if isinstance(one, Image) else self.index.point(one))

    def site(self, name: str, of: str, *runs: tuple[str, str]) -> None:
        """A site whose web servers are to be of an image, and hosts that run one."""
        store = self.stage.world.store
        spec = site_spec(name, web=HostGroup(2, "small", of))
        hosts = tuple(host(name, image) for name, image in runs)
        asyncio.run(store.remember([RememberedSpec(spec, "c0ffee")]))
        status = SiteStatus(name, Phase.READY, self.stage.world.clock.now(), hosts=hosts)
        asyncio.run(store.save_status(status))

    def says(self, *words: str) -> str:
        result = self.stage.otto("images", *words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def tells(self, *words: str) -> dict[str, object]:
        """What it prints as JSON, as its schema says."""
        document = json.loads(self.says(*words, "--json"))
        check(f"images-{words[0]}", document)
        assert isinstance(document, dict)
        return document

    def refuses(self, told: str, *words: str) -> None:
        """One clear error, which changes nothing."""
        before = (self.entries, self.channels)
        result = self.stage.otto("images", *words)
        assert result.exit_code == 1, result.output
        assert told in " ".join(result.stderr.replace("│", " ").split()), result.stderr
        assert (self.entries, self.channels) == before

    @property
    def channels(self) -> dict[str, str]:
        return {f"{one.image}@{one.name}": one.digest for one in asyncio.run(self.index.channels())}

    @property
    def entries(self) -> list[AuditEntry]:
        return [record.entry for record in self.stage.world.ledger.log]


@pytest.fixture
def images(stage: Stage) -> Images:
    found = Images(stage)
    found.hold(image(1), image(2), image(3, "haproxy"), channel(1), channel(2, "candidate"))
    found.site("acme", "nginx", ("acme-web-1", "lab-1"), ("acme-web-2", "lab-1"))
    found.site("shop", "base", ("shop-web-1", "sha256:base"))
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_sound(name: str) -> None:
    assert schema(f"images-{name}")["title"] == f"otto images {name} --json"


def test_before_otto_ever_ran_there_is_nothing_to_list(stage: Stage) -> None:
    result = stage.otto("images", "list")
    assert result.exit_code == 1
    assert "OttO has not run" in result.stderr


def test_an_empty_index_says_how_to_fill_it(stage: Stage) -> None:
    found = Images(stage)
    assert found.says("list") == "there are no images; to build some: otto images build\n"
    assert found.tells("list") == {"images": []}


def test_images_are_listed_newest_first_with_who_uses_them(images: Images) -> None:
    lines = images.says("list").splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["IMAGE", "DIGEST"],
        ["haproxy", "030303030303"],
        ["nginx", "020202020202"],
        ["nginx", "010101010101"],
    ]
    assert "stable" in lines[3]
    assert lines[3].split()[-2:] == ["1", "2"]
    assert max(map(len, lines)) <= 80


def test_images_of_one_name_are_listed(images: Images) -> None:
    found = images.tells("list", "nginx")["images"]
    assert isinstance(found, list)
    assert [item["digest"] for item in found] == [digest(2), digest(1)]
    assert found[1]["sites"] == ["acme"]
    assert found[1]["hosts"] == ["acme-web-1", "acme-web-2"]
    assert "no image is called mail" in images.says("list", "mail")


def test_what_is_the_matter_with_an_image_is_listed(images: Images) -> None:
    images.hold(image(4, revoked="CVE-1\x1b[31m"), image(5, artifacts=built(passed=False)))
    said = " ".join(images.says("list").split())
    assert "revoked:" in said
    assert "\x1b" not in said
    assert "smoke test" in said


def test_an_image_shows_where_it_comes_from_and_who_uses_it(images: Images) -> None:
    said = " ".join(images.says("show", "nginx").split())
    for words in (
        digest(1).removeprefix("sha256:"),
        "stable, since",
        "by ada: it was fine",
        "1 site: acme",
        "2 hosts: acme-web-1, acme-web-2",
        "passed in 1.5s",
        "GET / -> 200",
        "from roles r1",
    ):
        assert words in said
    assert "zlib1g" not in said
    assert "zlib1g" in images.says("show", "nginx", "--packages")


def test_an_image_as_data(images: Images) -> None:
    document = images.tells("show", "010101")
    assert document["digest"] == digest(1)
    assert document["inputs"] == {"template": "t1", "roles": "r1"}
    assert document["packages"] == [
        {"name": "nginx", "version": "1.22", "architecture": "amd64", "source": ""},
        {"name": "zlib1g", "version": "1.2", "architecture": "amd64", "source": ""},
    ]


def test_the_bill_of_materials_comes_as_it_was_made(images: Images) -> None:
    images.hold(image(6, sbom='{"bomFormat": "CycloneDX", "components": [{"name": "nginx"}]}'))
    document = json.loads(images.says("show", digest(6), "--sbom"))
    assert document == {"bomFormat": "CycloneDX", "components": [{"name": "nginx"}]}


def test_a_missing_bill_of_materials_is_told(images: Images) -> None:
    images.refuses("no CycloneDX document is kept of image nginx 010101010101", "show", "nginx", "--sbom")


def test_what_differs_between_two_images(images: Images) -> None:
    images.hold(image(7, packages=(Package("nginx", "1.24", "amd64"), Package("libc6", "2", "amd64"))))
    said = images.says("diff", "nginx", digest(7))
    assert said.splitlines() == [
        "packages (1 added, 1 removed, 1 changed)",
        "  + libc6 2",
        "  ~ nginx 1.22 -> 1.24",
        "  - zlib1g 1.2",
    ]
    document = images.tells("diff", "nginx", digest(7))
    assert document["packages"] == {
        "added": {"libc6": "2"},
        "removed": {"zlib1g": "1.2"},
        "changed": [{"name": "nginx", "before": "1.22", "after": "1.24"}],
    }
    assert images.stage.otto("images", "diff", "nginx", digest(7), "--exit-code").exit_code == 4


def test_digests_are_shortened_where_they_differ(images: Images) -> None:
    before, after = {"/etc/x": "a" * 64}, {"/etc/x": "b" * 64}
    images.hold(image(7, files=before), image(8, files=after))
    assert f"~ /etc/x {'a' * 12} -> {'b' * 12}" in images.says("diff", digest(7), digest(8))


def test_images_that_are_alike_differ_in_nothing(images: Images) -> None:
    assert "differ in nothing" in images.says("diff", "nginx", "nginx@candidate")
    assert images.stage.otto("images", "diff", "nginx", "nginx", "--exit-code").exit_code == 0


def test_a_candidate_becomes_stable(images: Images) -> None:
    said = images.says("promote", "nginx", "--by", "ada", "--reason", "a week without trouble")
    assert "nginx@stable points at 020202020202, from 010101010101; followed by 1 site: acme" in said
    assert "no controller is running" in said
    assert images.channels["nginx@stable"] == digest(2)
    (entry,) = images.entries
    assert (entry.what, entry.who, entry.site, entry.reason) == (
        "promote",
        "ada",
        "",
        "a week without trouble",
    )
    assert entry.detail["digest"] == digest(2)


def test_the_same_promotion_again_is_nothing_to_do(images: Images) -> None:
    images.says("promote", "nginx")
    said = images.says("promote", "nginx")
    assert said == "nothing to do: nginx@stable points at 020202020202 already\n"
    assert len(images.entries) == 1


def test_any_image_goes_to_any_channel(images: Images) -> None:
    document = images.tells("promote", digest(2), "--to", "canary")
    assert document["before"] is None
    assert document["sites"] == []
    images.says("promote", "nginx@candidate", "--to", "stable")
    images.says("promote", "010101", "--to", "stable")
    assert images.channels == {
        "nginx@candidate": digest(2),
        "nginx@canary": digest(2),
        "nginx@stable": digest(1),
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mail"], "there is no image mail"),
        (["haproxy"], "image haproxy has no channel candidate (channels: none) (otto images build haproxy"),
        (["nginx", "--to", "No!"], "no channel can be called"),
        (["nginx@odd"], "image nginx has no channel odd"),
        (["abcdef"], "there is no image abcdef"),
        (["nginx", "--reason", "x" * 501], "the reason is 501 characters long"),
    ],
)
def test_what_cannot_be_promoted_is_told(images: Images, words: list[str], told: str) -> None:
    result = images.stage.otto("images", "promote", *words)
    assert result.exit_code == 1
    said = " ".join(result.stderr.replace("│", " ").split())
    assert told.partition(" (otto")[0] in said
    assert images.entries == []


def test_an_image_that_failed_its_smoke_test_is_not_promoted(images: Images) -> None:
    images.hold(image(8, artifacts=built(passed=False)), channel(8, "candidate"))
    images.refuses("did not pass its smoke test at any provider", "promote", "nginx")


def test_revoking_tells_what_waits_and_what_still_runs(images: Images) -> None:
    said = images.says("revoke", "010101", "--reason", "CVE-1", "--by", "ada")
    assert "image nginx 010101010101 must not be used any more" in said
    assert "to move it: otto images promote 020202020202 --to stable" in said
    assert "waiting for another image: 1 site: acme" in said
    assert "still running it: 2 hosts: acme-web-1, acme-web-2" in said
    assert images.channels["nginx@stable"] == digest(1)
    assert [(entry.what, entry.who, entry.reason) for entry in images.entries] == [("revoke", "ada", "CVE-1")]
    images.refuses("is revoked: CVE-1", "promote", digest(1), "--to", "canary")


def test_a_channel_goes_back_when_what_it_points_at_is_revoked(images: Images) -> None:
    images.says("promote", "nginx", "--by", "ada")
    document = images.tells("revoke", digest(2), "--reason", "CVE-2", "--by", "bob")
    assert document["moved"] == [{"channel": "stable", "digest": digest(1), "before": digest(2)}]
    assert document["channels"] == ["candidate"]
    assert images.channels == {"nginx@candidate": digest(2), "nginx@stable": digest(1)}
    assert [(entry.what, entry.who) for entry in images.entries[1:]] == [
        ("revoke", "bob"),
        ("promote", "bob"),
    ]
    assert images.entries[2].reason == "020202020202 was revoked: CVE-2"
    # Said again, it finds nothing left to do.
    assert images.tells("revoke", digest(2), "--reason", "CVE-2")["moved"] == []
    assert len(images.entries) == 3


def test_a_channel_that_went_back_is_told_of_with_its_sites(images: Images) -> None:
    images.says("promote", "nginx")
    said = images.says("revoke", "020202", "--reason", "CVE-2")
    assert "nginx@stable points at 010101010101, from 020202020202; followed by 1 site: acme" in said
    assert "nginx@candidate still points at it" in said


def test_a_revocation_that_was_cut_off_before_the_channel_moved_is_finished_by_saying_it_again(
    images: Images,
) -> None:
    images.says("promote", "nginx")
    asyncio.run(images.index.revoke(digest(2), "CVE-2"))
    document = images.tells("revoke", digest(2), "--reason", "CVE-2")
    assert (document["changed"], len(images.entries)) == (False, 2)
    assert images.channels["nginx@stable"] == digest(1)


@pytest.mark.parametrize("name", ["nginx", "nginx@candidate"])
def test_what_is_revoked_is_named_by_its_digest(images: Images, name: str) -> None:
    digits = "010101010101" if name == "nginx" else "020202020202"
    images.refuses(
        f"{name} follows a channel, which moves mend: name the image itself: {digits}",
        *("revoke", name, "--reason", "CVE-1"),
    )
    images.says("revoke", f"nginx@{digest(1)}", "--reason", "CVE-1")


def test_revoking_as_data(images: Images) -> None:
    document = images.tells("revoke", digest(1), "--reason", "CVE-1")
    assert document["channels"] == ["stable"]
    assert (document["sites"], document["hosts"]) == (["acme"], ["acme-web-1", "acme-web-2"])
    assert (document["changed"], document["revoked"]) == (True, "CVE-1")


def test_revoking_what_nobody_uses_says_so_in_one_line(images: Images) -> None:
    assert len(images.says("revoke", digest(3), "--reason", "CVE-1").splitlines()) == 1


def test_the_same_revocation_again_is_not_recorded_twice(images: Images) -> None:
    images.says("revoke", "010101", "--reason", "CVE-1")
    images.says("revoke", "010101", "--reason", "CVE-1")
    assert len(images.entries) == 1


def test_a_revocation_is_taken_back(images: Images) -> None:
    images.refuses("is not revoked", "revoke", "010101", "--undo", "--reason", "a mistake")
    images.says("revoke", "010101", "--reason", "CVE-1")
    assert "may be used again" in images.says("revoke", "010101", "--undo", "--reason", "the wrong one")
    assert [entry.what for entry in images.entries] == ["revoke", "unrevoke"]
    images.says("promote", digest(1), "--to", "canary")


@pytest.mark.parametrize("words", [["010101"], ["010101", "--reason", " "]])
def test_a_revocation_needs_a_reason(images: Images, words: list[str]) -> None:
    assert images.stage.otto("images", "revoke", *words).exit_code in (1, 2)
    assert images.entries == []


def test_nobody_better_is_nobody_named(images: Images) -> None:
    images.says("revoke", "020202", "--reason", "CVE-1")
    said = images.says("revoke", "010101", "--reason", "CVE-1")
    assert "otto images promote DIGEST --to stable" in said


def test_a_revoked_image_shows_why(images: Images) -> None:
    images.hold(replace(image(9), revoked="CVE-9"))
    assert "CVE-9" in images.says("show", digest(9))


def test_needless_images_are_removed_after_a_question(images: Images) -> None:
    refused = images.stage.otto("images", "prune", "--keep", "0")
    assert refused.exit_code == 1
    assert "nothing was removed: nobody is there to ask" in refused.stderr
    document = images.tells("prune", "--keep", "0", "--yes")
    assert document == {"pruned": [{"name": "haproxy", "digest": digest(3)}], "failed": {}, "kept": 0}
    assert [entry.what for entry in images.entries] == ["prune"]
    assert images.says("prune", "--keep", "0") == "every image is needed: nothing was removed\n"


@pytest.mark.parametrize("which", ["desired", "previous"])
def test_what_a_site_was_put_in_place_with_stays_and_what_it_had_before(images: Images, which: str) -> None:
    wish = replace(desired(), images={"balancer": "lab-3"})
    applied = Applied(**{which: wish})  # type: ignore[arg-type]
    asyncio.run(images.stage.world.store.save_applied("acme", applied))
    assert images.says("prune", "--keep", "0", "--yes") == "every image is needed: nothing was removed\n"


def test_an_image_that_a_host_runs_on_unknown_to_us_stays(images: Images) -> None:
    images.stage.world.builder.used.add("lab-3")
    result = images.stage.otto("images", "prune", "--keep", "0", "--yes")
    assert result.exit_code == 1
    assert "not removed: 030303030303: a host runs on lab-3" in result.stderr
    assert images.says("prune", "--yes") == "every image is needed: nothing was removed\n"
