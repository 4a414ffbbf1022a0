"""The attributes of `lab_host`, and which values they take."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tf.schema import Attribute, Schema
from tf.types import Bool, Number, String, Unknown
from tf.utils import Diagnostics

from otto.lab.sizes import SIZES

ROLES = ("web", "balancer")
# RFC 1123, section 2.1: the label of a host name.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-\S+) [A-Za-z0-9+/]+={0,3}( [^\n]*)?\s*")


def host_schema() -> Schema:
    """Attributes of a host; what would need another container requires a replacement."""
    return Schema(
        version=1,
        attributes=[
            _given("name", "Host name, as shop-web-1."),
            _given("site", "Label otto.site."),
            _given("owner", "Label otto.owner."),
            _given("role", f"Label otto.role: {' or '.join(ROLES)}."),
            Attribute(
                "index",
                Number(),
                "Number of the host in its role, from 1; with the role it makes the address.",
                required=True,
                requires_replace=True,
            ),
            _given("image", "Id of the image, from the data source lab_image."),
            _given("network", "Name of a lab_network."),
            Attribute("size", String(), f"{', '.join(SIZES)}; changed in place.", required=True),
            Attribute(
                "authorized_key",
                String(),
                "Public key that may log in as otto; changed in place.",
                required=True,
            ),
            Attribute(
                "publish",
                Bool(),
                "Publish SSH and HTTP on loopback, where bridges can't be reached.",
                optional=True,
                computed=True,
                default=False,
                requires_replace=True,
            ),
            _computed("id", "The engine's id of the container."),
            _computed("container", "Name of the container; another one is drift."),
            _computed("state", "running; anything else is drift: paused, exited, created, dead."),
            Attribute("connected", Bool(), "Whether it is in its network at its address.", computed=True),
            Attribute("cpus", Number(), "Processors it may use.", computed=True),
            Attribute("memory", Number(), "Memory it may use, in MiB.", computed=True),
            _computed("address", "Where the controller reaches it."),
            _computed("private_address", "Where its neighbours reach it."),
            _computed("mac", "Its MAC in its network."),
            Attribute("ssh_port", Number(), "Port of sshd at `address`.", computed=True),
            Attribute("http_port", Number(), "Port of the web server at `address`.", computed=True),
            _computed("host_key", "Public host key: ssh-ed25519 AAAA…"),
        ],
    )


def check(diagnostics: Diagnostics, config: Mapping[str, Any]) -> None:
    """Tell what is wrong with a configuration; what is not known yet is not judged."""
    for name, valid, allowed in (
        ("name", _matches(_NAME), "lower-case letters, digits and -, up to 63"),
        ("role", _one_of(ROLES), " or ".join(ROLES)),
        ("size", _one_of(tuple(SIZES)), ", ".join(SIZES)),
        ("index", _is_number, "a whole number from 1"),
        ("authorized_key", _matches(_KEY), "one OpenSSH public key, as ssh-ed25519 AAAA…"),
    ):
        value = config.get(name)
        if value is not None and value is not Unknown and not valid(value):
            diagnostics.add_error(f"{name} is {value!r}", f"Allowed: {allowed}.", [name])


def _given(name: str, description: str) -> Attribute:
    return Attribute(name, String(), description, required=True, requires_replace=True)


def _computed(name: str, description: str) -> Attribute:
    return Attribute(name, String(), description, computed=True)


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _one_of(allowed: tuple[str, ...]) -> Callable[[object], bool]:
    return lambda value: value in allowed


def _is_number(value: object) -> bool:
    return isinstance(value, int) and value >= 1
