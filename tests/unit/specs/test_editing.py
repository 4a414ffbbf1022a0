"""A write changes what was to be changed in a person's file, and nothing else."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.adapters.specs.editing import YamlEditor
from otto.model.canonical import canonical
from otto.model.errors import UsageError

from .handwritten import Page, changed, pages

EDITOR = YamlEditor()
SETTINGS = settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))

SITE = """\
# Kept by the web team.

# acme
apiVersion: otto/v1   # the only one
kind: Site
metadata:
  name: "acme"
  labels: {env: test, team: 'web'}
spec:
  web:
    count: 2  # two survive the loss of one
    # nothing bigger
    size: small

  # visitors come in here
  balancer: {}
  content: {path: sites/acme}
  domains: [acme.example]
  checks:
    - path: /   # the front page
      status: 200
    # old and dear
    - path: /about
"""


def edited(text: str, new: dict[str, Any], index: int = 0) -> str:
    return EDITOR.replaced("specs/acme.yaml", text.encode(), index, new).decode()


def data(text: str, index: int = 0) -> dict[str, Any]:
    return copy.deepcopy(dict(EDITOR.pieces("specs/acme.yaml", text.encode())[index].data))


def test_a_changed_number_changes_its_digits_alone() -> None:
    new = data(SITE)
    new["spec"]["web"]["count"] = 3
    assert edited(SITE, new) == SITE.replace("count: 2  #", "count: 3  #")


def test_what_comes_in_stands_below_what_is_there_and_is_written_alike() -> None:
    new = data(SITE)
    new["spec"]["web"]["image"] = "nginx"
    new["spec"]["checks"].append({"path": "/new", "headers": {"x": "1"}})
    new["spec"]["domains"].insert(0, "www.acme.example")
    new["metadata"]["labels"]["tier"] = "1"
    wanted = (
        SITE.replace("    size: small\n", "    size: small\n    image: nginx\n")
        .replace(
            "    - path: /about\n",
            '    - path: /about\n    - path: /new\n      headers:\n        x: "1"\n',
        )
        .replace("[acme.example]", "[www.acme.example, acme.example]")
        .replace("team: 'web'}", "team: 'web', tier: \"1\"}")
    )
    assert edited(SITE, new) == wanted


def test_what_goes_takes_its_own_line_and_no_comment_above_it() -> None:
    new = data(SITE)
    del new["spec"]["web"]["size"], new["metadata"]["labels"]["env"], new["spec"]["checks"][0]
    wanted = (
        SITE.replace("    size: small\n", "")
        .replace("{env: test, team", "{team")
        .replace("    - path: /   # the front page\n      status: 200\n", "")
    )
    assert edited(SITE, new) == wanted


def test_the_same_data_leaves_every_byte() -> None:
    assert edited(SITE, data(SITE)) == SITE


def test_quotation_marks_stay_where_text_is_exchanged() -> None:
    text = "a: 'one'\nb: \"two\"\nc: three\n"
    new = {"a": "uno", "b": "due", "c": "010"}
    assert edited(text, new) == 'a: \'uno\'\nb: "due"\nc: "010"\n'


def test_what_an_alias_stands_for_is_spelled_out_when_only_one_of_them_changes() -> None:
    text = "a: &it\n  x: 1 # one\n  y: 2\nb: *it # the same\n"
    assert edited(text, {"a": {"x": 5, "y": 2}, "b": {"x": 1, "y": 2}}) == (
        "a: &it\n  x: 5 # one\n  y: 2\nb: # the same\n  x: 1\n  y: 2\n"
    )
    assert edited(text, {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": 1}) == text + "c: 1\n"


def test_documents_beside_it_stay_to_the_byte() -> None:
    other = "---\n# other\nz:   {q: [ 1,2 ]}   # odd\n...\n"
    text = SITE + other
    new = data(text)
    new["spec"]["web"]["count"] = 9
    assert edited(text, new) == SITE.replace("count: 2 ", "count: 9 ") + other
    assert EDITOR.removed("f", text.encode(), 0) == b"# Kept by the web team.\n\n" + other.encode()
    assert EDITOR.removed("f", text.encode(), 1) == SITE.encode()


def test_a_file_goes_with_its_last_document() -> None:
    assert EDITOR.removed("f", b"a: 1\n", 0) is None
    assert EDITOR.removed("f", b"---\na: 1\n---\n# nothing here\n", 0) is None


def test_line_breaks_of_windows_and_a_byte_order_mark_stay() -> None:
    text = "\ufeffa: 1 # one\r\nb: 2\r\n"
    found = EDITOR.replaced("f", text.encode(), 0, {"a": 1, "b": 3, "c": "x\ny"})
    assert found.decode() == "\ufeffa: 1 # one\r\nb: 3\r\nc: |-\r\n  x\r\n  y\r\n"


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("a: 1\r\nb: 2\n", {"a": 2, "b": 2}),
        ("a: [1\n", {"a": 1}),
        ("a: 1\n", {"a": 10**30}),
        ("a: 1\n", {"a": "\ud800"}),
        ("? a\n: 1\n", {"a": 2}),
    ],
    ids=["two kinds of line breaks", "not YAML", "too long a number", "half a character", "an explicit key"],
)
def test_what_cannot_be_edited_without_damage_is_refused(text: str, new: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        edited(text, new)
    assert "specs/acme.yaml" in str(caught.value)
    assert caught.value.mend


def test_a_document_with_a_flaw_is_written_anew_as_a_whole() -> None:
    text = "a: 1\n---\n# mine\nname: no\nname: x\n---\nb: 2\n"
    assert [piece.flawed for piece in EDITOR.pieces("f", text.encode())] == [False, True, False]
    assert edited(text, {"name": "y"}, 1) == "a: 1\n---\nname: y\n---\nb: 2\n"


def test_a_flaw_in_a_value_is_edited_out_and_what_stands_around_it_stays() -> None:
    text = "# mine\nname: x\nspec:\n  # why\n  web: {count: yes}  # odd\n  zip: 012 # code\n"
    assert EDITOR.pieces("f", text.encode())[0].flawed
    found = edited(text, {"name": "x", "spec": {"web": {"count": 2}, "zip": "012"}})
    assert found == text.replace("yes", "2").replace("012", '"012"')
    assert not EDITOR.pieces("f", found.encode())[0].flawed


def test_bombs_and_depths_are_refused_before_anything_is_looked_at() -> None:
    for bomb in (b"a: " + b"[" * 100, b"x" * 2_000_000, b"\xff\xfe"):
        with pytest.raises(UsageError):
            EDITOR.pieces("f", bomb)


@SETTINGS
@given(st.data())
def test_after_a_write_a_file_says_exactly_what_was_wanted(draw: st.DataObject) -> None:
    many = draw.draw(st.lists(pages(), min_size=1, max_size=3))
    index = draw.draw(st.integers(0, len(many) - 1))
    text = "---\n".join(page.text for page in many)
    new = draw.draw(changed(many[index].data))
    found = edited(text, new, index)
    said = EDITOR.pieces("f", found.encode())
    wanted = [new if place == index else page.data for place, page in enumerate(many)]
    assert [canonical(piece.data) for piece in said] == [canonical(one) for one in wanted]
    parts = text.split("---\n") if text.count("---\n") == len(many) - 1 else []
    assert all(part in found for place, part in enumerate(parts) if place != index)
    _comments_stay(many[index], new, found)


def _comments_stay(page: Page, new: dict[str, Any], found: str) -> None:
    for note, path in page.hand.above.items():
        if _walked(page.data, new, path):
            assert note in found
    for note, path in page.hand.beside.items():
        if _walked(page.data, new, path[:-1]) and _at(page.data, path) == _at(new, path) is not _GONE:
            assert note in found


_GONE = object()


def _walked(old: Any, new: Any, path: tuple[str, ...]) -> bool:
    """Whether every mapping on the way, and the last one, is there before and afterwards, not anew."""
    for step in (*path, None):
        if not isinstance(old, dict) or not isinstance(new, dict) or not old.keys() & new.keys():
            return False
        if step is not None:
            old, new = old.get(step, _GONE), new.get(step, _GONE)
    return True


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step, _GONE) if isinstance(value, dict) else _GONE
    return value if value is _GONE else canonical(value)


@SETTINGS
@given(pages())
def test_nothing_changes_where_nothing_is_changed(page: Page) -> None:
    assert edited(page.text, page.data) == page.text


@SETTINGS
@given(st.lists(pages(), min_size=2, max_size=3), st.data())
def test_a_removed_document_leaves_the_others_to_the_byte(many: list[Page], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(many) - 1))
    text = "---\n".join(page.text for page in many)
    found = EDITOR.removed("f", text.encode(), index)
    assert found is not None
    rest = [page for place, page in enumerate(many) if place != index]
    assert [canonical(piece.data) for piece in EDITOR.pieces("f", found)] == [
        canonical(page.data) for page in rest
    ]
    assert all(page.text in found.decode() for page in rest)


@SETTINGS
@given(pages())
def test_a_new_file_says_what_was_wanted(page: Page) -> None:
    found = EDITOR.created("f", page.data)
    assert [canonical(piece.data) for piece in EDITOR.pieces("f", found)] == [canonical(page.data)]
