"""What of a document is not shown."""

from typing import Any

import pytest

from otto.decide.withheld import WITHHELD, shown


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"credentials": "dop_v1_x"}, {"credentials": WITHHELD}),
        ({"credentials": "env:TOKEN"}, {"credentials": "env:TOKEN"}),
        ({"credentials": {"token": "x"}}, {"credentials": WITHHELD}),
        ({"credentials": None}, {"credentials": None}),
        ({"server": {"key": "c3c=", "keyName": "k"}}, {"server": {"key": WITHHELD, "keyName": "k"}}),
        ({"server": {"key": "vault:dns.yml#k"}}, {"server": {"key": "vault:dns.yml#k"}}),
        ({"all": [{"Password": 7}]}, {"all": [{"Password": WITHHELD}]}),
        ({"git": "https://u:p@h.example/x"}, {"git": "https://***@h.example/x"}),
        ({"git": "https://ghp_x@h.example/x"}, {"git": "https://***@h.example/x"}),
        ({"git": "ssh://git@h.example/x"}, {"git": "ssh://git@h.example/x"}),
        ("text", "text"),
        (None, None),
    ],
)
def test_a_secret_is_not_shown_and_all_else_is(spec: Any, expected: Any) -> None:
    document = {"kind": "Domain", "metadata": {"labels": {"key": "x"}}, "spec": spec}
    found = shown(document)
    assert found == {**document, "spec": expected}
    assert (found is document) == (spec == expected)
