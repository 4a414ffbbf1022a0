"""Fetching from a remote, with a time limit that holds."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from otto.adapters.git.access import Access, without_credentials
from otto.adapters.git.locks import free_stale
from otto.model.errors import OttoError, TerminalError, TransientError

_CHILD = Path(__file__).with_name("child.py")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_HALF = ("pack_git2_*", "tmp_pack*", ".tmp-*")
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
)


@dataclass(frozen=True, slots=True)
class Request:
    """One fetch.

    Attributes:
        path: bare repository that receives; made when it is missing.
        url: the remote, without credentials.
        ref: branch, tag or commit id.
        into: local name of what was fetched, below `refs/otto/`.
        timeout: seconds all of it may take.
        max_bytes: most bytes taken over the network.
        packs: packs that may lie there before they are joined into one.
        history: whether all commits before it are needed too.
        tags: whether all tags and the whole history are wanted as well: tags below `refs/otto/tags/`.
    """

    path: Path
    url: str
    ref: str
    into: str
    timeout: float = 60.0
    max_bytes: int = 2 * 1024**3
    packs: int = 50
    history: bool = False
    tags: bool = False


class MissingError(TransientError):
    """The other side answers, and has no such repository, or none that it shows us."""


async def fetch(request: Request, access: Access) -> str | None:
    """Fetch; the commit id of the ref, None when the remote has no commit at all.

    Raises:
        TransientError: the remote could not be reached, or not in time.
        TerminalError: it refused us, is not to be trusted, is too big, or has no such ref.
    """
    check_url(request.url)
    request.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return await _attempt(request, access)
    except TransientError:
        if not free_stale(request.path):
            raise
        # A killed fetch had left a lock on a ref, which would have kept every other one out.
        return await _attempt(request, access)


async def _attempt(request: Request, access: Access) -> str | None:
    with tempfile.TemporaryDirectory(prefix="otto-fetch-", ignore_cleanup_errors=True) as home:
        output, errors = await _run(request, _payload(request, access, home))
    return _result(request, output, errors, access)


async def _run(request: Request, payload: bytes) -> tuple[bytes, bytes]:
    """Run the child to its end, or to the end of its time; what it wrote to its two outputs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_CHILD),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(request.timeout):
            return await process.communicate(payload)
    except TimeoutError as error:
        where = without_credentials(request.url)
        raise TransientError(f"fetching from {where} took longer than {request.timeout:g} s") from error
    finally:
        await _end(process, request.path)


def check_url(url: str) -> None:
    """See to it that an address is one we fetch from.

    Raises:
        TerminalError: it holds credentials, or is of no kind we know.
    """
    address = urlsplit(url)
    shown = without_credentials(url)
    if address.password is not None or (address.username and address.scheme.startswith("http")):
        mend = "set source.token or source.sshKey instead"
        raise TerminalError(f"the address {shown} holds credentials", mend=mend)
    loopback = address.scheme == "http" and address.hostname in _LOOPBACK
    if address.scheme not in ("https", "ssh", "file") and not loopback:
        mend = "write it as https://HOST/PATH, ssh://USER@HOST/PATH or file:///PATH"
        raise TerminalError(f"{shown} is no address to fetch from", mend=mend)


def _payload(request: Request, access: Access, home: str) -> bytes:
    key = str(access.key) if access.key else ""
    values: dict[str, Any] = {
        "home": home,
        "path": str(request.path),
        "url": request.url,
        "ref": request.ref,
        "into": request.into,
        "timeout": request.timeout,
        "max_bytes": request.max_bytes,
        "packs": request.packs,
        "history": request.history,
        "tags": request.tags,
        "token": access.secret(),
        "username": access.username,
        "key": key,
        "known_hosts": [str(path) for path in access.known_hosts],
        "authority": str(access.authority) if access.authority else "",
    }
    return json.dumps(values).encode()


async def _end(process: asyncio.subprocess.Process, path: Path) -> None:
    """Kill the child and what it started, wait until it is gone, and remove the half packs it leaves."""
    try:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())
    finally:
        # It ends with 0 whatever it answers; otherwise something ended it: a full disk, the lack of memory.
        if process.returncode != 0:
            _sweep(path / "objects" / "pack")


def _sweep(packs: Path) -> None:
    """Remove packs that nobody will finish: libgit2's, and those of `git repack`."""
    for pattern in _HALF:
        for path in packs.glob(pattern):
            with suppress(OSError):
                path.unlink()


def _result(request: Request, output: bytes, errors: bytes, access: Access) -> str | None:
    try:
        answer = json.loads(output)
    except ValueError as error:
        detail = _clean(errors.decode(errors="replace"), access)
        raise TransientError(
            f"fetching from {without_credentials(request.url)} failed", detail=detail
        ) from error
    if "error" in answer:
        raise _error(request, str(answer["error"]), _clean(str(answer["message"]), access))
    commit = answer["commit"]
    return None if commit is None else str(commit)


def _clean(text: str, access: Access) -> str:
    """What the child says, the token cut out should a server have sent it back."""
    secret = access.secret()
    text = without_credentials(text)
    return " ".join((text.replace(secret, "***") if secret else text).split())[-2000:]


def _error(request: Request, kind: str, message: str) -> OttoError:
    where = without_credentials(request.url)
    mends = {
        "refused": "check the token or key in the settings, and that it may read this repository",
        "untrusted": "pin the host's key in OTTO_HOME/keys/known_hosts, or name the certificate authority",
        "gone": "push it again, or name another one",
        "big": "use a smaller repository",
    }
    if kind in mends:
        return TerminalError(f"{where}: {message}", mend=mends[kind])
    if kind == "missing":
        mend = "correct the address, restore the repository, or give access to it in the settings"
        return MissingError(f"{where} cannot be reached: {message}", mend=mend)
    if kind == "full":
        return TransientError(f"{where} was not fetched: {message}", mend="make room where OTTO_HOME lies")
    return TransientError(f"{where} cannot be reached: {message}")
