"""What `otto lab` says."""

from dataclasses import replace

import pytest

from otto.cli.commands.lab import warning_of, words_of
from otto.lab.containers import Container
from otto.lab.kernel import Inotify
from otto.lab.outcome import LabCleaned, LabStatus
from otto.lab.pool import Route

ALL = LabCleaned(("a-web-1", "b-web-1"), True, ("one",), 1, True, True, True)  # noqa: FBT003  (all of it)


def test_clean_says_beforehand_that_the_nameserver_goes_with_its_zones() -> None:
    lab = LabStatus("0123abcd", None, "", "", "", (), (), Route("10.203.0.0/16", present=True), Inotify(1024))
    assert warning_of(lab) == "This removes 0 hosts (none), and their networks."
    served = replace(lab, nameserver=Container("1", "otto-0123abcd.nameserver", "sha256:1", "running"))
    assert (
        warning_of(served)
        == "This removes 0 hosts (none), the nameserver with its zones, and their networks."
    )


EVERYTHING = (
    "2 hosts, the nameserver with its zones, 1 network, 1 process, the engine's service, the route, "
    "the base image removed"
)


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (LabCleaned(), "nothing was left"),
        (LabCleaned(nameserver=True), "the nameserver with its zones removed"),
        (ALL, EVERYTHING),
    ],
)
def test_clean_says_what_is_gone(gone: LabCleaned, words: str) -> None:
    assert words_of(gone) == words
