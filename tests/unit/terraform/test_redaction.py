"""Secrets out of texts."""

import json
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from otto.adapters.terraform.redaction import LIMIT, MASK, holds_secret, redact, shorten

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"before {KEY} after", f"before {MASK} after"),
        (KEY[:50], MASK),
        ("fetch https://joe:hunter2@git.example/x", f"fetch https://{MASK}@git.example/x"),
        ("Authorization: Bearer abcdefgh.ijkl", f"Authorization: Bearer {MASK}"),
        ("key AKIAIOSFODNN7EXAMPLE refused", f"key {MASK} refused"),
        ("ghp_0123456789abcdefghij0123", MASK),
        ("dop_v1_0123456789abcdef01234567", MASK),
        ("password=hunter2 host=db", f"password={MASK} host=db"),
        ('{"db_password": "hunter2", "x": 1}', f'{{"db_password": "{MASK}", "x": 1}}'),
        (r"{\"api_key\": \"hunter2\"}", rf"{{\"api_key\": \"{MASK}\"}}"),
        ("secret_access_key : hunter2", f"secret_access_key : {MASK}"),
        ("TF_TOKEN=hunter2", f"TF_TOKEN={MASK}"),
        ("the secret was not found", "the secret was not found"),
        ("image sha256:0123456789abcdef0123456789abcdef", "image sha256:0123456789abcdef0123456789abcdef"),
        ("http://127.0.0.1:8080/a@b", "http://127.0.0.1:8080/a@b"),
    ],
)
def test_shapes(text: str, clean: str) -> None:
    assert redact(text) == clean


@given(st.text(), st.text(min_size=5).filter(lambda value: value not in MASK), st.text())
def test_a_known_value_is_never_told(before: str, secret: str, after: str) -> None:
    assume(secret not in before + MASK + after)
    assert secret not in redact(before + secret + after, {secret}, limit=None)


@given(st.text(min_size=5))
def test_a_known_value_is_found_in_disguise(secret: str) -> None:
    for disguise in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret, safe="")):
        assert holds_secret(f"<{disguise}>", {secret})


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert redact("abcdefgh", {"abcde", "abcdefgh"}) == MASK


def test_short_values_are_no_secrets() -> None:
    assert redact("a cat sat", {"a", "cat"}) == "a cat sat"


@given(st.text(alphabet="ab \n:=/@", max_size=200))
def test_twice_is_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_long_texts_keep_their_ends() -> None:
    cut = redact("b" + "x" * 10 * LIMIT + "e")
    assert len(cut) < LIMIT + 100
    assert cut[0] == "b"
    assert cut[-1] == "e"
    assert "characters left out" in cut


@given(st.text(max_size=50), st.integers(min_value=2, max_value=60))
def test_shortening(text: str, limit: int) -> None:
    if len(text) <= limit:
        assert shorten(text, limit) == text
    else:
        assert shorten(text, limit).startswith(text[: limit // 2])
