"""The ways to tell people: read from where they are kept, and shown without their secrets."""

from pathlib import Path

import pytest

from otto.adapters.notify import Way, kinds_of, open_ways, secrets_of
from otto.model.errors import UsageError
from otto.model.notice import NoticeKind

TOKEN = "xk29fjw02kd8dk2"
TEXT = f"""
# on call
slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}
  mailto://otto:{TOKEN}@mail.example?to=ops@b.example

command:/opt/tell --key "{TOKEN} x" now
"""


def written(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "ways"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return f"file:{path}"


def test_ways_from_a_file(tmp_path: Path) -> None:
    ways = open_ways(written(tmp_path, TEXT), {})
    assert [way.number for way in ways] == [3, 4, 6]
    assert [way.name for way in ways] == [
        "line 3, slack://…",
        "line 4, mailto://mail.example",
        "line 6, tell",
    ]
    assert ways[2].command == ("/opt/tell", "--key", f"{TOKEN} x", "now")


def test_ways_from_a_variable() -> None:
    assert [way.name for way in open_ways("env:WAYS", {"WAYS": "json://a.example/x"})] == [
        "line 1, json://a.example"
    ]


def test_no_reference_is_no_way() -> None:
    assert open_ways("", {}) == ()


def test_nothing_shows_a_secret() -> None:
    ways = open_ways("env:WAYS", {"WAYS": TEXT})
    shown = repr(ways) + "".join(way.name for way in ways)
    assert TOKEN not in shown
    assert "A1BRTD4JD" not in shown
    assert all(TOKEN not in way.scrub(f"refused {TOKEN} at {way.address} {way.command}") for way in ways)
    assert any(TOKEN in secret for secret in secrets_of(ways))
    assert {TOKEN} <= set(secrets_of(ways[:2]))


@pytest.mark.parametrize(
    "address",
    [
        f"json://{TOKEN}/x@a.example/",
        f"json://u:p#{TOKEN}@a.example/",
        f"rocket://{TOKEN}/x@a.example/",
        f"discord://{TOKEN}/{TOKEN}",
        f"json://a.example/services/{TOKEN}?+X-Key={TOKEN}",
    ],
)
def test_a_name_never_shows_what_may_be_a_secret(address: str) -> None:
    assert TOKEN not in Way(1, address).name


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("ntfys://supersecret-topic-42/", "supersecret-topic-42"),
        ("json://u:hunter%2122@a.example/", "hunter!22"),
        ("json://a.example/hooks/part-of-it%2142", "part-of-it!42"),
    ],
)
def test_no_log_shows_what_a_message_may_not(address: str, secret: str) -> None:
    way = Way(1, address)
    assert secret in set(secrets_of([way]))
    assert secret not in way.scrub(f"no {secret} here")


def test_a_host_that_may_be_shown_is_no_secret() -> None:
    way = Way(1, f"json://alarms-2.example.com/{TOKEN}")
    assert "alarms-2.example.com" not in set(secrets_of([way]))
    assert way.scrub(f"alarms-2.example.com refuses {TOKEN}") == "alarms-2.example.com refuses ***"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    reference = written(tmp_path, TEXT, mode)
    with pytest.raises(UsageError, match="others may read") as caught:
        open_ways(reference, {})
    assert caught.value.mend == f"chmod 600 {tmp_path / 'ways'}"


@pytest.mark.parametrize(
    ("reference", "environ", "words"),
    [
        (f"slack://{TOKEN}", {}, "no reference"),
        ("env:", {}, "no reference"),
        ("env:WAYS", {}, "WAYS is not set"),
        ("env:WAYS", {"WAYS": "# nothing\n"}, "0 ways"),
        ("env:WAYS", {"WAYS": "json://a\n" * 21}, "21 ways"),
        ("env:WAYS", {"WAYS": f"json://a\n{TOKEN}"}, "line 2 is no way"),
        ("env:WAYS", {"WAYS": f"command:tell {TOKEN}"}, "line 1 names no executable by its full path"),
        ("env:WAYS", {"WAYS": f"command:/tell '{TOKEN}"}, "line 1 names no executable"),
        ("file:/nonexistent/ways", {}, "cannot be read: No such file"),
        ("file:/", {}, "cannot be read: Is a directory"),
    ],
)
def test_bad_ways_are_refused_without_showing_them(
    reference: str, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        open_ways(reference, environ)
    assert caught.value.mend
    assert TOKEN not in str(caught.value)


def test_kinds_of_notices() -> None:
    assert kinds_of("") == frozenset(NoticeKind)
    assert kinds_of(" freeze, TTL ") == {NoticeKind.FREEZE, NoticeKind.TTL}
    with pytest.raises(UsageError, match="'frezee'") as caught:
        kinds_of("frezee")
    assert "freeze" in caught.value.mend
