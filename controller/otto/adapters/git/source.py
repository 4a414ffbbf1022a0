"""Puts the parts of the source together, as the settings say."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from otto.adapters.git.access import Access, Keyring
from otto.adapters.git.archive import Archives
from otto.adapters.git.content import ContentLimits
from otto.adapters.git.contents import Contents, Vouch, anybody
from otto.adapters.git.demand import Demanded, Gatehouse, nothing
from otto.adapters.git.external import External
from otto.adapters.git.fetch import check_url
from otto.adapters.git.inspecting import Inspector
from otto.adapters.git.proposals import Proposals
from otto.adapters.git.repositories import EmbeddedRepository, RemoteRepository
from otto.adapters.git.trees import Trees

_INSPECTED = "inspected.db"


def open_source(
    home: Path,
    *,
    url: str = "",
    branch: str = "main",
    folder: str = "specs",
    timeout: float = 60.0,
    token: str = "",
    ssh_key: str = "",
    local_content: bool = False,
    hosts: Mapping[str, Access] | None = None,
    limits: ContentLimits | None = None,
    fetch_bytes: int = 2 * 1024**3,
    inspect_timeout: float = 300.0,
    content_interval: float = 60.0,
    keep_archives: int = 50,
    signatures: Demanded = nothing,
    vouch: Vouch = anybody,
) -> EmbeddedRepository | RemoteRepository:
    """The source of specs of an OTTO_HOME.

    Args:
        home: OTTO_HOME.
        url: remote repository; "" is the embedded `specs.git`, which `seed` has made.
        branch: the branch that is followed.
        folder: folder of the specs.
        timeout: seconds one fetch may take.
        token: reference to the remote's token, `env:NAME` or `file:PATH`; also good for content
            repositories on the same host, and for no other.
        ssh_key: private key for the remote's host, and for no other; "" is the controller's own, which every
            other host gets.
        local_content: whether specs may take content from repositories on this machine's disk.
        hosts: access to further hosts that content comes from.
        limits: how much one site may serve.
        fetch_bytes: most bytes one fetch of a repository may bring.
        inspect_timeout: seconds one look through the content of a site may take.
        content_interval: seconds between two fetches of a content repository.
        keep_archives: archives of content kept at most.
        signatures: says which signatures are demanded now: a remote's tags are fetched when they count, and
            pushes are judged before they are accepted.
        vouch: is shown each commit or signed tag of another repository before its content is used; raises
            where that may not be deployed.

    Raises:
        TerminalError: the address is none to fetch from.
    """
    home = home.absolute()
    plain = _plain(home)
    keyring = Keyring(hosts=_hosts(url, token, ssh_key, plain, hosts or {}), default=plain)
    external = External(
        home / "cache" / "git",
        keyring,
        local=local_content,
        interval=content_interval,
        timeout=timeout,
        max_bytes=fetch_bytes,
    )
    archives = Archives(home / "cache" / "content", keep_archives)
    path = home / "cache" / "source.git" if url else home / "specs.git"
    trees = Trees(path, folder)
    limits = limits or ContentLimits()
    inspector = Inspector(home / "cache" / _INSPECTED, limits, inspect_timeout)
    contents = Contents(trees, external, archives, limits, inspector, vouch=vouch)
    if not url:
        return EmbeddedRepository(trees, contents, branch, Gatehouse(path, home, signatures))
    check_url(url)
    return RemoteRepository(
        trees, contents, url=url, keyring=keyring, branch=branch, timeout=timeout, signatures=signatures
    )


def open_proposals(
    home: Path,
    *,
    url: str,
    branch: str = "main",
    folder: str = "specs",
    timeout: float = 60.0,
    token: str = "",
    ssh_key: str = "",
) -> Proposals:
    """What pull requests of a remote spec repository propose; the arguments are those of `open_source`.

    Raises:
        TerminalError: the address is none to fetch from.
    """
    check_url(url)
    plain = _plain(home.absolute())
    keyring = Keyring(hosts=_hosts(url, token, ssh_key, plain, {}), default=plain)
    path = home.absolute() / "cache" / "pulls.git"
    return Proposals(path, url, keyring, branch=branch, folder=folder, timeout=timeout)


def embedded(
    home: Path, *, branch: str = "main", folder: str = "specs", also: str | None = None
) -> EmbeddedRepository:
    """The embedded repository with its defaults, `also` naming a further folder of objects."""
    home = home.absolute()
    trees = Trees(home / "specs.git", folder, also=also)
    external = External(home / "cache" / "git", Keyring(default=_plain(home)))
    limits = ContentLimits()
    inspector = Inspector(home / "cache" / _INSPECTED, limits)
    contents = Contents(trees, external, Archives(home / "cache" / "content"), limits, inspector)
    return EmbeddedRepository(trees, contents, branch)


def _plain(home: Path) -> Access:
    return Access(
        key=home / "keys" / "id_ed25519",
        known_hosts=(home / "keys" / "known_hosts", Path.home() / ".ssh" / "known_hosts"),
    )


def _hosts(
    url: str, token: str, ssh_key: str, plain: Access, others: Mapping[str, Access]
) -> Mapping[str, Access]:
    hosts = dict(others)
    name = urlsplit(url).hostname
    if name:
        key = Path(ssh_key) if ssh_key else plain.key
        hosts.setdefault(name, replace(plain, token=token, key=key))
    return hosts
