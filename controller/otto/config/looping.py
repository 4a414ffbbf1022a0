"""Settings of the loop: how often it looks, how patient it is, whom it tells."""

from dataclasses import dataclass, field

from otto.model.errors import UsageError


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
class PolicySettings:
    """The operator's policy for the fleet."""

    file: str = field(
        default="", metadata={"help": "file of the fleet's policy; empty: OTTO_HOME/policy.yaml"}
    )
