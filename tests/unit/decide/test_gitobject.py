"""Commits and tags as git stores them, and as somebody makes them up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.gitobject import MOST_BYTES, read
from otto.model.errors import TerminalError
from otto.model.signature import GitObject

TREE, OTHER = "a" * 40, "b" * 40
WHO = "A Person <person@example.org> 1592233600 +0200"
SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nAAAA\nBBBB\n-----END SSH SIGNATURE-----\n"
PGP = "-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v2\n\nAAAA\n=BBBB\n-----END PGP SIGNATURE-----\n"


def header(signature: str = SIGNATURE, name: str = "gpgsig") -> str:
    return f"{name} " + signature.rstrip("\n").replace("\n", "\n ") + "\n"


def commit(*middle: str, head: str = "", message: str = "change\n") -> str:
    return f"{head}tree {TREE}\nauthor {WHO}\ncommitter {WHO}\n{''.join(middle)}\n{message}"


def tag(message: str = "release\n", name: str = "v1", of: str = OTHER) -> str:
    return f"object {of}\ntype commit\ntag {name}\ntagger {WHO}\n\n{message}"


def stored(text: str, kind: str = "commit") -> GitObject:
    return GitObject("c" * 40, kind, text.encode())


@pytest.mark.parametrize("signature", [SIGNATURE, PGP])
def test_a_signature_is_taken_out_of_what_it_is_of(signature: str) -> None:
    signed = read(stored(commit(header(signature))))
    assert signed.payload == commit().encode()
    assert signed.signature == signature
    assert (signed.target, signed.target_kind, signed.name) == (TREE, "tree", "")
    assert (signed.author, signed.committer) == ("A Person <person@example.org>",) * 2
    assert signed.at == datetime(2020, 6, 15, 15, 6, 40, tzinfo=UTC)


def test_other_headers_stay_in_what_is_signed() -> None:
    merged = "mergetag object x\n type commit\n \n -----BEGIN PGP SIGNATURE-----\n gpgsig x\n"
    signed = read(stored(commit("encoding UTF-8\n", header(), merged)))
    assert signed.payload == commit("encoding UTF-8\n", merged).encode()
    assert signed.signature == SIGNATURE


@pytest.mark.parametrize(
    "text",
    [
        commit(),
        commit(message=f"change\n\ngpgsig {SIGNATURE}"),
        commit(message=SIGNATURE),
        commit("gpgsig\n"),
        commit("mergetag " + SIGNATURE.replace("\n", "\n ").rstrip(" ")),
    ],
)
def test_what_stands_elsewhere_is_no_signature(text: str) -> None:
    signed = read(stored(text))
    assert signed.signature == ""
    assert signed.payload == text.encode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (commit(header(), header()), "more than one signature"),
        (commit(header(PGP), header()), "more than one signature"),
        (commit(header(), header(name="gpgsig-sha256")), "more than one signature"),
        (commit(header(SIGNATURE + SIGNATURE)), "not one block"),
        (commit(header(SIGNATURE + "more\n")), "not one block"),
        (commit(header("x\n" + SIGNATURE)), "not one block"),
        (commit(header(PGP.replace("END PGP", "END SSH"))), "not one block"),
        (commit("gpgsig é\n"), "not ASCII"),
        (commit(f"tree {OTHER}\n", header()), "says twice"),
        (commit(header(), f"author {WHO}\n"), "says twice"),
        (commit(header(), f"parent {OTHER}\n"), "does not begin"),
        (commit(head=header()), "does not begin as a commit does"),
        (commit(head=f"parent {OTHER}\n"), "does not begin as a commit does"),
        (commit(head=" x\n"), "does not begin as a commit does"),
        (commit().replace("author", "Author"), "does not begin as a commit does"),
        (commit().replace(TREE, TREE[1:]), "does not say what it is of"),
        (commit().replace(TREE, TREE + "\n " + OTHER), "does not say what it is of"),
        (commit().replace("+0200\nc", "+0200\r\nc"), "characters that have no place"),
        (commit().replace("A Person", "A\0Person"), "characters that have no place"),
        (commit().replace("1592233600", "soon"), "does not say who made it"),
        (commit().replace("1592233600", "9" * 12), "at no time there is"),
        (commit(message="x" * MOST_BYTES), "is bigger than"),
        ("", "does not begin as a commit does"),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read(text: str, reason: str) -> None:
    with pytest.raises(TerminalError, match=reason):
        read(stored(text))


def test_a_signature_at_the_end_of_a_tag_is_taken_off() -> None:
    signed = read(stored(tag() + SIGNATURE, "tag"))
    assert signed.payload == tag().encode()
    assert signed.signature == SIGNATURE
    assert (signed.target, signed.target_kind, signed.name) == (OTHER, "commit", "v1")
    assert (signed.author, signed.committer) == ("", "A Person <person@example.org>")


def test_a_tag_without_a_signature_is_read() -> None:
    assert read(stored(tag(), "tag")).signature == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (tag(SIGNATURE) + SIGNATURE, "more than one signature"),
        (tag(PGP) + SIGNATURE, "more than one signature"),
        (tag() + SIGNATURE + "more\n", "not one block"),
        (tag() + SIGNATURE.replace("-----END", "----END"), "not one block"),
        (header() + tag(), "does not begin as a tag does"),
        (tag().replace("\n\n", "\n" + header() + "\n", 1), "does not begin as a tag does"),
        (tag().replace(f"tagger {WHO}\n", ""), "does not begin as a tag does"),
        (tag(of="HEAD"), "does not say what it is of"),
    ],
)
def test_a_tag_that_could_be_read_in_two_ways_is_not_read(text: str, reason: str) -> None:
    with pytest.raises(TerminalError, match=reason):
        read(stored(text, "tag"))


def test_nobody_signs_a_tree() -> None:
    with pytest.raises(TerminalError, match="is a tree, which nobody can sign"):
        read(stored("", "tree"))


@given(st.binary(max_size=300), st.sampled_from(["commit", "tag"]))
def test_any_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    try:
        signed = read(GitObject("c" * 40, kind, data))
    except TerminalError:
        return
    assert len(signed.payload) <= len(data)


@given(
    st.lists(st.sampled_from(["encoding UTF-8\n", header(), header(PGP), "x y\n z\n"]), max_size=5), st.text()
)
def test_every_byte_but_the_signature_is_signed(middle: list[str], message: str) -> None:
    text = commit(*middle, message=message)
    count = sum(part.startswith("gpgsig") for part in middle)
    if count > 1:
        with pytest.raises(TerminalError):
            read(stored(text))
        return
    kept = [part for part in middle if not part.startswith("gpgsig")]
    assert read(stored(text)).payload == commit(*kept, message=message).encode()
