"""What is read out of an image: packages, files of its own, and what should not be in it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from otto.adapters.packer import contents, dpkg, sbom
from otto.model.errors import TerminalError
from otto.model.image import Image, Package

STATUS = """\
Package: nginx
Status: install ok installed
Version: 1.22.1-9+deb12u3
Architecture: amd64
Conffiles:
 /etc/nginx/nginx.conf {conf}
 /etc/nginx/mime.types {mime}
Description: small, powerful, scalable web/proxy server
 continued
 .
 Status: not a field

Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.36-9)
Version: 2.36-9+deb12u13

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: all
"""


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def system(more: Mapping[str, str]) -> dict[str, str]:
    status = STATUS.format(conf=md5("as packaged"), mime=md5("types"))
    return {
        "var/lib/dpkg/status": status,
        "var/lib/dpkg/info/nginx.md5sums": f"{md5('binary')}  usr/sbin/nginx\n",
        "usr/sbin/nginx": "binary",
        "etc/nginx/mime.types": "types",
        "etc/machine-id": "",
        **more,
    }


def archive(path: Path, files: Mapping[str, str]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_packages_are_those_that_are_installed_sorted_by_name(tmp_path: Path) -> None:
    found = contents.read(archive(tmp_path / "a.tar", system({})))
    assert found.packages == (
        Package("libc6", "2.36-9+deb12u13", "amd64", "glibc"),
        Package("nginx", "1.22.1-9+deb12u3", "amd64", "nginx"),
    )


def test_files_are_those_no_package_brought_as_they_are(tmp_path: Path) -> None:
    more = {"etc/nginx/nginx.conf": "ours", "./etc/otto/new": "new", "var/cache/some": "x", "etc/hosts": "x"}
    found = contents.read(archive(tmp_path / "a.tar", system(more)))
    assert found.files["/etc/nginx/nginx.conf"] == hashlib.sha256(b"ours").hexdigest()
    assert sorted(found.files) == ["/etc/machine-id", "/etc/nginx/nginx.conf", "/etc/otto/new"]


def test_a_clean_image_has_no_leftovers(tmp_path: Path) -> None:
    assert not contents.read(archive(tmp_path / "a.tar", system({}))).leftovers


@pytest.mark.parametrize(
    "path",
    [
        "etc/machine-id",
        "etc/ssh/ssh_host_ed25519_key",
        "etc/ssh/ssh_host_rsa_key.pub",
        "root/.ssh/authorized_keys",
        "home/otto/.ssh/authorized_keys",
        "home/otto/.bash_history",
        "etc/otto/configuration.json",
        "etc/otto/managed.json",
        "var/lib/apt/lists/mirror.example_dists_bookworm_InRelease",
        "var/log/nginx/access.log",
        "var/log/journal/0/system.journal",
        "tmp/script",
        "root/.ansible/tmp/module",
        "var/lib/systemd/random-seed",
    ],
)
def test_what_is_one_machines_own_is_told(tmp_path: Path, path: str) -> None:
    (told,) = contents.read(archive(tmp_path / "a.tar", system({path: "something"}))).leftovers
    assert told.startswith(f"/{path} ")


@pytest.mark.parametrize("files", [{}, {"etc/passwd": "root"}])
def test_what_is_no_debian_system_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(TerminalError, match="no Debian system"):
        contents.read(archive(tmp_path / "a.tar", files))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"not a tar" * 200)
    with pytest.raises(TerminalError, match="cannot be read"):
        contents.read(tmp_path / "a.tar")


@pytest.mark.parametrize("text", ["", "\n\n\n", "no colon", ": x", " a\n b", "Package: x", "Conffiles:\n /a"])
def test_a_damaged_database_holds_no_packages(text: str) -> None:
    assert dpkg.packages(text) == ()
    assert dpkg.configuration_files(text) == {}
    assert dpkg.sums(text) == {}


def image(**changes: Any) -> Image:
    packages = (
        Package("libc6", "2.36-9", "amd64", "glibc"),
        Package("nginx", "1:1.2~3+b1", "amd64", "nginx"),
    )
    given: dict[str, Any] = {"packages": packages, "commit": "c0ffee", **changes}
    return Image("nginx", "sha256:1", "base", datetime(2026, 1, 2, tzinfo=UTC), **given)


def test_a_bill_of_materials_names_each_package_once_by_a_package_url() -> None:
    told = json.loads(sbom.document(image()))
    assert (told["bomFormat"], told["specVersion"], told["version"]) == ("CycloneDX", "1.6", 1)
    assert told["serialNumber"].startswith("urn:uuid:")
    assert told["metadata"]["timestamp"] == "2026-01-02T00:00:00Z"
    assert told["metadata"]["component"]["version"] == "sha256:1"
    assert [component["purl"] for component in told["components"]] == [
        "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc",
        "pkg:deb/debian/nginx@1:1.2~3%2Bb1?arch=amd64&distro=debian-12",
    ]
    references = [component["bom-ref"] for component in told["components"]]
    assert len(set(references)) == len(references)
    assert told["dependencies"] == [
        {"ref": told["metadata"]["component"]["bom-ref"], "dependsOn": references}
    ]


ODD = (
    Package("python3.11", "3.11.2-6+deb12u6", "amd64", "python3.11"),
    Package("g++", "4:12.2.0-3", "amd64", "gcc-defaults"),
    Package("Flask_Cors", "1.0+local", source="pypi"),
    Package("", "", "", ""),
)


@pytest.mark.parametrize("packages", [None, (), ODD])
def test_a_bill_of_materials_is_as_the_standards_own_schema_wants_it(
    packages: tuple[Package, ...] | None,
) -> None:
    made = image() if packages is None else image(packages=packages)
    text = sbom.document(replace(made, digest="sha256:" + "0" * 64))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_validator_would_find_what_is_wrong() -> None:
    told = json.loads(sbom.document(image()))
    told["components"][0]["type"] = "wheel"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(told)) is not None


def test_the_same_image_has_the_same_bill_and_another_one_another() -> None:
    assert sbom.document(image()) == sbom.document(image())
    assert sbom.document(image()) != sbom.document(image(packages=()))
