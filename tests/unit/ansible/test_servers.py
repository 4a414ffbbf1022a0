"""The module that takes back what was done to a running haproxy, over one in memory."""

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

HEAD = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state"
    " srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port"
)
GIVEN: dict[str, Any] = {
    "backend": "web",
    "servers": [
        {"name": "s-web-1", "address": "10.0.0.11", "port": 80},
        {"name": "s-web-2", "address": "fd00::12", "port": 80},
    ],
}
ADDRESSES = {"s-web-1": "10.0.0.11", "s-web-2": "fd00:0::12", "alien": "10.6.6.6"}


class Haproxy:
    """Keeps state as haproxy does, and obeys the orders the module gives."""

    def __init__(self, *names: str) -> None:
        self.rows = {name: self.row(name) for name in names or ("s-web-1", "s-web-2")}
        self.frontends = {"site": "OPEN", "statistics": "OPEN"}
        self.told: list[str] = []
        self.deaf = False
        self.reloads = 0

    @staticmethod
    def row(name: str) -> dict[str, str]:
        return {"address": ADDRESSES[name], "port": "80", "admin": "0", "weight": "7", "checks": "6"}

    def __call__(self, command: str) -> str:
        if command == "show servers state web":
            return f"1\n# {HEAD}\n{''.join(map(self._line, self.rows))}\n"
        if command == "show stat -1 1 -1":
            rows = "".join(f"{name},FRONTEND,,,{status},\n" for name, status in self.frontends.items())
            return f"# pxname,svname,qcur,qmax,status,\n{rows}\n"
        self.told += command.split("; ")
        for order in command.split("; ") if not self.deaf else []:
            self._obey(order.split())
        return "no such thing\n"

    def reload(self) -> None:
        self.reloads += 1

    def _line(self, name: str) -> str:
        row = self.rows[name]
        return (
            f"3 web 1 {name} {row['address']} 2 {row['admin']} {row['weight']} 7 5 6 3 4 {row['checks']}"
            f" 0 0 0 - {row['port']} - 0 0 - - 0\n"
        )

    def _obey(self, words: list[str]) -> None:
        match words:
            case ["set", "server", path, "addr", address, "port", port]:
                self.rows[path.partition("/")[2]] |= {"address": address, "port": port}
            case ["set", "server", path, "weight", "100%"]:
                self.rows[path.partition("/")[2]]["weight"] = "7"
            case ["set", "server", path, "state", "ready"]:
                self.rows[path.partition("/")[2]]["admin"] = "0"
            case ["enable", "health", path]:
                self.rows[path.partition("/")[2]]["checks"] = "6"
            case ["enable", "frontend", name]:
                self.frontends[name] = "OPEN"


def undo(servers: Any, haproxy: Haproxy, **changes: Any) -> dict[str, Any]:
    done: dict[str, Any] = servers.undo(haproxy, haproxy.reload, GIVEN | changes)
    return done


def test_servers_as_configured_are_left_alone(servers: Any) -> None:
    haproxy = Haproxy()
    assert undo(servers, haproxy) == {"changed": False, "undone": []}
    assert (haproxy.told, haproxy.reloads) == ([], 0)


@pytest.mark.parametrize(
    ("change", "order"),
    [
        ({"admin": "1"}, "set server web/s-web-1 state ready"),
        ({"admin": "8"}, "set server web/s-web-1 state ready"),
        ({"admin": "9"}, "set server web/s-web-1 state ready"),
        ({"weight": "0"}, "set server web/s-web-1 weight 100%"),
        ({"checks": "2"}, "enable health web/s-web-1"),
        ({"address": "10.9.9.9"}, "set server web/s-web-1 addr 10.0.0.11 port 80"),
        ({"port": "81"}, "set server web/s-web-1 addr 10.0.0.11 port 80"),
    ],
)
def test_what_was_done_by_hand_is_taken_back_once(servers: Any, change: dict[str, str], order: str) -> None:
    haproxy = Haproxy()
    haproxy.rows["s-web-1"] |= change
    assert undo(servers, haproxy) == {"changed": True, "undone": [order]}
    assert not undo(servers, haproxy)["changed"]
    assert haproxy.told == [order]


@pytest.mark.parametrize("change", [{"admin": "0"}, {"admin": "64"}, {"checks": "7"}, {"checks": "14"}])
def test_what_haproxy_itself_decided_stays(servers: Any, change: dict[str, str]) -> None:
    haproxy = Haproxy()
    haproxy.rows["s-web-1"] |= change
    assert not undo(servers, haproxy)["changed"]


def test_a_paused_frontend_accepts_again(servers: Any) -> None:
    haproxy = Haproxy()
    haproxy.frontends["site"] = "PAUSED"
    assert undo(servers, haproxy)["undone"] == ["enable frontend site"]


@pytest.mark.parametrize("names", [("s-web-1",), ("s-web-1", "s-web-2", "alien")])
def test_servers_that_came_or_went_by_hand_are_a_matter_of_a_reload(
    servers: Any, names: tuple[str, ...]
) -> None:
    haproxy = Haproxy(*names)
    assert undo(servers, haproxy)["changed"]
    assert (haproxy.reloads, haproxy.told) == (1, [])


def test_a_dry_run_only_tells(servers: Any) -> None:
    for haproxy in (Haproxy(), Haproxy("s-web-1")):
        haproxy.rows["s-web-1"]["admin"] = "1"
        assert undo(servers, haproxy, _ansible_check_mode=True)["changed"]
        assert (haproxy.told, haproxy.reloads) == ([], 0)


def test_an_order_that_is_not_obeyed_is_an_error(servers: Any) -> None:
    haproxy = Haproxy()
    haproxy.deaf = True
    haproxy.rows["s-web-1"]["admin"] = "1"
    with pytest.raises(servers.RefusedError, match="state ready, and did not: no such thing"):
        undo(servers, haproxy)


def test_a_haproxy_that_does_not_run_has_nothing_to_undo(servers: Any, tmp_path: Path) -> None:
    def ask(command: str) -> str:
        answer: str = servers.asked(str(tmp_path / "none.sock"), command)
        return answer

    assert servers.undo(ask, lambda: None, GIVEN) == {"changed": False, "undone": []}


def test_an_answer_is_read_to_its_end(servers: Any, tmp_path: Path) -> None:
    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(100) == b"show info\n"
            for _ in range(3):
                connection.sendall(b"x" * 99_999)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        assert len(servers.asked(str(tmp_path / "s"), "show info")) == 299_997
        thread.join(5)
