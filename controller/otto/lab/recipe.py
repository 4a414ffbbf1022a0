"""What a lab host is made of: the request that creates its container."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from otto.lab import allocation, names
from otto.lab.names import Ownership
from otto.lab.sizes import CPU_PERIOD, limits_of

SSH, HTTP = 22, 80
LOOPBACK = "127.0.0.1"

# What systemd, sshd, nginx, haproxy, chrony, apt and a firewall need, and no more: nothing here reaches
# beyond the container (no SYS_ADMIN, SYS_TIME, SYS_PTRACE, NET_RAW, MKNOD).
CAPABILITIES = (
    "CHOWN",  # packages, log files
    "DAC_OVERRIDE",  # root reads what others own
    "FOWNER",
    "FSETID",
    "KILL",  # systemd ends services of other users
    "NET_ADMIN",  # nftables, in the container's own network namespace
    "NET_BIND_SERVICE",  # ports 22 and 80
    "SETFCAP",  # packages with file capabilities
    "SETGID",
    "SETPCAP",  # systemd narrows the capabilities of services
    "SETUID",
    "SYS_CHROOT",  # sshd and haproxy lock themselves in
)
PROCESSES = 1024
# systemd's "halt" (systemd(1), signals).
STOP_SIGNAL = "SIGRTMIN+3"


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A host as it is wanted.

    Attributes:
        name: its host name.
        site: whose host it is.
        owner: whose site that is.
        role: `web` or `balancer`.
        index: its number in its role, from 1.
        image: id of its image.
        size: one of `otto.lab.sizes.SIZES`.
        network: name of its site's network.
        authorized_key: public key that may log in as `otto`.
        publish: whether its ports are published on loopback.
    """

    name: str
    site: str
    owner: str
    role: str
    index: int
    image: str
    size: str
    network: str
    authorized_key: str
    publish: bool = False

    @property
    def container(self) -> str:
        """Name of its container."""
        return names.container_name(self.owner, self.name)


def request(
    spec: HostSpec, address: IPv4Address, ports: Mapping[int, int], *, podman: bool
) -> dict[str, Any]:
    """The body of `POST /containers/create`.

    Args:
        spec: the host.
        address: its place in its network.
        ports: port inside -> port of the machine; empty when none is published.
        podman: whether Podman gets it, which knows by itself what systemd needs.
    """
    endpoint = {
        "IPAMConfig": {"IPv4Address": str(address)},
        "MacAddress": allocation.mac(address),
        "Aliases": [spec.name],  # what its neighbours look it up by
    }
    return {
        "Image": spec.image,
        "Cmd": ["/sbin/init"],
        "Hostname": spec.name,
        "StopSignal": STOP_SIGNAL,
        "Labels": _labels(spec, address),
        "ExposedPorts": {f"{inside}/tcp": {} for inside in ports},
        "HostConfig": _host_config(spec, ports) | ({} if podman else _SYSTEMD),
        "NetworkingConfig": {"EndpointsConfig": {spec.network: endpoint}},
    }


# What it takes to make containers within a container: mounts, namespaces, device nodes of one's own. Who has
# that can reach the machine: only images that we have just built are tried with it.
_NESTING = ("SYS_ADMIN", "SYS_PTRACE", "NET_RAW", "MKNOD", "DAC_READ_SEARCH", "AUDIT_WRITE")
_STORAGE = "/var/lib/containers"


def nesting(body: Mapping[str, Any], *, podman: bool) -> dict[str, Any]:
    """The same container, which boots as its image says and may make containers of its own.

    They lie on a volume, as no overlay goes over another one; it goes with the container.

    Args:
        body: a request as `request` makes it.
        podman: whether Podman gets it.
    """
    host = body["HostConfig"]
    unmasked = "unmask=ALL" if podman else "systempaths=unconfined"
    more = {
        "CapAdd": [*host["CapAdd"], *_NESTING],
        "SecurityOpt": [unmasked, "seccomp=unconfined", "apparmor=unconfined"],
    }
    rest = {name: value for name, value in body.items() if name != "Cmd"}
    return {**rest, "Volumes": {_STORAGE: {}}, "HostConfig": {**host, **more}}


# Docker does not prepare containers for systemd as Podman does (podman-run(1), --systemd).
_SYSTEMD = {"CgroupnsMode": "host", "Binds": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]}


def _host_config(spec: HostSpec, ports: Mapping[int, int]) -> dict[str, Any]:
    limits = limits_of(spec.size)
    return {
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "CpuPeriod": CPU_PERIOD,
        "CpuQuota": limits.quota,
        "Memory": limits.memory,
        "MemorySwap": limits.memory,  # memory and swap together: no swap
        "PidsLimit": PROCESSES,
        "NetworkMode": spec.network,
        "PortBindings": {
            f"{inside}/tcp": [{"HostIp": LOOPBACK, "HostPort": str(outside)}]
            for inside, outside in ports.items()
        },
        # A host that died stays dead until OttO has seen it: no engine resurrects it behind its back.
        "RestartPolicy": {"Name": "no"},
        "Tmpfs": {"/run": "", "/run/lock": ""},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
    }


def _labels(spec: HostSpec, address: IPv4Address) -> dict[str, str]:
    whose = Ownership(owner=spec.owner, site=spec.site, role=spec.role, host=spec.name)
    more = {names.INDEX: str(spec.index), names.ADDRESS: str(address), names.SIZE: spec.size}
    return names.labels(whose) | more
