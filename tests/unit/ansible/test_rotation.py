"""Servers out of rotation and back: what is said to haproxy, and what balancers' answers mean."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otto.adapters.ansible.asking import Silence
from otto.adapters.ansible.rotation import StillServedError, Turn, read

ONE, TWO = "s-web-1", "s-web-2"


class Haproxy:
    """A worker that keeps state as haproxy does: out of maintenance it calls a server UP before it looked."""

    def __init__(self, **statuses: str) -> None:
        self.statuses = {"s-web-1": "UP", "s-web-2": "UP"} | {
            name.replace("_", "-"): status for name, status in statuses.items()
        }
        self.sessions = dict.fromkeys(self.statuses, 0)
        self.healthy = dict.fromkeys(self.statuses, True)
        self.told: list[str] = []
        self.check = "L7OK"
        self.deaf = self.gone = False
        self.visited_unchecked = False

    def __call__(self, command: str) -> str:
        if self.gone:
            raise ConnectionRefusedError(111, "Connection refused")
        if command == "show stat web 4 -1":
            rows = [
                f"web,{name},0,{self.sessions[name]},{status},{self.check}," for name, status in self.look()
            ]
            return "\n".join(["# pxname,svname,qcur,scur,status,check_status,", *rows, ""])
        self.told.append(command)
        if not self.deaf:
            self._obey(command)
        return "\n"

    def look(self) -> list[tuple[str, str]]:
        """The states as they are; a check is made after each look."""
        found = list(self.statuses.items())
        for name, status in found:
            word, _, fraction = status.partition(" ")
            if fraction == "1/2":
                self.visited_unchecked |= word == "UP"
                self.statuses[name] = word if self.healthy[name] else "DOWN"
        return found

    def _obey(self, command: str) -> None:
        words = command.split()
        name = words[2].partition("/")[2]
        was = self.statuses[name]
        if words[:2] == ["enable", "health"]:
            self.statuses[name] = "UP 1/2"
            return
        fresh = " 1/2" if was == "MAINT" else ""
        self.statuses[name] = {"maint": "MAINT", "drain": f"DRAIN{fresh}", "ready": f"UP{fresh}"}[words[-1]]


@pytest.fixture
def at(rotation: Any) -> Callable[..., Any]:
    """The program over workers in memory, of which each moment has something happen."""

    def prepare(worker: Haproxy, *old: Haproxy, moments: int = 6, between: Any = lambda _: None) -> Any:
        def pass_by(_: float) -> Iterator[None]:
            for number in range(moments):
                between(number)
                yield

        rotation.current, rotation.earlier = worker, lambda: list(old)
        rotation.moments = pass_by
        return rotation

    return prepare


def test_a_server_is_drained_and_then_left_in_peace(at: Any) -> None:
    worker = Haproxy()
    assert at(worker).set_aside([ONE], 5) == {ONE: 0}
    assert worker.told == [f"set server web/{ONE} state drain", f"set server web/{ONE} state maint"]
    assert worker.statuses == {ONE: "MAINT", TWO: "UP"}


def test_visitors_that_finish_are_waited_for(at: Any) -> None:
    worker, seen = Haproxy(), list[int]()
    worker.sessions[ONE] = 3

    def leave(number: int) -> None:
        seen.append(number)
        worker.sessions[ONE] = max(0, 3 - number)
        assert worker.statuses[ONE] != "MAINT"

    assert at(worker, moments=50, between=leave).set_aside([ONE], 5) == {ONE: 0}
    assert seen == [0, 1, 2, 3, 4], "quiet twice is quiet"


def test_visitors_that_stay_are_counted_over_old_workers_too(at: Any) -> None:
    worker, old = Haproxy(), Haproxy()
    worker.sessions[ONE], old.sessions[ONE], old.sessions[TWO] = 1, 2, 9
    assert at(worker, old).set_aside([ONE], 5) == {ONE: 3}
    assert old.told == [f"set server web/{ONE} state drain"]
    assert worker.statuses[ONE] == "MAINT"


def test_an_old_worker_that_ends_meanwhile_is_none(at: Any) -> None:
    worker, old = Haproxy(), Haproxy()
    old.gone = True
    assert at(worker, old).set_aside([ONE], 5) == {ONE: 0}


def test_a_reload_while_visitors_finish_is_told_again(at: Any) -> None:
    worker = Haproxy()
    worker.sessions[ONE] = 1

    def reload(number: int) -> None:
        if number == 2:
            worker.statuses[ONE] = "UP"
        worker.sessions[ONE] = int(number < 4)

    at(worker, moments=50, between=reload).set_aside([ONE], 5)
    assert worker.told.count(f"set server web/{ONE} state drain") == 2


@pytest.mark.parametrize(
    ("statuses", "servers", "goes"),
    [
        ({}, [ONE, TWO], False),
        ({"s_web_2": "DOWN"}, [ONE], False),
        ({"s_web_2": "MAINT"}, [ONE], False),
        ({"s_web_2": "DOWN"}, [TWO], True),
        ({"s_web_1": "DOWN", "s_web_2": "DOWN"}, [ONE, TWO], True),
        ({"s_web_1": "MAINT", "s_web_2": "UP 1/2"}, [ONE], True),
        ({"s_web_2": "no check"}, [ONE], True),
        ({"s_web_3": "UP"}, [ONE, TWO], True),
    ],
)
def test_the_last_server_that_serves_stays(
    at: Any, statuses: dict[str, str], servers: list[str], goes: bool
) -> None:
    worker = Haproxy(**statuses)
    program = at(worker)
    if goes:
        program.set_aside(servers, 5)
        assert all(worker.statuses[name] == "MAINT" for name in servers)
        return
    with pytest.raises(program.RefusedError, match="nobody would be left"):
        program.set_aside(servers, 5)
    assert worker.told == []


def test_a_server_that_haproxy_does_not_know_gets_no_visitor_from_it(at: Any) -> None:
    worker = Haproxy()
    assert at(worker).set_aside(["s-web-9"], 5) == {"s-web-9": 0}
    assert worker.told == []


def test_haproxy_that_does_not_obey_is_told_of(at: Any) -> None:
    worker = Haproxy()
    worker.deaf = True
    program = at(worker)
    with pytest.raises(program.RefusedError, match="s-web-1 is UP L7OK"):
        program.set_aside([ONE], 5)


@pytest.mark.parametrize("status", ["MAINT", "DRAIN", "DRAIN 1/2", "UP", "UP 1/2", "no check"])
def test_whatever_happened_to_a_server_it_comes_back(at: Any, status: str) -> None:
    worker = Haproxy(s_web_1=status)
    assert at(worker).bring_back([ONE, TWO], 5) == {}
    assert worker.statuses == {ONE: "UP", TWO: "UP"}


def test_no_visitor_comes_before_a_check_has_passed(at: Any) -> None:
    worker = Haproxy(s_web_1="MAINT")
    at(worker).bring_back([ONE], 5)
    assert not worker.visited_unchecked
    assert worker.told == [f"set server web/{ONE} state {state}" for state in ("drain", "ready")]


def test_a_server_that_is_not_well_stays_without_visitors(at: Any) -> None:
    worker = Haproxy(s_web_1="MAINT")
    worker.healthy[ONE] = False
    program = at(worker)
    with pytest.raises(program.RefusedError, match="not UP in 5 s: s-web-1 is DOWN L7OK"):
        program.bring_back([ONE], 5)
    assert f"set server web/{ONE} state ready" not in worker.told


def test_a_check_that_is_underway_is_no_part_of_what_the_last_one_gave(at: Any) -> None:
    worker = Haproxy(s_web_1="MAINT")
    worker.healthy[ONE], worker.check = False, "* L4CON"
    program = at(worker)
    with pytest.raises(program.RefusedError, match=r"not UP in 5 s: s-web-1 is DOWN L4CON$"):
        program.bring_back([ONE], 5)


def test_a_server_that_haproxy_does_not_know_cannot_come_back(at: Any) -> None:
    program = at(Haproxy())
    with pytest.raises(program.RefusedError, match="s-web-9 is unknown to it"):
        program.bring_back([ONE, "s-web-9"], 5)


def test_haproxy_that_is_starting_is_waited_for(at: Any) -> None:
    worker = Haproxy()

    def start(number: int) -> None:
        worker.gone = number < 3

    assert at(worker, between=start).bring_back([ONE], 5) == {}
    program = at(worker, moments=3, between=start)
    with pytest.raises(program.RefusedError, match="haproxy does not run: Connection refused"):
        program.bring_back([ONE], 5)


def test_an_order_that_was_overtaken_does_nothing_more(at: Any) -> None:
    worker = Haproxy()
    worker.sessions[ONE] = 1
    program = at(worker)

    def overtake(number: int) -> None:
        if number == 3:
            program.Order([ONE])
            worker.statuses[ONE] = "UP"  # the later order has brought it back

    program = at(worker, between=overtake)
    with pytest.raises(program.RefusedError, match="came after this one"):
        program.set_aside([ONE], 5)
    assert worker.statuses[ONE] == "UP"


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda worker: None, {"left": {ONE: 0}}),
        (lambda worker: setattr(worker, "gone", True), {"off": "Connection refused"}),
        (
            lambda worker: worker.statuses.update({TWO: "DOWN"}),
            {"refused": "no other server is UP: nobody would be left to serve"},
        ),
    ],
)
def test_it_prints_what_came_of_it(
    at: Any, capsys: pytest.CaptureFixture[str], prepare: Any, said: dict[str, Any]
) -> None:
    worker = Haproxy()
    prepare(worker)
    at(worker).main("set_aside", [ONE], 5)
    assert json.loads(capsys.readouterr().out) == said


def test_old_workers_are_found_in_the_masters_list(rotation: Any, monkeypatch: Any) -> None:
    listed = (
        "#<PID>          <type>          <reloads>       <uptime>        <version>\n"
        "91              master          1 [failed: 0]   0d00h04m09s     2.6.12\n"
        "# workers\n193             worker          0               0d00h00m09s     2.6.12\n"
        "# old workers\n93              worker          1               0d00h04m09s     2.6.12\n"
        "# programs\n77              worker          1               0d00h04m09s     2.6.12\n\n"
    )
    said: list[tuple[str, str]] = []

    def asked(path: str, command: str) -> str:
        said.append((path, command))
        return listed

    monkeypatch.setattr(rotation, "asked", asked)
    (old,) = rotation.earlier()
    old("show stat")
    assert said == [(rotation.MASTER, "show proc"), (rotation.MASTER, "@!93 show stat")]


TURN = Turn("set_aside", (ONE, TWO), 15.0)


@pytest.mark.parametrize(
    ("said", "left", "words"),
    [
        ('{"left": {"s-web-1": 0, "s-web-2": 0}}', {ONE: 0, TWO: 0}, "s-web-1, s-web-2 out of rotation"),
        (
            '{"left": {"s-web-1": 2, "s-web-2": -7, "alien": 9}}',
            {ONE: 2, TWO: 0},
            "s-web-1, s-web-2 out of rotation; visitors left: 2",
        ),
        ('{"left": {"s-web-1": "many"}}', {ONE: 0, TWO: 0}, "s-web-1, s-web-2 out of rotation"),
        ('{"off": "Connection\\u001b[1m refused"}', {}, "left out, haproxy does not run: Connection refused"),
    ],
)
def test_an_answer_is_read(said: str, left: dict[str, int], words: str) -> None:
    assert read({"stdout": said}, TURN) == (left, words)


def test_a_balancer_that_does_not_answer_is_left_out() -> None:
    assert read(Silence("no route"), TURN) == ({}, "left out, it does not answer: no route")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "gives no answer that can be read"),
        ("[1]", "gives no answer that can be read"),
        ('{"left": 3}', "gives no answer that can be read"),
        ("[" * 60_000, "gives no answer that can be read"),
        ('{"refused": "no other\\u202e server\\n is UP"}', "no other server is UP"),
        (json.dumps({"refused": "x" * 9000}), "x" * 100),
    ],
)
def test_a_balancer_that_goes_on_is_told_with_its_words(said: str, why: str) -> None:
    with pytest.raises(StillServedError) as caught:
        read({"stdout": said}, TURN)
    assert str(caught.value).startswith(why)
    assert len(str(caught.value)) < 400


def test_names_are_sent_as_literals() -> None:
    text = Turn("bring_back", ("a-1", "b"), 2).program("# program").decode()
    assert text == "# program\nmain('bring_back', ['a-1', 'b'], 2.0)\n"
