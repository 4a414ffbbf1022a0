"""Where a forge is: of which kind, at which API, and what it calls a repository."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from otto.model.errors import UsageError
from otto.model.forge import ForgeKind

_KNOWN = {
    "github.com": ForgeKind.GITHUB,
    "gitlab.com": ForgeKind.GITLAB,
    "codeberg.org": ForgeKind.GITEA,
    "gitea.com": ForgeKind.GITEA,
}
_APIS = {ForgeKind.GITHUB: "/api/v3", ForgeKind.GITLAB: "/api/v4", ForgeKind.GITEA: "/api/v1"}
_GITHUB_API = "https://api.github.com"
# The hosts under which these forges are reached by ssh through a firewall.
_SAME = {"ssh.github.com": "github.com", "api.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# `git@host:owner/name.git`, as forges show it.
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[^/:][^:]*)")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_PAIR, _DEEPEST = 2, 20


@dataclass(frozen=True, slots=True)
class Address:
    """A forge.

    Attributes:
        kind: whose API it speaks.
        api: address of the API, without a slash at its end.
        host: the host in the addresses of its repositories.
    """

    kind: ForgeKind
    api: str
    host: str

    def repository(self, url: str) -> str:
        """What it calls the repository of a git address; "" for one that lives elsewhere."""
        host, path = _split(url)
        if not host or host != self.host:
            return ""
        parts = path.strip("/").removesuffix(".git").split("/")
        deep = self.kind is ForgeKind.GITLAB
        fits = _PAIR <= len(parts) <= (_DEEPEST if deep else _PAIR)
        return "/".join(parts) if fits and all(_PART.fullmatch(part) for part in parts) else ""


def address(kind: str, api: str, host: str, source: str) -> Address:
    """The forge that settings and the address of the spec repository lead to.

    Args:
        kind: `github`, `gitlab` or `gitea`; "" is told by the host's name.
        api: address of the API; "" is the usual one of that host.
        host: the host in the addresses of repositories; "" is that of `source`, else of the API.
        source: git address of the spec repository, "" for the embedded one.

    Raises:
        UsageError: that is not enough to tell, or the API is not to be reached safely.
    """
    found = host.lower() or _split(source)[0] or _same(urlsplit(api).hostname or "")
    if not found:
        mend = "set forge.kind and forge.api (OTTO_FORGE_KIND, OTTO_FORGE_API)"
        raise UsageError("forge.token is set, and no address says which forge it is for", mend=mend)
    sort = _kind(kind, found)
    return Address(sort, _api(sort, api, found), found)


def _kind(kind: str, host: str) -> ForgeKind:
    if kind:
        name = kind.lower()
        try:
            return ForgeKind("gitea" if name == "forgejo" else name)
        except ValueError:
            mend = "github, gitlab or gitea (forgejo is the same)"
            raise UsageError(f"forge.kind: there is no {kind[:40]!r}", mend=mend) from None
    if host not in _KNOWN:
        mend = "set forge.kind (OTTO_FORGE_KIND) to github, gitlab or gitea"
        raise UsageError(f"it cannot be told what kind of forge {host} is", mend=mend)
    return _KNOWN[host]


def _api(kind: ForgeKind, api: str, host: str) -> str:
    if not api:
        return _GITHUB_API if host == "github.com" else f"https://{host}{_APIS[kind]}"
    parts = urlsplit(api)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        mend = f"write it as https://HOST{_APIS[kind]}"
        raise UsageError("forge.api is no address that a token may be sent to", mend=mend)
    return api.rstrip("/")


def _split(url: str) -> tuple[str, str]:
    """Host and path of a git address; both "" where it has none."""
    if "://" not in url and (found := _SCP.fullmatch(url)):
        return _same(found["host"]), found["path"]
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "", ""
    return (_same(host), parts.path) if parts.scheme in ("http", "https", "ssh") else ("", "")


def _same(host: str) -> str:
    return _SAME.get(host.lower(), host.lower())
