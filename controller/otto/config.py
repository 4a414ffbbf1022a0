"""Settings: defaults, then the file, then the environment, then flags, each over the one before.

The file is `OTTO_HOME/otto.yaml` (or what `OTTO_CONFIG` names). A setting `api.port` is `OTTO_API_PORT`
in the environment. Unknown names are errors, so that a typing mistake never goes unnoticed.
"""

import dataclasses
import difflib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from otto.decide import references
from otto.model.errors import UsageError
from otto.model.spec import Provider

_SHORT_NAMES = {"do": "digitalocean", "gce": "gcp", "google": "gcp", "local": "lab"}
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class ApiSettings:
    """Where health, metrics and the API are served."""

    address: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=7070, metadata={"help": "TCP port to listen on; 0 takes any free one"})
    anonymous: str = field(
        default="loopback",
        metadata={"help": "who may do everything without a token: loopback (this machine), or never"},
    )
    hosts: str = field(
        default="",
        metadata={
            "help": "names, besides loopback ones, by which callers without a token may call us; by commas"
        },
    )
    proxies: str = field(
        default="",
        metadata={
            "help": "addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas"
        },
    )
    guesses: int = field(
        default=10, metadata={"help": "tokens that do not count an address may send within api.guessWindow"}
    )
    guessWindow: float = field(  # noqa: N815
        default=300.0, metadata={"help": "seconds for which a guess of a token is remembered"}
    )
    tokenDays: float = field(  # noqa: N815
        default=90.0, metadata={"help": "days a token holds when nothing is said"}
    )
    tokenMaxDays: float = field(  # noqa: N815
        default=366.0, metadata={"help": "days a token holds at most"}
    )
    plain: bool = field(
        default=False,
        metadata={"help": "let tokens come over plain HTTP from other machines; a proxy here does TLS"},
    )
    certificate: str = field(
        default="", metadata={"help": "file of the TLS certificate, its chain behind it; empty: no TLS"}
    )
    key: str = field(default="", metadata={"help": "file of the certificate's private key"})
    origins: str = field(
        default="",
        metadata={"help": "origins whose pages may ask (CORS), separated by commas; empty: none"},
    )
    rate: float = field(
        default=100.0,
        metadata={"help": "requests a second that one caller may make on average; 0: any number"},
    )
    burst: int = field(default=500, metadata={"help": "requests that one caller may make at once"})
    maxBody: int = field(  # noqa: N815
        default=1 << 20, metadata={"help": "most bytes of a request's body; more is refused unread"}
    )
    connections: int = field(
        default=512, metadata={"help": "connections at once; more are told to come again"}
    )
    openMetrics: bool = field(  # noqa: N815
        default=False, metadata={"help": "show /metrics to whoever reaches the port, without a token"}
    )

    def __post_init__(self) -> None:
        """Refuse half of TLS, and origins that are none.

        Raises:
            UsageError: a setting makes no sense.
        """
        if self.anonymous not in ("loopback", "never"):
            raise UsageError(
                f"setting api.anonymous (OTTO_API_ANONYMOUS): {self.anonymous[:40]!r} is none of its values",
                mend="set it to loopback or never",
            )
        if bool(self.certificate) != bool(self.key):
            missing = "api.key" if self.certificate else "api.certificate"
            raise UsageError(f"setting {missing} is missing", mend="TLS takes a certificate and its key")
        for origin in self.allowed:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not host or "/" in host or "*" in host:
                mend = "write origins as https://HOST or https://HOST:PORT"
                raise UsageError(f"setting api.origins: {origin[:80]!r} is no origin", mend=mend)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The origins, one by one."""
        return tuple(item.strip() for item in self.origins.split(",") if item.strip())


@dataclass(frozen=True)
class RemoteSettings:
    """A controller on another machine, for the command line."""

    server: str = field(
        default="",
        metadata={"help": "address of its API (OTTO_SERVER); empty: the home on this machine is meant"},
    )
    token: str = field(
        default="env:OTTO_TOKEN", metadata={"help": "reference to the token: env:NAME, file:PATH or vault:…"}
    )
    ca: str = field(
        default="", metadata={"help": "file of certificate authorities to trust; empty: the system's"}
    )
    timeout: float = field(
        default=30.0, metadata={"help": "seconds an answer may take, where it does not surely take longer"}
    )
    plain: bool = field(default=False, metadata={"help": "send the token over plain HTTP to other machines"})

    def __post_init__(self) -> None:
        """Refuse a token where a reference belongs, without showing it."""
        if not references.is_reference(self.token):
            mend = "put the token into a file of mode 0600 and set it to file:PATH, or use OTTO_TOKEN"
            raise UsageError("setting remote.token (OTTO_REMOTE_TOKEN) is no reference", mend=mend)


@dataclass(frozen=True)
class SecretsSettings:
    """Where secrets that specs refer to may be."""

    folders: str = field(
        default="",
        metadata={
            "help": "folders of files that specs may refer to, separated by ':'; empty: OTTO_HOME/secrets"
        },
    )
    variables: str = field(
        default="OTTO_SECRET_*,OTTO_DNS_*,AWS_*,DIGITALOCEAN_*,GOOGLE_*,POWERDNS_*",
        metadata={"help": "variables that specs may refer to, separated by commas; * stands for anything"},
    )
    vaultPassword: str = field(  # noqa: N815
        default="", metadata={"help": "reference to the password of vaults: env:NAME or file:PATH"}
    )

    def __post_init__(self) -> None:
        """Refuse a password where a reference belongs, without showing it."""
        if self.vaultPassword and not references.is_reference(self.vaultPassword):
            mend = "put the password into a file of mode 0600 and set it to file:PATH"
            raise UsageError("setting secrets.vaultPassword is no reference", mend=mend)


@dataclass(frozen=True)
class SourceSettings:
    """Where specs come from."""

    url: str = field(default="", metadata={"help": "remote repository; empty: the embedded specs.git"})
    branch: str = field(default="main", metadata={"help": "branch that is followed"})
    path: str = field(default="specs", metadata={"help": "folder of the specs in the repository"})
    interval: float = field(default=30.0, metadata={"help": "seconds between two polls of a remote"})
    timeout: float = field(default=60.0, metadata={"help": "seconds one fetch may take"})
    rejectInvalid: bool = field(  # noqa: N815  (as issues and docs name it)
        default=False, metadata={"help": "refuse a push that holds a bad spec"}
    )
    token: str = field(default="", metadata={"help": "reference to a token: env:NAME or file:PATH"})
    sshKey: str = field(  # noqa: N815
        default="", metadata={"help": "private key for the host of source.url, when that is ssh"}
    )
    signingKey: str = field(  # noqa: N815
        default="",
        metadata={"help": "private SSH key that commits made through the API are signed with; empty: none"},
    )
    mailDomain: str = field(  # noqa: N815
        default="localhost", metadata={"help": "what stands behind the @ of callers of the API in commits"}
    )
    localContent: bool = field(  # noqa: N815
        default=False, metadata={"help": "let specs take content from the controller's disk (file:///)"}
    )


@dataclass(frozen=True)
class ContentSettings:
    """How much one site may serve, and what looking through it may take."""

    maxFiles: int = field(default=50_000, metadata={"help": "files one site may have"})  # noqa: N815
    maxBytes: int = field(  # noqa: N815
        default=1024**3, metadata={"help": "bytes all files of one site may have together"}
    )
    maxFileBytes: int = field(  # noqa: N815
        default=256 * 1024**2, metadata={"help": "bytes one file may have"}
    )
    fetchBytes: int = field(  # noqa: N815
        default=2 * 1024**3, metadata={"help": "bytes one fetch of a content repository may bring"}
    )
    inspectTimeout: float = field(  # noqa: N815
        default=300.0, metadata={"help": "seconds a look through the content of one site may take"}
    )


@dataclass(frozen=True)
class LabSettings:
    """The local lab."""

    socket: str = field(default="", metadata={"help": "container engine API; empty: found or started"})
    pool: str = field(default="10.203.0.0/16", metadata={"help": "where lab networks get their subnets"})
    publish: bool = field(
        default=False, metadata={"help": "publish ports on loopback, where bridges are not reachable"}
    )
    archives: str = field(
        default="", metadata={"help": "folder with the base image in an archive; empty: it is built here"}
    )
    zone: str = field(
        default="test", metadata={"help": "zone of the lab's nameserver, from which it delegates others"}
    )


@dataclass(frozen=True)
class TerraformSettings:
    """Terraform or OpenTofu."""

    binary: str = field(default="terraform", metadata={"help": "terraform or tofu, by name or path"})
    planTimeout: float = field(  # noqa: N815
        default=120.0, metadata={"help": "seconds a plan may take"}
    )
    applyTimeout: float = field(  # noqa: N815
        default=900.0, metadata={"help": "seconds an apply may take before it is interrupted"}
    )


@dataclass(frozen=True)
class ImagesSettings:
    """Golden images."""

    packer: str = field(default="packer", metadata={"help": "Packer, by name or path"})
    timeout: float = field(default=1800.0, metadata={"help": "seconds one build may take"})
    atOnce: int = field(default=2, metadata={"help": "images built at once"})  # noqa: N815


@dataclass(frozen=True)
class AnsibleSettings:
    """Ansible."""

    timeout: float = field(default=600.0, metadata={"help": "seconds one play may take"})
    factsTimeout: float = field(  # noqa: N815
        default=8.0, metadata={"help": "seconds a host has to answer with its facts"}
    )
    forks: int = field(default=10, metadata={"help": "hosts worked on at once in one play"})


@dataclass(frozen=True)
class LoopSettings:
    """The loop."""

    workers: int = field(default=4, metadata={"help": "sites worked on at once"})
    interval: float = field(
        default=30.0, metadata={"help": "seconds between two full looks at a site, every check included"}
    )
    backoffBase: float = field(  # noqa: N815
        default=2.0, metadata={"help": "seconds after a first failure"}
    )
    backoffCap: float = field(  # noqa: N815
        default=300.0, metadata={"help": "most seconds between two tries"}
    )
    verifyDeadline: float = field(  # noqa: N815
        default=45.0, metadata={"help": "seconds a site has to come up before its checks count as failed"}
    )
    drainTimeout: float = field(  # noqa: N815
        default=15.0, metadata={"help": "seconds visitors have to finish when a site is taken down"}
    )
    history: int = field(default=200, metadata={"help": "runs kept for each site"})


@dataclass(frozen=True)
class ProbesSettings:
    """Tier 0 of observation: the provider's list of hosts, requests to hosts, haproxy's statistics."""

    interval: float = field(default=2.0, metadata={"help": "seconds between two looks at a site"})
    jitter: float = field(
        default=0.1, metadata={"help": "share of the interval by which it is moved at random"}
    )
    concurrency: int = field(default=64, metadata={"help": "requests under way at once"})
    batch: int = field(default=50, metadata={"help": "sites looked at with one list of hosts"})
    timeout: float = field(default=1.0, metadata={"help": "seconds a host has to answer a probe"})
    confirmations: int = field(
        default=3,
        metadata={"help": "looks in a row in which a host is silent before it counts as lost"},
    )
    lostShare: float = field(  # noqa: N815
        default=0.34,
        metadata={"help": "share of all hosts that may be silent at once; more, and OttO doubts itself"},
    )


@dataclass(frozen=True)
class FactsSettings:
    """Tier 1 of observation: what hosts say of themselves, many sites at once."""

    interval: float = field(default=30.0, metadata={"help": "seconds between two looks at a site"})
    jitter: float = field(
        default=0.1, metadata={"help": "share of the interval by which it is moved at random"}
    )
    concurrency: int = field(default=2, metadata={"help": "batches of hosts asked at once"})
    batch: int = field(default=50, metadata={"help": "hosts asked together"})


@dataclass(frozen=True)
class RefreshSettings:
    """Tier 2 of observation: Terraform asks the provider what changed outside of it."""

    interval: float = field(default=1800.0, metadata={"help": "seconds between two looks at a site"})
    jitter: float = field(
        default=0.1, metadata={"help": "share of the interval by which it is moved at random"}
    )
    concurrency: int = field(default=1, metadata={"help": "Terraform runs at once"})
    batch: int = field(default=4, metadata={"help": "sites made due for it together"})


@dataclass(frozen=True)
class DnsSettings:
    """Zones: how often they are looked at, and what limits there are."""

    interval: float = field(default=30.0, metadata={"help": "seconds between two looks at a zone's serial"})
    refresh: float = field(
        default=900.0,
        metadata={"help": "seconds after which a zone is read in full, and its nameservers asked, anyway"},
    )
    concurrency: int = field(default=8, metadata={"help": "zones worked on at once, beside the sites"})
    workers: int = field(
        default=2, metadata={"help": "processes that plan and change zones; each takes about 100 MB"}
    )
    timeout: float = field(
        default=120.0, metadata={"help": "seconds that reading, planning or checking a zone may take"}
    )
    applyTimeout: float = field(  # noqa: N815
        default=600.0, metadata={"help": "seconds that changing a zone may take"}
    )
    queryTimeout: float = field(  # noqa: N815
        default=5.0, metadata={"help": "seconds that a nameserver has to answer one question"}
    )
    verifyDeadline: float = field(  # noqa: N815
        default=60.0,
        metadata={"help": "seconds that all nameservers have to answer as desired after a change"},
    )
    drainLimit: float = field(  # noqa: N815
        default=900.0,
        metadata={"help": "most seconds that a site or balancer which has left DNS is kept for its TTL"},
    )
    resolvers: str = field(
        default="",
        metadata={
            "help": "resolvers that nameservers are looked up at, ADDRESS or ADDRESS#PORT, separated by "
            "commas; empty: the system's"
        },
    )
    route53: str = field(default="", metadata={"help": "address of Route 53's API; empty: the usual one"})
    route53domains: str = field(
        default="", metadata={"help": "address of the API of Route 53 Domains; empty: the usual one"}
    )
    digitalocean: str = field(
        default="", metadata={"help": "address of DigitalOcean's API; empty: the usual one"}
    )
    googlecloud: str = field(
        default="", metadata={"help": "address of Google Cloud DNS's API; empty: the usual one"}
    )
    powerdns: str = field(
        default="",
        metadata={"help": "address of PowerDNS's API for all of its zones; empty: what their specs say"},
    )


@dataclass(frozen=True)
class NotifySettings:
    """Who is told what needs a person."""

    urls: str = field(
        default="",
        metadata={"help": "reference to the ways people are told, one a line: env:NAME or file:PATH"},
    )
    events: str = field(
        default="", metadata={"help": "kinds of notices that are sent, separated by commas; empty: all"}
    )
    timeout: float = field(default=15.0, metadata={"help": "seconds one try on one way may take"})
    retries: int = field(default=3, metadata={"help": "tries after a failed one"})

    def __post_init__(self) -> None:
        """Refuse an address where a reference belongs, without showing it: it may hold a secret."""
        if self.urls and not self.urls.startswith(("env:", "file:")):
            mend = "put the ways into a file of mode 0600 and set it to file:PATH"
            raise UsageError("setting notify.urls (OTTO_NOTIFY_URLS) is no reference", mend=mend)


@dataclass(frozen=True)
class PipelinesSettings:
    """Pipelines."""

    schedule: str = field(
        default="",
        metadata={
            "help": "when every site is fetched, looked at and verified anew, as a cron expression in UTC"
        },
    )


@dataclass(frozen=True)
class HooksSettings:
    """Webhooks."""

    secret: str = field(
        default="",
        metadata={
            "help": "reference to the secret that senders share, several one a line: env:NAME, file:PATH or "
            "vault:PATH#KEY; empty: no webhooks"
        },
    )
    maxBody: int = field(  # noqa: N815
        default=1 << 20, metadata={"help": "most bytes of a delivery; more is refused unread"}
    )
    window: float = field(
        default=300.0, metadata={"help": "seconds by which the time in a generic delivery may be off"}
    )

    def __post_init__(self) -> None:
        """Refuse a secret where a reference belongs, without showing it."""
        if self.secret and not references.is_reference(self.secret):
            mend = "put the secret into a file of mode 0600 and set it to file:PATH"
            raise UsageError("setting hooks.secret (OTTO_HOOKS_SECRET) is no reference", mend=mend)


@dataclass(frozen=True)
class ForgeSettings:
    """Where repositories live, and is told what became of commits: GitHub, GitLab, Gitea, Forgejo."""

    token: str = field(
        default="",
        metadata={"help": "reference to a token: env:NAME or file:PATH; empty: nothing is told"},
    )
    kind: str = field(
        default="", metadata={"help": "github, gitlab or gitea; empty: told by the host's name"}
    )
    api: str = field(default="", metadata={"help": "address of the API; empty: the usual one of the host"})
    host: str = field(
        default="", metadata={"help": "host in addresses of repositories; empty: that of source.url"}
    )
    authority: str = field(
        default="", metadata={"help": "file of certificate authorities to trust; empty: the system's"}
    )
    context: str = field(default="otto", metadata={"help": "name that commit statuses begin with"})
    timeout: float = field(default=15.0, metadata={"help": "seconds a request may take"})
    sites: int = field(
        default=50,
        metadata={"help": "most sites of one commit that get a status each; with more, one for all"},
    )
    deployments: bool = field(default=True, metadata={"help": "keep a record of deployments, by site"})
    pulls: int = field(
        default=30, metadata={"help": "open pull requests that get a preview, the newest; 0 for none"}
    )
    interval: float = field(
        default=60.0, metadata={"help": "seconds between two looks at open pull requests"}
    )

    def __post_init__(self) -> None:
        """Refuse a token where a reference belongs, without showing it."""
        if self.token and not self.token.startswith(("env:", "file:")):
            mend = "put the token into a file of mode 0600 and set it to file:PATH"
            raise UsageError("setting forge.token (OTTO_FORGE_TOKEN) is no reference", mend=mend)


@dataclass(frozen=True)
class PolicySettings:
    """The operator's policy for the fleet."""

    file: str = field(
        default="", metadata={"help": "file of the fleet's policy; empty: OTTO_HOME/policy.yaml"}
    )


@dataclass(frozen=True)
class LogSettings:
    """Logs."""

    format: str = field(default="console", metadata={"help": "console or json, on standard error"})
    level: str = field(default="info", metadata={"help": "debug, info, warning or error"})


@dataclass(frozen=True)
class MetricsSettings:
    """Metrics."""

    perSite: bool = field(  # noqa: N815
        default=True, metadata={"help": "series for every site; off for very large fleets"}
    )
    siteLimit: int = field(  # noqa: N815
        default=1000,
        metadata={"help": "most sites that have series of their own; with more, none has"},
    )


@dataclass(frozen=True)
class Settings:
    """All settings; see `otto config` for each with its help and present value."""

    home: Path = Path("var")
    databaseUrl: str = field(  # noqa: N815
        default="", metadata={"help": "SQLAlchemy URL of the store; empty: OTTO_HOME/otto.db"}
    )
    providers: tuple[Provider, ...] = field(
        default=tuple(Provider), metadata={"help": "providers that may be touched (CLOWD_PROVIDERS)"}
    )
    api: ApiSettings = ApiSettings()
    remote: RemoteSettings = RemoteSettings()
    secrets: SecretsSettings = SecretsSettings()
    source: SourceSettings = SourceSettings()
    content: ContentSettings = ContentSettings()
    lab: LabSettings = LabSettings()
    terraform: TerraformSettings = TerraformSettings()
    ansible: AnsibleSettings = AnsibleSettings()
    images: ImagesSettings = ImagesSettings()
    loop: LoopSettings = LoopSettings()
    probes: ProbesSettings = ProbesSettings()
    facts: FactsSettings = FactsSettings()
    refresh: RefreshSettings = RefreshSettings()
    dns: DnsSettings = DnsSettings()
    notify: NotifySettings = NotifySettings()
    pipelines: PipelinesSettings = PipelinesSettings()
    hooks: HooksSettings = HooksSettings()
    forge: ForgeSettings = ForgeSettings()
    policy: PolicySettings = PolicySettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()

    @property
    def database(self) -> str:
        """URL of the store."""
        return self.databaseUrl or f"sqlite:///{self.home / 'otto.db'}"

    @property
    def fleet_policy(self) -> Path:
        """File of the fleet's policy."""
        return Path(self.policy.file).absolute() if self.policy.file else self.home / "policy.yaml"


def load(environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from all their places.

    Args:
        environ: the environment.
        flags: dotted name -> value, from the command line; None values are ignored.

    Raises:
        UsageError: a setting is unknown or its value is not of its type; nothing was read further.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    home = Path(given.pop("home", None) or environ.get("OTTO_HOME") or "var").absolute()
    values = _from_file(home, environ) | _from_environ(environ) | given
    return dataclasses.replace(_build(Settings, values), home=home)


def names() -> Iterator[tuple[str, type, Any, str]]:
    """Every setting: dotted name, type, default and help."""
    for section, owner in _sections():
        hints = get_type_hints(owner)
        for item in fields(owner):
            if dataclasses.is_dataclass(hints[item.name]) or item.name == "home":
                continue
            dotted = f"{section}.{item.name}" if section else item.name
            yield dotted, hints[item.name], item.default, item.metadata.get("help", "")


def environment_name(dotted: str) -> str:
    """The environment variable of a setting: `loop.backoffCap` is OTTO_LOOP_BACKOFFCAP."""
    special = {
        "databaseUrl": "OTTO_DATABASE_URL",
        "providers": "CLOWD_PROVIDERS",
        "remote.server": "OTTO_SERVER",
    }
    return special.get(dotted, "OTTO_" + dotted.replace(".", "_").upper())


def _sections() -> Iterator[tuple[str, Any]]:
    yield "", Settings
    for name, hint in get_type_hints(Settings).items():
        if dataclasses.is_dataclass(hint):
            yield name, hint


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {environment_name(dotted): dotted for dotted, *_ in names()}
    return {known[name]: value for name, value in environ.items() if name in known and value}


def _from_file(home: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    named = environ.get("OTTO_CONFIG")
    path = Path(named) if named else home / "otto.yaml"
    if not path.exists():
        if named:
            raise UsageError(f"settings file {path} does not exist", mend="correct or unset OTTO_CONFIG")
        return {}
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"settings file {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"settings file {path} must hold a mapping")
    return dict(_flatten(data, str(path)))


def _flatten(data: Mapping[Any, Any], where: str) -> Iterator[tuple[str, Any]]:
    known = {dotted for dotted, *_ in names()}
    for key, value in data.items():
        inner = value if isinstance(value, dict) else None
        pairs = [(f"{key}.{sub}", item) for sub, item in inner.items()] if inner else [(str(key), value)]
        for dotted, item in pairs:
            if dotted not in known:
                close = difflib.get_close_matches(dotted, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"
                raise UsageError(f"{where}: unknown setting {dotted!r}", mend=hint)
            yield dotted, item


def _build(owner: type[Settings], values: Mapping[str, Any]) -> Settings:
    kinds = {dotted: (kind, default) for dotted, kind, default, _ in names()}
    top: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for dotted, value in values.items():
        section, _, name = dotted.rpartition(".")
        target = nested.setdefault(section, {}) if section else top
        target[name] = _coerce(dotted, kinds[dotted][0], value)
    hints = get_type_hints(owner)
    return owner(**top, **{section: hints[section](**given) for section, given in nested.items()})


def _coerce(dotted: str, kind: Any, value: Any) -> Any:  # noqa: ANN401  (values of any setting)
    try:
        return _convert(kind, value)
    except ValueError as error:
        name = environment_name(dotted)
        raise UsageError(f"setting {dotted} ({name}): {error}") from error


def _convert(kind: Any, value: Any) -> Any:  # noqa: ANN401
    if get_origin(kind) is tuple:
        return _providers(value)
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
    if kind is bool:
        return _boolean(value)
    if isinstance(value, bool | dict | list):
        raise ValueError(f"{value!r} is not a {kind.__name__}")  # noqa: TRY004  (one kind of error here)
    converted = kind(value)
    if kind in (int, float) and converted < 0:
        raise ValueError(f"{value!r} is negative")
    return converted


def _boolean(value: object) -> bool:
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{value!r} is neither true nor false")
    return word in _TRUE


def _providers(value: object) -> tuple[Provider, ...]:
    words = value if isinstance(value, list) else str(value).replace(",", " ").split()
    found = []
    for word in words:
        name = str(word).strip().lower()
        try:
            found.append(Provider(_SHORT_NAMES.get(name, name)))
        except ValueError:
            allowed = ", ".join(provider.value for provider in Provider)
            raise ValueError(f"no provider is called {name!r}; there are {allowed}") from None
    return tuple(dict.fromkeys(found))
