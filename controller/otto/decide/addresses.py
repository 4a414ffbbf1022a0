"""Addresses of repositories, as far as they name the same repository."""

import re
from functools import lru_cache

_SCHEME = re.compile(
    r"(?:https?|ssh|git|git\+ssh)://(?:[^/@]*@)?(?P<host>\[[^\]]*\]|[^/:]*)(?::\d*)?/+(?P<path>.*)"
)
_SCP = re.compile(r"(?:[^/@:]*@)?(?P<host>[^/:@]+):(?P<path>[^/].*)")
_LONGEST = 1000


@lru_cache(maxsize=20_000)
def normalised(address: str) -> str:
    """What all addresses of one repository have in common: `host/path`, in small letters.

    Scheme, port, user, a trailing `/` and `.git` do not count: a forge names a repository by several
    addresses, and a spec by one of them. It is never an address to fetch from. "" for what is no address.
    """
    text = address.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        return ""
    if text.startswith("file://"):
        return _trimmed(text.removeprefix("file://"))
    match = _SCHEME.fullmatch(text) or (_SCP.fullmatch(text) if "://" not in text else None)
    if match is None or not match["host"] or not _trimmed(match["path"]):
        return ""
    return f"{match['host']}/{_trimmed(match['path'])}".lower()


def _trimmed(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").rstrip("/")
