"""One fetch, run as a program of its own.

So a hanging remote can be killed, and libgit2's settings, which are global to a process, are this fetch's
alone. Needs pygit2 and nothing else of OttO.

Reads one JSON object on standard input (see `Request` in `fetch.py`), writes one on standard output:
`{"commit": ID or null, "heads": NUMBER}` or `{"error": KIND, "message": TEXT}` with KIND one of
`refused` (credentials), `untrusted` (certificate or host key), `gone` (no such branch or tag), `missing`
(no such repository), `big`, `full` (no room on the disk), `unreachable`.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pygit2
from pygit2.enums import CredentialType

_COMMIT_ID = 40
# What one pack costs to index, beside its bytes: about 100 bytes of memory for each object.
_OBJECTS = 4_000_000
# An object of many GiB fits into a pack of few MiB, and deltas are put together in memory.
_MEMORY = 4 * 1024**3
_MAPPED = 1024**3
_SPARE = 256 * 1024**2
_STRIDE = 8 * 1024**2
# libgit2 has no code for these, only words.
_MISSING = re.compile(
    r"http status code: 4(04|10)\b|failed to resolve path|repository .*not found", re.IGNORECASE
)
_TAGS = "refs/otto/tags/"
# GIT_FETCH_DEPTH_UNSHALLOW of libgit2: a copy that is cut off is made whole.
_WHOLE = 2**31 - 1

Request = dict[str, Any]
Credential = pygit2.UserPass | pygit2.Keypair | pygit2.Username


class Failure(Exception):  # noqa: N818  (an answer, not an error of the program)
    """The fetch failed in a way that has a name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Callbacks(pygit2.RemoteCallbacks):
    """Answers what libgit2 asks while it talks to a remote."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request
        self._asked = 0
        self._looked = -_STRIDE

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: CredentialType
    ) -> Credential:
        """Give the credentials of this remote, once, and to this remote only."""
        if urlsplit(url).hostname != urlsplit(self._request["url"]).hostname:
            raise Failure("refused", "the remote sends us on to another host, which gets no credentials")
        if allowed_types & CredentialType.USERNAME:
            return pygit2.Username(username_from_url or "git")
        self._asked += 1
        token, key = self._request.get("token"), self._request.get("key")
        if self._asked == 1 and token and allowed_types & CredentialType.USERPASS_PLAINTEXT:
            return pygit2.UserPass(self._request.get("username") or "otto", token)
        if self._asked == 1 and key and allowed_types & CredentialType.SSH_KEY:
            return pygit2.Keypair(username_from_url or "git", None, key, "")
        held = "the credentials were refused" if token or key else "credentials are asked for, none are set"
        raise Failure("refused", held)

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:  # noqa: ARG002
        """Trust what the certificate authorities or the pinned host keys vouch for, nothing else."""
        if not valid:
            what = "host key" if self._request["url"].startswith("ssh:") else "certificate"
            raise Failure("untrusted", f"its {what} is not known to be its own")
        return True

    def transfer_progress(self, stats: Any) -> None:  # noqa: ANN401
        """Stop a repository that is bigger than we take."""
        if stats.received_bytes > self._request["max_bytes"]:
            raise Failure("big", f"the repository is bigger than {self._request['max_bytes']} bytes")
        if stats.total_objects > _OBJECTS:
            raise Failure("big", f"the repository holds more than {_OBJECTS} objects")
        if stats.received_bytes >= self._looked + _STRIDE:
            self._looked = stats.received_bytes
            if shutil.disk_usage(self._request["path"]).free < _SPARE:
                raise Failure("full", f"less than {_SPARE // 1024**2} MiB are left on the disk")


def fetch(request: Request) -> dict[str, object]:
    """Bring a ref of a remote into the bare repository at `path`, under the name `into`."""
    repository = _repository(request["path"])
    callbacks = Callbacks(request)
    remote = repository.remotes.create_anonymous(request["url"])
    heads = {str(head.name): str(head.oid) for head in remote.list_heads(callbacks=callbacks, proxy=True)}
    source = _wanted(request["ref"], heads)
    if source is None:
        return {"commit": None, "heads": 0}
    into = request["into"]
    wanted = heads.get(f"{source}^{{}}") or heads.get(source, source)
    tag = heads[source] if f"{source}^{{}}" in heads else ""
    if not _present(repository, wanted, into, tag) or (request.get("history") and _is_shallow(repository)):
        _forget_lost(repository)
        _download(repository, source, request)
        _tidy(request)
    if not _present(repository, wanted, into, tag):
        raise Failure("gone", f"{request['ref']} leads to no commit it would give us")
    if request["tags"]:
        _bring_tags(repository, source, heads, request)
    return {"commit": wanted, "heads": len(heads)}


def _is_shallow(repository: pygit2.Repository) -> bool:
    return Path(repository.path, "shallow").is_file()


def _repository(path: str) -> pygit2.Repository:
    if not (Path(path) / "HEAD").exists():
        pygit2.init_repository(path, bare=True, initial_head="otto")
    return pygit2.Repository(path)


def _wanted(ref: str, heads: dict[str, str]) -> str | None:
    """The remote's full name of a branch or tag, or the commit id itself; None for an empty remote."""
    for name in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}"):
        if name.startswith("refs/") and name in heads:
            return name
    if len(ref) == _COMMIT_ID and all(digit in "0123456789abcdef" for digit in ref):
        return ref
    if not any(name.startswith("refs/") for name in heads):
        return None
    raise Failure("gone", f"it has no branch or tag {ref}")


def _present(repository: pygit2.Repository, wanted: str, into: str, tag: str) -> bool:
    """Whether the commit is here, and nothing has to be fetched; the local name then leads to it.

    A tag's own object, which may be signed, is kept beside it below `refs/otto/tag-of/`.
    """
    found: object = repository.get(wanted)
    if not isinstance(found, pygit2.Commit) or (tag and tag not in repository):
        return False
    repository.references.create(into, found.id, force=True)
    beside = "refs/otto/tag-of/" + into.removeprefix("refs/otto/")
    if tag:
        repository.references.create(beside, tag, force=True)
    elif beside in repository.references:
        repository.references.delete(beside)
    return True


def _bring_tags(repository: pygit2.Repository, source: str, heads: dict[str, str], request: Request) -> None:
    """All tags under names of our own, as they are there now, and the history they are part of."""
    there = {
        name.removeprefix("refs/tags/"): identity
        for name, identity in heads.items()
        if name.startswith("refs/tags/") and not name.endswith("^{}")
    }
    shallow = _is_shallow(repository)
    if shallow or any(identity not in repository for identity in there.values()):
        refspecs = [f"+{source}:{request['into']}", f"+refs/tags/*:{_TAGS}*"]
        remote = repository.remotes.create_anonymous(request["url"])
        remote.fetch(refspecs, callbacks=Callbacks(request), depth=_WHOLE if shallow else 0, proxy=True)
        _tidy(request)
    here = {name.removeprefix(_TAGS) for name in repository.references if name.startswith(_TAGS)}
    for name in here - there.keys():
        repository.references.delete(_TAGS + name)
    for name, identity in there.items():
        if identity in repository:
            repository.references.create(_TAGS + name, identity, force=True)


def _forget_lost(repository: pygit2.Repository) -> None:
    """Drop names of objects that a damaged copy has lost, or the remote is told that we have them."""
    for reference in list(repository.references.objects):
        if isinstance(reference.target, pygit2.Oid) and reference.target not in repository:
            reference.delete()
    shallow = Path(repository.path, "shallow")
    if shallow.is_file() and any(name not in repository for name in shallow.read_text("ascii").split()):
        shallow.unlink()


def _download(repository: pygit2.Repository, source: str, request: Request) -> None:
    """The last commit alone where the remote can do that, everything where it can't."""
    url, everything = request["url"], ["+refs/heads/*:refs/otto/heads/*", "+refs/tags/*:refs/otto/tags/*"]
    tries = [([f"+{source}:{request['into']}"], 1), ([f"+{source}:{request['into']}"], 0), (everything, 0)]
    if request.get("history") or urlsplit(url).scheme == "file":
        whole = _WHOLE if _is_shallow(repository) else 0
        tries = [(refspecs, whole) for refspecs, depth in tries if not depth]
    if source.startswith("refs/"):
        tries = tries[:-1]
    for refspecs, depth in tries:
        try:
            remote = repository.remotes.create_anonymous(url)
            remote.fetch(refspecs, callbacks=Callbacks(request), depth=depth, proxy=True)
        except pygit2.GitError:
            if (refspecs, depth) == tries[-1]:
                raise
        else:
            return


def _tidy(request: Request) -> None:
    """Each fetch leaves a pack; join them now and then, keeping all objects, the last good ones too."""
    if len(list(Path(request["path"], "objects", "pack").glob("*.pack"))) > request["packs"]:
        with suppress(OSError, subprocess.SubprocessError):
            command = ["git", "-C", request["path"], "repack", "-a", "-d", "-k", "-q"]
            subprocess.run(command, timeout=request["timeout"] / 2, check=False, capture_output=True)


def _prepare(request: Request) -> None:
    home = request["home"]
    pygit2.settings.server_connect_timeout = int(min(10.0, request["timeout"]) * 1000)
    pygit2.settings.server_timeout = int(request["timeout"] * 1000)
    # Objects are only read, and libgit2 runs no program that a configuration names.
    pygit2.settings.owner_validation = False
    pygit2.settings.mwindow_mapped_limit = _MAPPED
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    if request.get("authority"):
        pygit2.settings.ssl_cert_file = request["authority"]
    # libgit2 takes pinned host keys from the home folder's .ssh/known_hosts and from nowhere else.
    folder = Path(home, ".ssh")
    folder.mkdir(mode=0o700)
    known = [
        Path(name).read_text(encoding="utf-8") for name in request["known_hosts"] if Path(name).is_file()
    ]
    (folder / "known_hosts").write_text("\n".join(known), encoding="utf-8")
    pygit2.settings.homedir = home


def _answer(request: Request) -> dict[str, object]:
    try:
        return fetch(request)
    except Failure as failure:
        return {"error": failure.kind, "message": str(failure)}
    except pygit2.AuthError:
        return {"error": "refused", "message": "the credentials were refused"}
    except pygit2.CertificateError as error:
        return {"error": "untrusted", "message": str(error)}
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        if _MISSING.search(str(error)):
            return {"error": "missing", "message": f"there is no such repository, or none for us: {error}"}
        return {"error": "unreachable", "message": str(error)}


def main() -> NoReturn:
    """Read the request, fetch, answer."""
    request: Request = json.load(sys.stdin)
    try:
        _prepare(request)
        answer = _answer(request)
    finally:
        # Whoever asked removes it too, in case we are killed; this is in case they are.
        shutil.rmtree(request["home"], ignore_errors=True)
    json.dump(answer, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # libgit2's network threads have nothing left to say


if __name__ == "__main__":
    main()
