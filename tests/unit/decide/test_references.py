"""References to secrets: what is one, and what is refused without being shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide import references
from otto.model.errors import UsageError
from otto.model.secret import SecretPlace, SecretReference

SECRET = "hunter2-correct-horse"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("env:OTTO_DNS_KEY", SecretReference(SecretPlace.ENV, "OTTO_DNS_KEY")),
        ("file:/etc/otto/tsig", SecretReference(SecretPlace.FILE, "/etc/otto/tsig")),
        ("file:keys/a#b", SecretReference(SecretPlace.FILE, "keys/a#b")),
        ("vault:dns.yml#keys.example-org", SecretReference(SecretPlace.VAULT, "dns.yml", "keys.example-org")),
        ("vault:/etc/otto/token", SecretReference(SecretPlace.VAULT, "/etc/otto/token")),
    ],
)
def test_references(text: str, found: SecretReference) -> None:
    assert references.parse(text, "x") == found
    assert str(found) == text
    assert references.is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", SECRET, "env:", "file:", "vault:", "http://x", "ENV:X", f"env:{SECRET}", f"pass:{SECRET}"),
        *("env:A B", "env:1A", "env:A=B", "env:" + "A" * 256, "file: x", "file:x ", "file:a\nb", "file:a\0b"),
        *(
            "vault:x#",
            "vault:#key",
            "vault:x#a..b",
            "vault:x#a/b",
            "file:" + "a" * 1100,
            "vault:x#" + "a." * 20,
        ),
    ],
)
def test_what_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        references.parse(text, "spec.server.key")
    assert "spec.server.key" in caught.value.message
    assert SECRET not in str(caught.value)
    assert not references.is_reference(text)


@given(st.text(min_size=12, max_size=60))
def test_no_text_is_repeated(text: str) -> None:
    if references.is_reference(text):
        assert str(references.parse(text, "x")) == text
        return
    with pytest.raises(UsageError) as caught:
        references.parse(text, "x")
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "allowed"),
    [
        ("OTTO_DNS_KEY", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("OTTO_TOKEN", False),
        ("PATH", False),
        ("otto_dns_key", False),
        ("XOTTO_DNS_KEY", False),
    ],
)
def test_variables_that_specs_may_name(variable: str, *, allowed: bool) -> None:
    assert references.may_be_named(variable, ("OTTO_DNS_*", "AWS_*")) is allowed
