"""One message on one way."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from otto.adapters import program
from otto.adapters.notify.message import Message, fenced, in_chat, one_line
from otto.adapters.notify.ways import Way

_CHILD = Path(__file__).with_name("child.py")
# The receiver's own silence ends a little before the program that waits for it.
_SHARE = 0.8
_LONGEST = 300
_KEPT = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)


async def send(way: Way, told: Message, seconds: float) -> str:
    """Send; "" when it was taken, else why not, without secrets.

    Args:
        way: on which way.
        told: what.
        seconds: how long that may take.
    """
    trouble = await (_command(way, told, seconds) if way.command else _apprise(way, told, seconds))
    return one_line(way.scrub(trouble), _LONGEST)


async def _command(way: Way, told: Message, seconds: float) -> str:
    given = json.dumps({"version": 1, **asdict(told)}).encode()
    ended = await program.run(way.command, given, seconds=seconds)
    if ended.trouble or ended.status == 0:
        return ended.trouble
    said = ended.errors.decode(errors="replace").strip() or "without a word"
    return f"exit status {ended.status}: {said}"


async def _apprise(way: Way, told: Message, seconds: float) -> str:
    fit = told if way.exact else fenced(told) if way.markdown else in_chat(told)
    request = {
        "address": way.address,
        "title": fit.title,
        "body": fit.body,
        "verbatim": way.markdown,
        "type": fit.type,
        "seconds": _SHARE * seconds,
    }
    ended = await program.run(
        (sys.executable, "-I", str(_CHILD)),
        json.dumps(request).encode(),
        seconds=seconds,
        environ={name: os.environ[name] for name in _KEPT if name in os.environ},
    )
    return ended.trouble or _answer(ended)


def _answer(ended: program.Ended) -> str:
    try:
        answer = json.loads(ended.output)
        return "" if answer["sent"] is True else str(answer["why"])
    except (ValueError, KeyError, TypeError):
        return f"Apprise ended with status {ended.status}: {ended.last_words or 'without a word'}"
