"""Settings of what is served, to whom, and of asking a controller elsewhere."""

from dataclasses import dataclass, field

from otto.decide import references
from otto.model.errors import UsageError


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
