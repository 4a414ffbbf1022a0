"""Keys as text, as people write them into a policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.keys import allowed_signer, fingerprint, public_keys, ssh_signature
from otto.model.errors import UsageError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzW32PhFZuDkG00015IyWSrJzBhILsGK+eJGdtAv5ew"
ENDED = "valid-before"


def test_a_line_is_read() -> None:
    signer = allowed_signer(f'ada@x,*@y NAMESPACES="git,file",valid-before="20300101Z" {KEY} a comment')
    assert signer.principals == "ada@x,*@y"
    assert signer.options == {"namespaces": "git,file", "valid-before": "20300101Z"}
    assert not signer.authority
    assert signer.key == fingerprint(KEY)
    assert signer.key.startswith("SHA256:")
    assert allowed_signer(f"*@y cert-authority {KEY}").authority


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "no line of allowed signers"),
        (KEY, "no line of allowed signers|not known"),
        (f"ada {KEY.split(maxsplit=1)[0]}", "no line of allowed signers"),
        (f'ada namespaces="git" {KEY.split(maxsplit=1)[0]}', "key itself is missing"),
        (f'ada namespace="git" {KEY}', "option namespace=.* is not known"),
        (f"ada from=10.0.0.1 {KEY}", "is not known"),
        (f'ada valid-after="tomorrow" {KEY}', "valid-after is no time"),
        (f"ada {KEY[:-8]}", "no SSH public key"),
        (f"ada ssh-rsa {KEY.split()[1]}", "not of the type ssh-rsa"),
        ("ada ssh-ed25519 !!!", "no SSH public key"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as error:
        allowed_signer(line)
    assert error.value.mend


def armour(kind: str = "PUBLIC KEY BLOCK", body: str = "mDMEAAAA") -> str:
    return f"-----BEGIN PGP {kind}-----\nComment: x\n\n{body}\n=abcd\n-----END PGP {kind}-----\n"


def test_armour_is_taken_off_all_blocks() -> None:
    assert public_keys(armour()) == b"\x98\x33\x04\0\0\0"
    assert public_keys(f"words\n{armour()}\n{armour()}".replace("\n", "\r\n")) == b"\x98\x33\x04\0\0\0" * 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no OpenPGP public key"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----", "no OpenPGP public key"),
        (armour() + "-----BEGIN ", "no OpenPGP public key"),
        (armour("SIGNATURE"), "no public key"),
        (armour(body="iDMEAAAA"), "no public key"),
        (armour(body="!!!!"), "no public key"),
        (armour("PRIVATE KEY BLOCK", "c2VjcmV0"), "private key"),
    ],
)
def test_what_is_wrong_with_armour_is_said_and_a_private_key_never_shown(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as error:
        public_keys(text)
    assert error.value.mend
    assert "c2VjcmV0" not in str(error.value)


@given(st.text())
def test_any_text_is_a_key_or_is_not(text: str) -> None:
    for read in (allowed_signer, public_keys, ssh_signature):
        try:
            read(text)
        except UsageError:
            continue
