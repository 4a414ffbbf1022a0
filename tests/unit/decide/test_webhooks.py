"""What deliveries say, and whether their sender knows the secret."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.addresses import normalised
from otto.decide.webhooks import DEEPEST, deepest, identities, is_signed, read, signature
from otto.model.delivery import Delivery, DeliveryKind, Sender
from otto.model.errors import UsageError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AT = str(int(NOW.timestamp()))
SECRET, OTHER = b"correct horse battery", b"staple staple staple"
COMMIT = "c" * 40
ADDRESSES = {
    "clone_url": "https://git.example/Web/One.git",
    "ssh_url": "git@git.example:web/one.git",
    "html_url": "https://git.example/web/one",
}
PUSH = {"ref": "refs/heads/main", "after": COMMIT, "repository": ADDRESSES, "pusher": {"name": "ada"}}
GITLAB = {
    "ref": "refs/heads/main",
    "after": COMMIT,
    "user_username": "ada",
    "project": {"git_http_url": "https://git.example/web/one.git", "web_url": "https://git.example/web/one"},
}
GENERIC = {"repository": "https://git.example/web/one", "ref": "main", "commit": COMMIT, "by": "ada"}


def signed(sender: Sender, headers: dict[str, str], body: bytes = b"{}", window: float = 300.0) -> bool:
    return is_signed(sender, headers, body, (OTHER, SECRET), now=NOW, window=window)


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        (Sender.GITHUB, {"x-hub-signature-256": signature(SECRET, b"{}")}),
        (Sender.GITHUB, {"x-hub-signature-256": signature(OTHER, b"{}")}),
        (Sender.GITLAB, {"x-gitlab-token": SECRET.decode()}),
        (Sender.GITEA, {"x-gitea-signature": signature(SECRET, b"{}").removeprefix("sha256=")}),
        (Sender.GITEA, {"x-forgejo-signature": signature(SECRET, b"{}").removeprefix("sha256=")}),
        (Sender.GENERIC, {"x-otto-timestamp": AT, "x-otto-signature": signature(SECRET, b"{}", AT)}),
    ],
)
def test_who_knows_a_secret_is_believed(sender: Sender, headers: dict[str, str]) -> None:
    assert signed(sender, headers)


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        (Sender.GITHUB, {}),
        (Sender.GITHUB, {"x-hub-signature-256": ""}),
        (Sender.GITHUB, {"x-hub-signature-256": "sha256="}),
        (Sender.GITHUB, {"x-hub-signature-256": signature(b"another secret", b"{}")}),
        (Sender.GITHUB, {"x-hub-signature-256": signature(SECRET, b"{ }")}),
        (Sender.GITHUB, {"x-hub-signature-256": "sha256=\xe9\xff"}),
        (Sender.GITHUB, {"x-gitlab-token": SECRET.decode()}),
        (Sender.GITLAB, {}),
        (Sender.GITLAB, {"x-gitlab-token": ""}),
        (Sender.GITLAB, {"x-gitlab-token": SECRET.decode()[:-1]}),
        (Sender.GITEA, {"x-gitea-signature": "0" * 64}),
        (Sender.GENERIC, {"x-otto-signature": signature(SECRET, b"{}")}),
        (Sender.GENERIC, {"x-otto-timestamp": AT, "x-otto-signature": signature(SECRET, b"{}")}),
        (Sender.GENERIC, {"x-otto-timestamp": "now", "x-otto-signature": signature(SECRET, b"{}", "now")}),
        (Sender.GENERIC, {"x-otto-timestamp": "9" * 99, "x-otto-signature": "0"}),
    ],
)
def test_nobody_else_is(sender: Sender, headers: dict[str, str]) -> None:
    assert not signed(sender, headers)


@pytest.mark.parametrize(("off", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_a_generic_delivery_is_believed_for_a_while(off: int, good: bool) -> None:
    at = str(int(AT) + off)
    headers = {"x-otto-timestamp": at, "x-otto-signature": signature(SECRET, b"{}", at)}
    assert signed(Sender.GENERIC, headers) is good


def body(data: object) -> bytes:
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("sender", "event", "data"),
    [
        (Sender.GITHUB, {"x-github-event": "push"}, PUSH),
        (Sender.GITEA, {"x-gitea-event": "push"}, PUSH),
        (Sender.GITEA, {"x-forgejo-event": "push"}, PUSH),
        (Sender.GITLAB, {"x-gitlab-event": "Push Hook"}, GITLAB),
        (Sender.GENERIC, {}, GENERIC),
    ],
)
def test_a_push_says_where_what_and_who(sender: Sender, event: dict[str, str], data: object) -> None:
    expected = Delivery(sender, DeliveryKind.PUSH, ("git.example/web/one",), "main", COMMIT, "ada")
    assert read(sender, event, body(data)) == expected


@pytest.mark.parametrize(
    ("changes", "ref", "commit"),
    [
        ({"ref": "refs/tags/v1"}, "v1", COMMIT),
        ({"ref": "feature/x"}, "feature/x", COMMIT),
        ({"after": "0" * 40}, "main", ""),
        ({"after": "; rm -rf /"}, "main", ""),
        ({"after": 7}, "main", ""),
    ],
)
def test_refs_and_commits(changes: dict[str, Any], ref: str, commit: str) -> None:
    found = read(Sender.GITHUB, {"x-github-event": "push"}, body(PUSH | changes))
    assert (found.ref, found.commit) == (ref, commit)


@pytest.mark.parametrize(
    ("sender", "headers", "data", "number"),
    [
        (Sender.GITHUB, {"x-github-event": "pull_request"}, PUSH | {"number": 7}, 7),
        (
            Sender.GITLAB,
            {"x-gitlab-event": "Merge Request Hook"},
            GITLAB | {"object_attributes": {"iid": 8}},
            8,
        ),
        (Sender.GITHUB, {"x-github-event": "pull_request"}, PUSH | {"number": "7"}, 0),
    ],
)
def test_pull_requests(sender: Sender, headers: dict[str, str], data: object, number: int) -> None:
    found = read(sender, headers, body(data))
    assert (found.kind, found.pull) == (DeliveryKind.PULL, number)


def test_a_ping_and_what_nobody_asked_for_are_told_apart() -> None:
    assert read(Sender.GITHUB, {"x-github-event": "ping"}, b"").kind is DeliveryKind.PING
    assert read(Sender.GITHUB, {"x-github-event": "star"}, body(PUSH)).kind is DeliveryKind.OTHER
    assert read(Sender.GITHUB, {}, body(PUSH)).kind is DeliveryKind.OTHER


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{" * 10_000,
        b"[" * 500_000 + b"]" * 500_000,
        body({"ref": "refs/heads/main"}),
        body({"ref": "", "repository": ADDRESSES}),
        body({"ref": ["main"], "repository": ADDRESSES}),
        body({"ref": "main\n", "repository": ADDRESSES}),
        body({"ref": "x" * 300, "repository": ADDRESSES}),
        body({"ref": "main", "repository": "https://git.example/a"}),
        body({"ref": "main", "repository": {"clone_url": 7, "ssh_url": ["x"], "html_url": "\x00"}}),
    ],
)
def test_what_is_no_push_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        read(Sender.GITHUB, {"x-github-event": "push"}, data)


@given(
    st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_depth_is_counted_without_reading(data: object) -> None:
    def depth(value: object) -> int:
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inside is None else 1 + max(map(depth, inside), default=0)

    assert deepest(body(data), 10_000) == depth(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_counted(data: bytes) -> None:
    assert 0 <= deepest(data) <= DEEPEST + 1


@given(st.binary(max_size=300), st.sampled_from(Sender))
def test_any_bytes_are_read_or_refused(data: bytes, sender: Sender) -> None:
    headers = {"x-github-event": "push", "x-gitlab-event": "Push Hook", "x-gitea-event": "push"}
    with pytest.raises(UsageError):
        read(sender, headers, data)


def test_a_megabyte_of_quotes_is_counted_at_once() -> None:
    assert deepest(b'"\\' * 500_000) == 0
    assert deepest(b"[]" * 500_000) == 1


def test_a_delivery_is_known_again_by_its_content_and_by_its_id() -> None:
    first = identities(Sender.GITHUB, {"x-github-delivery": "1"}, b"a")
    again = identities(Sender.GITHUB, {"x-github-delivery": "2"}, b"a")
    other = identities(Sender.GITHUB, {"x-github-delivery": "1"}, b"b")
    third = identities(Sender.GITHUB, {"x-github-delivery": "3"}, b"c")
    assert set(first) & set(again)
    assert set(first) & set(other)
    assert not set(first) & set(third)


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example/web/one",
        "https://git.example/web/one.git",
        "https://git.example/web/one.git/",
        "https://git.example:8443/web/one.git",
        "https://ada:secret@git.example/web/one.git",
        "http://GIT.example/Web/One",
        "ssh://git@git.example:2222/web/one.git",
        "git@git.example:web/one.git",
        "git://git.example/web/one.git",
    ],
)
def test_addresses_of_one_repository_are_one(address: str) -> None:
    assert normalised(address) == "git.example/web/one"


@pytest.mark.parametrize(
    "address", ["", "one", "https://", "https:///a", "https://git.example", "https://git.example/", "a\nb:c"]
)
def test_what_is_no_address_is_none(address: str) -> None:
    assert normalised(address) == ""


def test_a_repository_on_disk_keeps_its_path() -> None:
    assert normalised("file:///srv/Git/one.git") == "/srv/Git/one"
