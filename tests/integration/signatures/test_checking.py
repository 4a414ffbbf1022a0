"""Signatures over commits and tags, by the real tools."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from otto.adapters.signatures import SignatureTools
from otto.decide.gitobject import read
from otto.model.errors import TerminalError, TransientError
from otto.model.signature import KnownKey, Scheme, Signatures, Signed

from .signing import PgpKeys, SshKey, commit, policy, run, stored, tag

NOW = datetime.now(UTC)


def ssh_signed(key: SshKey, **more: str) -> Signed:
    return read(stored(commit(key.sign(commit(), **more))))


def pgp_signed(pgp: PgpKeys, *who: str, arguments: tuple[str, ...] = ()) -> Signed:
    return read(stored(commit(pgp.sign(commit(), *who, arguments=arguments))))


async def refused(tools: SignatureTools, signed: Signed, demanded: Signatures) -> str:
    with pytest.raises(TerminalError) as error:
        await tools.check(signed, demanded, NOW)
    return error.value.message


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
async def test_a_commit_signed_with_a_known_ssh_key_has_a_signer(
    tmp_path: Path, tools: SignatureTools, kind: str
) -> None:
    key = SshKey.made(tmp_path / kind, kind)
    signer = await tools.check(ssh_signed(key), policy(key.line(options='namespaces="git"')), NOW)
    assert (signer.name, signer.key, signer.scheme) == ("ada@example.org", key.fingerprint, Scheme.SSH)


async def test_a_tag_signed_with_a_known_ssh_key_has_a_signer(tools: SignatureTools, key: SshKey) -> None:
    signed = read(stored(tag() + key.sign(tag()).encode(), "tag"))
    assert (await tools.check(signed, policy(key.line()), NOW)).name == "ada@example.org"


async def test_a_certificate_of_a_known_authority_counts_until_it_is_revoked(
    tmp_path: Path, tools: SignatureTools, key: SshKey
) -> None:
    authority = SshKey.made(tmp_path / "authority")
    run(*f"ssh-keygen -q -s {authority.path} -I ada -n ada@example.org {key.path}.pub".split())
    certified = SshKey(key.path.with_name("certified"))
    certified.path.write_bytes(key.path.read_bytes())
    certified.path.chmod(0o600)
    cert = key.path.with_name("key-cert.pub").read_text()
    certified.path.with_name("certified.pub").write_text(cert)
    (tmp_path / "payload").write_bytes(commit())
    run(*f"ssh-keygen -q -Y sign -n git -f {certified.path}.pub {tmp_path}/payload".split())
    signed = read(stored(commit((tmp_path / "payload.sig").read_text())))
    line = authority.line("*@example.org", "cert-authority")
    assert (await tools.check(signed, policy(line), NOW)).name == "ada@example.org"
    assert "revoked" in await refused(tools, signed, policy(line, revoked=[key.public]))
    assert "no authority" in await refused(tools, signed, policy(key.line("*@example.org", "cert-authority")))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ('valid-before="20200701"', "does not count now"),
        ('valid-after="20200701"', "does not count at 2020-06-15 15:06 UTC, when it says it was made"),
        ('valid-after="20990101"', "does not count now"),
        ('namespaces="file"', 'the policy says of ada@example.org: namespaces="file"'),
        ("cert-authority", "does not count now"),
    ],
)
async def test_a_key_counts_only_as_its_line_says(
    tools: SignatureTools, key: SshKey, options: str, reason: str
) -> None:
    message = await refused(tools, ssh_signed(key), policy(key.line(options=options)))
    assert reason in message
    assert key.fingerprint in message


async def test_of_several_lines_with_a_key_one_that_holds_is_enough(
    tools: SignatureTools, key: SshKey
) -> None:
    lines = (key.line("old@example.org", 'valid-before="20200101"'), key.line("ada@example.org"))
    assert (await tools.check(ssh_signed(key), policy(*lines), NOW)).name == "ada@example.org"


async def test_what_an_ssh_signature_lacks_is_said(
    tmp_path: Path, tools: SignatureTools, key: SshKey
) -> None:
    other = SshKey.made(tmp_path / "other")
    known = policy(key.line())
    assert await refused(tools, read(stored(commit())), known) == "it is not signed"
    unknown = await refused(tools, ssh_signed(other), known)
    assert unknown == f"it is signed with a key that the fleet's policy does not know: {other.fingerprint}"
    assert "made for 'file', not for git" in await refused(tools, ssh_signed(key, namespace="file"), known)
    assert "is revoked" in await refused(tools, ssh_signed(key), policy(key.line(), revoked=[key.public]))
    pasted = read(stored(commit(key.sign(commit()), message="another")))
    assert "not of what it says" in await refused(tools, pasted, known)


async def test_a_commit_signed_with_a_known_openpgp_key_has_a_signer(
    tools: SignatureTools, pgp: PgpKeys
) -> None:
    signer = await tools.check(pgp_signed(pgp, "ada"), policy(pgp.export("ada") + pgp.export("grace")), NOW)
    assert signer.name == "ada <ada@example.org>"
    assert signer.scheme is Scheme.OPENPGP
    assert len(signer.key) == 40


async def test_a_tag_signed_with_a_known_openpgp_key_has_a_signer(
    tools: SignatureTools, pgp: PgpKeys
) -> None:
    signed = read(stored(tag() + pgp.sign(tag(), "grace").encode(), "tag"))
    assert "grace" in (await tools.check(signed, policy(pgp.export()), NOW)).name


@pytest.mark.parametrize(
    ("who", "arguments", "reason"),
    [
        (("ended",), ("--faked-system-time", "20200615T150640"), "its key has ended"),
        (("ada",), ("--digest-algo", "SHA1"), "over SHA-1, which can be forged"),
        (("ada",), ("--textmode",), "not of the kind that git makes"),
        (("ada", "grace"), (), "more than one signature"),
        (("ada",), ("--faked-system-time", "20990101T000000"), "no time that has come"),
    ],
)
async def test_what_an_openpgp_signature_lacks_is_said(
    tools: SignatureTools, pgp: PgpKeys, who: tuple[str, ...], arguments: tuple[str, ...], reason: str
) -> None:
    message = await refused(tools, pgp_signed(pgp, *who, arguments=arguments), policy(pgp.export()))
    assert reason in message


async def test_a_revoked_openpgp_key_counts_no_more(tools: SignatureTools, pgp: PgpKeys) -> None:
    signed = pgp_signed(pgp, "revoked")
    assert (await tools.check(signed, policy(pgp.export()), NOW)).name.startswith("revoked")
    pgp.revoke("revoked")
    assert "its key is revoked" in await refused(tools, signed, policy(pgp.export()))


async def test_an_openpgp_key_that_is_not_known_is_named(tools: SignatureTools, pgp: PgpKeys) -> None:
    message = await refused(tools, pgp_signed(pgp, "grace"), policy(pgp.export("ada")))
    assert "does not know: key " in message
    pasted = read(stored(commit(pgp.sign(commit(), "ada"), message="another")))
    assert "not of what it says" in await refused(tools, pasted, policy(pgp.export("ada")))


async def test_each_kind_of_key_counts_for_its_own_signatures_alone(
    tools: SignatureTools, key: SshKey, pgp: PgpKeys
) -> None:
    assert "knows no SSH key" in await refused(tools, ssh_signed(key), policy(pgp.export("ada")))
    assert "knows no such key" in await refused(tools, pgp_signed(pgp, "ada"), policy(key.line()))
    x509 = read(stored(commit("-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----\n")))
    assert "neither SSH's nor OpenPGP's" in await refused(tools, x509, policy(key.line()))


async def test_keys_of_files_are_read_at_each_check(
    tmp_path: Path, tools: SignatureTools, key: SshKey, pgp: PgpKeys
) -> None:
    demanded = Signatures(policy("").require, (KnownKey(file="signers"), KnownKey(file="ada.asc")))
    assert "cannot be read" in await refused(tools, ssh_signed(key), demanded)
    (tmp_path / "signers").write_text(f"# people\n\n{key.line()}\n")
    (tmp_path / "ada.asc").write_text(pgp.export("ada"))
    before = tools.digest(demanded)
    assert (await tools.check(ssh_signed(key), demanded, NOW)).name == "ada@example.org"
    assert (await tools.check(pgp_signed(pgp, "ada"), demanded, NOW)).name.startswith("ada")
    (tmp_path / "signers").write_text("# nobody\n")
    assert tools.digest(demanded) != before
    assert "knows no SSH key" in await refused(tools, ssh_signed(key), demanded)
    (tmp_path / "signers").write_bytes(b"x" * (1024 * 1024 + 1))
    assert "bigger than" in await refused(tools, ssh_signed(key), demanded)


async def test_a_missing_tool_is_said_and_is_no_answer(
    tmp_path: Path, tools: SignatureTools, pgp: PgpKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = pgp_signed(pgp, "ada")
    demanded = policy(pgp.export("ada"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TransientError, match=r"gpgv could not be asked.*apt-get install gpgv"):
        await tools.check(signed, demanded, NOW)


async def test_keys_of_whoever_runs_otto_count_for_nothing(
    tools: SignatureTools, pgp: PgpKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed, demanded = pgp_signed(pgp, "grace"), policy(pgp.export("ada"))
    (pgp.home / "trustedkeys.gpg").write_bytes(pgp.gpg("--export", "grace"))
    monkeypatch.setenv("GNUPGHOME", str(pgp.home))
    monkeypatch.setenv("HOME", str(pgp.home))
    assert "does not know" in await refused(tools, signed, demanded)


async def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, tools: SignatureTools, key: SshKey, pgp: PgpKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    await tools.check(ssh_signed(key), policy(key.line()), NOW)
    await tools.check(pgp_signed(pgp, "ada"), policy(pgp.export("ada")), NOW)
    assert list(place.iterdir()) == []
