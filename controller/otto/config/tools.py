"""Settings of the tools that OttO runs."""

from dataclasses import dataclass, field


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
