"""What differs between two images."""

from hypothesis import given
from hypothesis import strategies as st

from otto.decide.imagediff import Changed, difference, differing
from otto.model.image import Package

from .imagery import image

WORDS = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=6)


def test_an_image_differs_in_nothing_from_itself() -> None:
    assert not difference(image(1), image(1))


def test_packages_come_go_and_change() -> None:
    after = image(packages=(Package("nginx", "1.24", "amd64"), Package("libc6", "2.36", "amd64")))
    found = difference(image(), after)
    assert found.packages.added == {"libc6": "2.36"}
    assert found.packages.removed == {"zlib1g": "1.2"}
    assert found.packages.changed == (Changed("nginx", "1.22", "1.24"),)
    assert found
    assert not found.files


def test_packages_of_several_architectures_are_told_apart() -> None:
    before = image(packages=(Package("libc6", "2.36", "amd64"), Package("libc6", "2.36", "i386")))
    after = image(packages=(Package("libc6", "2.36", "amd64"), Package("libc6", "2.37", "i386")))
    assert difference(before, after).packages.changed == (Changed("libc6:i386", "2.36", "2.37"),)


def test_versions_beside_each_other_are_told_together() -> None:
    before = image(packages=(Package("key", "2", ""), Package("key", "1", "")))
    after = image(packages=(Package("key", "1", ""), Package("key", "3", "")))
    assert difference(before, after).packages.changed == (Changed("key:", "1, 2", "1, 3"),)


def test_files_and_inputs_are_compared() -> None:
    after = image(files={"/etc/nginx/nginx.conf": "f2", "/new": "f3"}, inputs={"template": "t2"}, parent="b2")
    found = difference(image(), after)
    assert found.files.added == {"/new": "f3"}
    assert found.files.changed == (Changed("/etc/nginx/nginx.conf", "f1", "f2"),)
    assert found.inputs.removed == {"roles": "r1"}
    assert [item.name for item in found.inputs.changed] == ["parent", "template"]


@given(WORDS, WORDS)
def test_the_way_back_is_the_way_there_mirrored(before: dict[str, str], after: dict[str, str]) -> None:
    there, back = differing(before, after), differing(after, before)
    assert there.added == back.removed
    assert there.removed == back.added
    assert there.changed == tuple(Changed(item.name, item.after, item.before) for item in back.changed)
    rebuilt = {name: value for name, value in before.items() if name not in there.removed}
    rebuilt |= {**there.added, **{item.name: item.after for item in there.changed}}
    assert rebuilt == after
