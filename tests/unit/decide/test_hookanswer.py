"""What a hook answers is read in full or not at all, and can only add reasons."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.hookanswer import Unreadable, reasons
from otto.model.verdict import Effect, Reason


def answer(*found: object) -> bytes:
    return json.dumps({"reasons": found}).encode()


@pytest.mark.parametrize("output", [b"", b" \n", b'{"reasons": []}', b"[]"])
def test_nothing_to_add(output: bytes) -> None:
    assert reasons(output) == ()


@pytest.mark.parametrize("effect", Effect)
def test_a_reason(effect: Effect) -> None:
    word = effect.name.lower()
    found = {"rule": "team.friday", "message": "not on Fridays", "mend": "wait for Monday", "effect": word}
    expected = Reason("hook.team.friday", "not on Fridays", "wait for Monday", effect)
    assert reasons(answer(found)) == (expected,)


def test_without_an_effect_it_refuses() -> None:
    assert reasons(answer({"message": "no"})) == (Reason("hook.unnamed", "no", effect=Effect.REFUSE),)


def test_the_strictest_comes_first() -> None:
    found = reasons(answer(*({"message": "m", "effect": word} for word in ("warn", "refuse", "ask", "wait"))))
    assert [item.effect for item in found] == [Effect.REFUSE, Effect.WAIT, Effect.ASK, Effect.WARN]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("Friday!", "hook.friday"),
        ("guard.approval", "hook.guard.approval"),
        ("hook.x", "hook.x"),
        ("../../etc", "hook.etc"),
        ("\x1b[31mred\n", "hook.31mred"),
        ("ä", "hook.unnamed"),
        ("x" * 500, f"hook.{'x' * 60}"),
    ],
)
def test_names_of_rules_are_cleaned(rule: str, name: str) -> None:
    assert reasons(answer({"rule": rule, "message": "m"}))[0].rule == name


def test_text_is_made_fit_to_print() -> None:
    (found,) = reasons(answer({"message": "a\x1b[2J\r\nb\u202ec" + "x" * 10_000, "mend": "[red]\n"}))
    assert found.message.isprintable()
    assert found.message.startswith("a [2J b c")
    assert len(found.message) == 500
    assert found.mend == "[red]"


def test_conftest() -> None:
    results = [
        {
            "filename": "-",
            "namespace": "main",
            "successes": 1,
            "warnings": [{"msg": "think twice", "metadata": {"query": "data.main.warn"}}],
            "failures": [{"msg": "web-1 goes", "metadata": {"query": "data.main.deny"}}],
            "exceptions": [{"msg": "was excepted"}],
        },
        {"filename": "-", "namespace": "team", "successes": 4},
    ]
    assert reasons(json.dumps(results).encode()) == (
        Reason("hook.main", "web-1 goes", effect=Effect.REFUSE),
        Reason("hook.main", "think twice", effect=Effect.WARN),
    )


def test_of_very_many_reasons_the_strictest_are_kept_and_the_rest_counted() -> None:
    found = [{"message": f"w{n}", "effect": "warn"} for n in range(100)] + [{"message": "no"}]
    read = reasons(answer(*found))
    assert len(read) == 51
    assert read[0].message == "no"
    assert "51 more reasons" in read[-1].message


@pytest.mark.parametrize(
    "output",
    [
        b"ok",
        b"{",
        b"null",
        b"true",
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"{}",
        b'{"reasons": {}}',
        b'{"reasons": ["no"]}',
        b'{"reasons": [{"message": 1}]}',
        b'{"reasons": [{"message": "m", "effect": "allow"}]}',
        b'{"reasons": [{"message": "m", "effect": ["warn"]}]}',
        b'{"reasons": [{"mesage": "misspelt"}]}',
        b"[1]",
        b'[{"failures": []}]',
        b'[{"namespace": "main", "successes": 1, "failures": "many"}]',
        b'[{"namespace": "main", "successes": 1, "failures": [{"message": "m"}]}]',
        b'[{"namespace": "main", "successes": 1, "warnings": ["m"]}]',
    ],
)
def test_what_cannot_be_read(output: bytes) -> None:
    with pytest.raises(Unreadable):
        reasons(output)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["reasons", "message", "effect", "msg"]), inner)
    ),
)
# What looks like an answer, so that much of it is one.
_NEAR = st.fixed_dictionaries(
    {
        "reasons": st.lists(
            st.fixed_dictionaries(
                {"message": st.text()},
                optional={
                    "rule": st.text(),
                    "mend": st.text(),
                    "effect": st.sampled_from(["warn", "ask", "wait", "refuse", "allow"]),
                },
            )
        )
    }
)


@given(_JSON | _NEAR)
def test_whatever_it_answers_it_gives_reasons_or_is_unreadable(value: object) -> None:
    try:
        found = reasons(json.dumps(value).encode())
    except Unreadable:
        return
    assert all(item.rule.startswith("hook.") and item.message for item in found)
