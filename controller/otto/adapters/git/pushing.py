"""One push of one commit, by git itself: it runs hooks of repositories on this disk, and leases.

A lease (`--force-with-lease`) makes it a compare and set: the remote's branch changes only if it still leads
to what the commit was built upon.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from otto.adapters import program
from otto.adapters.git.access import Access, without_credentials
from otto.model.text import one_line

_WORDS = 600
# git has no code for these, only words: whoever may read need not be allowed to write.
_FORBIDDEN = re.compile(
    r"returned error: 40[13]\b|authentication failed|permission denied|not allowed|read[- ]only"
    r"|dubious ownership|could not read username",
    re.IGNORECASE,
)
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")
_SSH = "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10"


@dataclass(frozen=True, slots=True)
class Push:
    """What is pushed, and where to.

    Attributes:
        path: the copy that holds the commit.
        url: the remote, without credentials.
        branch: its branch.
        timeout: seconds all of it may take.
    """

    path: Path
    url: str
    branch: str
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How a push ended, as far as this side knows.

    Attributes:
        done: whether the remote said that its branch leads to the commit.
        refused: whether it said that it will not have it.
        words: why not, in its words.
    """

    done: bool
    refused: bool = False
    words: str = ""


async def push(request: Push, access: Access, commit: str, base: str) -> Answer:
    """Push; never raises for what the other side does.

    Args:
        request: where to.
        access: how that host is spoken to.
        commit: what its branch is to lead to.
        base: what its branch leads to now, "" for a branch that is not there yet.

    Raises:
        TerminalError: the reference to the token leads nowhere.
    """
    ref = f"refs/heads/{request.branch}"
    command = (
        "git",
        "--git-dir",
        str(request.path),
        "push",
        "--porcelain",
        "--no-verify",
        "--quiet",
        f"--force-with-lease={ref}:{base}",
        "--",
        request.url,
        f"{commit}:{ref}",
    )
    ended = await program.run(
        command, b"", seconds=request.timeout, environ=_environment(request.url, access)
    )
    if ended.status == 0:
        return Answer(done=True)
    output, errors = (part.decode(errors="replace") for part in (ended.output, ended.errors))
    reason = next((line for line in output.splitlines() if line.startswith("!")), "")
    words = _words(reason, errors) or ended.trouble or "git said nothing"
    secret = access.secret()
    words = without_credentials(words.replace(secret, "***") if secret else words)
    return Answer(
        done=False, refused=bool(reason or _FORBIDDEN.search(errors)), words=one_line(words, _WORDS)
    )


def _environment(url: str, access: Access) -> dict[str, str]:
    """Credentials go by the environment, never by arguments, which everybody on the machine can read."""
    found = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "LC_ALL": "C.UTF-8",
    }
    found |= {name: os.environ[name] for name in _PROXIES if name in os.environ}
    settings = {"http.followRedirects": "false"}
    token = access.secret()
    if token and urlsplit(url).scheme in ("https", "http"):
        settings |= {
            "credential.helper": f"!f() {{ echo username={_quoted(access.username)}; "
            'echo "password=$OTTO_GIT_TOKEN"; }; f'
        }
        found["OTTO_GIT_TOKEN"] = token
    if access.authority:
        settings["http.sslCAInfo"] = str(access.authority)
    files = " ".join(f'"{path}"' for path in access.known_hosts)
    key = f" -o IdentitiesOnly=yes -i {_quoted(str(access.key))}" if access.key else ""
    found["GIT_SSH_COMMAND"] = f"{_SSH} -o {_quoted(f'UserKnownHostsFile={files}')}{key}"
    found["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (name, value) in enumerate(settings.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _words(reason: str, errors: str) -> str:
    """What was said: the reason that git names, and what the remote wrote to us."""
    _, _, why = reason.rpartition("\t")
    told = [
        line.removeprefix("remote:").strip() for line in errors.splitlines() if line.startswith("remote:")
    ]
    other = [line.strip() for line in errors.splitlines() if line.startswith(("fatal:", "error:"))]
    told = [line for line in told if line]
    return "; ".join([*([why] if why else []), *(told or ([] if why else other))])
