"""Python packages of an environment, as installers note them down."""

import hashlib

import pytest

from otto.adapters.packer import pythons
from otto.adapters.packer.pythons import Note
from otto.model.image import Package

SITE = "opt/otto/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{SITE}/rich-13.9.4.dist-info/METADATA", Note(SITE, "METADATA")),
        (f"{SITE}/rich-13.9.4.dist-info/RECORD", Note(SITE, "RECORD")),
        (f"{SITE}/rich/METADATA", None),
        (f"{SITE}/rich-13.9.4.dist-info/licenses/RECORD", None),
        ("usr/lib/python3/site-packages/apt-2.6.dist-info/METADATA", None),
    ],
)
def test_notes_are_known_by_their_place(path: str, expected: Note | None) -> None:
    assert pythons.note(path) == expected


def test_a_package_is_read_out_of_its_headers_alone() -> None:
    text = "Metadata-Version: 2.1\nName: ansible-core\nVersion: 2.19.1\nSummary: a: b\n\nName: other\n"
    assert pythons.package(text) == Package("ansible-core", "2.19.1", source="pypi")


@pytest.mark.parametrize("text", ["", "\n\nName: x", "Version: 1", "Name: ", " Name: x"])
def test_what_names_no_package_is_none(text: str) -> None:
    assert pythons.package(text) is None


def test_files_are_those_with_a_sha256() -> None:
    empty = hashlib.sha256(b"").hexdigest()
    record = (
        "rich/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
        '"odd,name.py",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n'
        "rich-13.9.4.dist-info/RECORD,,\nshort\nold.py,md5=abc,3\n"
    )
    assert pythons.files(SITE, record) == {f"{SITE}/rich/__init__.py": empty, f"{SITE}/odd,name.py": empty}
