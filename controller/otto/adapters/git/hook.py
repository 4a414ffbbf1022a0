"""Tells the controller of a push and shows the pusher what it says. Runs as a git hook.

`hook.py push|judge HOME`, refs on standard input as git gives them. `push` (post-receive) never fails a
push; `judge` (pre-receive) ends as the controller says, and accepts when there is no controller.

Standard library only, started with `python -I -S`, and sparing with imports, so that a push is known
early: `socket` and `json` would cost 13 of 22 ms before the first byte goes out. So the module below
`socket` is used, and `json` is loaded while the controller is deciding already.
"""

import _socket
import os
import sys
import time
from collections.abc import Iterator

_CONNECT = 1.0
_ALL = 20.0
_LINES = 200
_LONGEST = 500
_MOST_BYTES = 1024 * 1024

# What the pusher reads when the controller does not answer, by hook and by what went wrong.
_SAYINGS = {
    ("push", "down"): "OttO is not running: the push is stored, and picked up at its next start.",
    ("push", "forbidden"): "OttO takes no word from this account: the push is stored, and found by polling.",
    ("push", "slow"): "OttO is still busy: the push is stored, and worked on by itself (otto status).",
    ("judge", "down"): "OttO is not running: the push is accepted unjudged.",
    ("judge", "forbidden"): "OttO takes no word from this account: the push is accepted unjudged.",
    ("judge", "slow"): "OttO did not answer in time: the push is accepted unjudged.",
}


def plain(text: str) -> str:
    """Text as one line of printable ASCII: specs and their names are other people's."""
    shown = text[:_LONGEST].encode("unicode_escape").decode("ascii")
    return "".join(character if " " <= character <= "~" else "?" for character in shown)


def show(text: str) -> None:
    """Print a line on the pusher's terminal."""
    sys.stdout.write(plain(text) + "\n")
    sys.stdout.flush()


def quoted(text: str) -> str:
    """A JSON string. Names of refs are any UTF-8 that git allows."""
    digits = text.encode("utf-16-be", "surrogatepass").hex()
    return '"' + "".join(f"\\u{digits[place : place + 4]}" for place in range(0, len(digits), 4)) + '"'


def request(operation: str, refs: list[list[str]], quarantine: str | None) -> bytes:
    """The one line the controller is sent: `{"op", "refs": [[old, new, ref]...], "quarantine"}`."""
    triples = ",".join("[" + ",".join(map(quoted, ref)) + "]" for ref in refs)
    where = "null" if quarantine is None else quoted(quarantine)
    return f'{{"op":{quoted(operation)},"refs":[{triples}],"quarantine":{where}}}\n'.encode()


def answers(connection: _socket.socket, until: float) -> Iterator[dict[str, str | int]]:
    """Objects the controller sends, one a line, until `until` (monotonic)."""
    import json  # noqa: PLC0415  (see above)

    pending, taken = b"", 0
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        data = connection.recv(65536)
        taken += len(data)
        if not data or taken > _MOST_BYTES:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if not isinstance(answer, dict):
                raise ValueError("an answer is a JSON object")  # noqa: TRY004  (as for what is no JSON)
            yield answer


def converse(operation: str, refs: list[list[str]]) -> int:
    """Tell the controller, show what it says; the exit status it asks for."""
    until = time.monotonic() + _ALL
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(_CONNECT)
        connection.connect("control.sock")
        connection.sendall(request(operation, refs, os.environ.get("GIT_QUARANTINE_PATH")))
        for count, answer in enumerate(answers(connection, until)):
            if answer.get("done"):
                if answer.get("error"):
                    show(f"OttO: {answer['error']}")
                return int(answer.get("exit", 0) or 0)
            if count < _LINES:
                show(str(answer.get("line", "")))
    finally:
        connection.close()
    raise ConnectionResetError


def main(operation: str, home: str) -> int:
    """Run the hook; its exit status."""
    refs = [line.split(None, 2) for line in sys.stdin.read(_MOST_BYTES).splitlines()]
    try:
        os.chdir(home)  # the address of a unix socket holds 107 bytes; from here it is short
        status = converse(operation, refs)
    except PermissionError:
        failure, status = "forbidden", 0
    except TimeoutError:
        failure, status = "slow", 0
    except (OSError, ValueError):
        failure, status = "down", 0
    else:
        return status if operation == "judge" else 0
    show(_SAYINGS[operation, failure])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
