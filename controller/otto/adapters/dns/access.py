"""How a zone is reached: what a worker is told besides the spec, secrets included."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Server:
    """A server that takes updates and hands out zones (RFC 2136, RFC 5936).

    Attributes:
        address: host name or address.
        port: of both UDP and TCP.
        key_name: of the TSIG key, "" to go unsigned.
        key: the secret, in base64.
        algorithm: of the key, as `hmac-sha256`.
    """

    address: str
    port: int = 53
    key_name: str = ""
    key: str = field(default="", repr=False)
    algorithm: str = "hmac-sha256"

    def __str__(self) -> str:
        return self.address if self.port == 53 else f"{self.address} port {self.port}"  # noqa: PLR2004  (RFC 1035)


@dataclass(frozen=True, slots=True)
class Access:
    """Everything outside the spec that work on one zone needs.

    Attributes:
        owner: what our ownership records say.
        server: where the zone is updated, for `rfc2136` and `powerdns`; None for the others, and for a lab
            whose nameserver does not run.
        credentials: what the provider's API asks for, "" for its environment.
        parent: of the zone and on which server it is, where the delegation is changed by updates.
        lab: whether the zone is on the lab's own nameserver, which makes zones and signs them.
        endpoints: provider -> address of its API, where it is not the usual one.
        resolvers: addresses that names of servers are looked up at, as `ADDRESS` or `ADDRESS#PORT`; empty
            for the system's.
        hosts: addresses of nameservers that are known without looking them up, by name.
        port: of authoritative servers.
        timeout: seconds one question may take.
    """

    owner: str
    server: Server | None = None
    credentials: str = field(default="", repr=False)
    parent: tuple[str, Server] | None = None
    lab: bool = False
    endpoints: Mapping[str, str] = field(default_factory=dict)
    resolvers: tuple[str, ...] = ()
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    port: int = 53
    timeout: float = 5.0

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen in any message."""
        keys = [self.server.key if self.server else "", self.parent[1].key if self.parent else ""]
        lines = [line for line in self.credentials.splitlines() if line.strip()]
        return tuple(filter(None, (*keys, self.credentials, *lines)))
