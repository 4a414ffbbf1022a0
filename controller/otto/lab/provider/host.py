"""The resource `lab_host`: a container that boots systemd and sshd, told truly and mended in place."""

from typing import TYPE_CHECKING, Any

from tf.iface import (
    CreateContext,
    DeleteContext,
    ImportContext,
    PlanContext,
    ReadContext,
    Resource,
    UpdateContext,
)
from tf.schema import Schema
from tf.types import Unknown
from tf.utils import Diagnostics

from otto.lab import names
from otto.lab.provider.connection import Connection, HasConnection, State, told
from otto.lab.provider.schema import check, host_schema
from otto.lab.sizes import SIZES, size_of
from otto.model.errors import TerminalError

if TYPE_CHECKING:
    from otto.lab.containers import Container
    from otto.lab.hosts import Waiting
    from otto.lab.recipe import HostSpec


class LabHost(Resource):  # type: ignore[misc]  # the library has no types
    """A host of a site."""

    def __init__(self, provider: HasConnection) -> None:
        self._connection: Connection = provider.connection

    @classmethod
    def get_name(cls) -> str:
        """Its type, after the provider's prefix."""
        return "host"

    @classmethod
    def get_schema(cls) -> Schema:
        """Its attributes."""
        return host_schema()

    def validate(self, diags: Diagnostics, type_name: str, config: dict[str, Any]) -> None:
        """Judge a configuration."""
        super().validate(diags, type_name, config)
        check(diags, config)

    def create(self, ctx: CreateContext, planned: State) -> State | None:
        """Make it, and wait for its sshd."""
        return told(ctx.diagnostics, lambda: self._create(planned), None)

    def read(self, ctx: ReadContext, current: State) -> State | None:
        """What it is now; None when it is gone."""
        return told(ctx.diagnostics, lambda: self._read(current), current)

    def plan(self, ctx: PlanContext, current: State | None, planned: State) -> State | None:
        """Want back what drifted: computed values that no configuration would miss."""
        if current is None:
            return planned
        return told(ctx.diagnostics, lambda: self._plan(current, planned), planned)

    def update(self, ctx: UpdateContext, current: State, planned: State) -> State | None:
        """Mend it in place."""
        mended = told(ctx.diagnostics, lambda: self._update(planned), None)
        # What was done before something failed is in the state, too.
        return mended or told(Diagnostics(), lambda: self._read(current), None) or current

    def delete(self, ctx: DeleteContext, current: State) -> State | None:
        """Remove it."""
        return told(ctx.diagnostics, lambda: self._delete(current), current)

    def import_(self, ctx: ImportContext, id: str) -> State | None:  # noqa: A002  (the library's name)
        """Take over one by its container's name."""
        return told(ctx.diagnostics, lambda: self._import(id), None)

    def _create(self, planned: State) -> State:
        from otto.lab import hosts  # noqa: PLC0415  (Docker SDK)

        api, spec = self._connection.api(), _spec(planned)
        made = hosts.create(api, spec, self._waiting())
        key = hosts.host_key(api, made.id)
        return _state(made, spec.network, spec.authorized_key, key)

    def _read(self, current: State) -> State | None:
        from otto.lab import hosts  # noqa: PLC0415

        found = hosts.read(self._connection.api(), current["id"])
        if found is None:
            return None
        return _state(found, current["network"], current["authorized_key"], current["host_key"])

    def _plan(self, current: State, planned: State) -> State:
        if planned.get("image") not in (current.get("image"), Unknown):
            self._check_image(planned)
        size = SIZES.get(planned["size"])
        wanted = {
            "container": names.container_name(planned["owner"], planned["name"]),
            "state": "running",
            "connected": True,
            "cpus": size.cpus if size else Unknown,
            "memory": size.memory_mib if size else Unknown,
            "host_key": current["host_key"] or Unknown,
        }
        return planned | wanted

    def _check_image(self, planned: State) -> None:
        """Have the image there before the host on another one is taken away for it."""
        from otto.lab import hosts  # noqa: PLC0415

        hosts.check_image(self._connection.api(), planned["name"], planned["image"])

    def _update(self, planned: State) -> State:
        from otto.lab import hosts  # noqa: PLC0415

        api, spec = self._connection.api(), _spec(planned)
        found = hosts.read(api, planned["id"])
        if found is None:
            raise TerminalError(f"host {spec.name} vanished while it was being changed", mend="plan again")
        mended = hosts.mend(api, found, spec, self._waiting())
        key = planned["host_key"]
        key = hosts.host_key(api, mended.id) if key is Unknown else key
        return _state(mended, spec.network, spec.authorized_key, key)

    def _delete(self, current: State) -> None:
        self._connection.api().remove_container(current["id"])

    def _import(self, name: str) -> State:
        from otto.lab import hosts  # noqa: PLC0415

        api = self._connection.api()
        found = hosts.read(api, name)
        if found is None:
            raise TerminalError(f"there is no container {name}", mend="import takes a container's name or id")
        whose = names.ownership(found.labels)
        if not whose.host:
            raise TerminalError(f"container {found.name} is no host of OttO's: it lacks the labels")
        network = found.attachments[0].network if found.attachments else ""
        network = network or names.network_name(whose.owner, whose.site)
        return _state(found, network, hosts.authorized_key(api, found.id), hosts.host_key(api, found.id))

    def _waiting(self) -> "Waiting":
        from otto.lab.hosts import Waiting  # noqa: PLC0415

        return Waiting(cancelled=self._connection.stopping.is_set)


def _spec(planned: State) -> "HostSpec":
    from otto.lab.recipe import HostSpec  # noqa: PLC0415

    return HostSpec(
        name=planned["name"],
        site=planned["site"],
        owner=planned["owner"],
        role=planned["role"],
        index=int(planned["index"]),
        image=planned["image"],
        size=planned["size"],
        network=planned["network"],
        authorized_key=planned["authorized_key"],
        publish=bool(planned["publish"]),
    )


def _state(found: "Container", network: str, authorized_key: str, host_key: str) -> State:
    """The attributes of a container as it is."""
    from otto.lab import hosts  # noqa: PLC0415

    whose, place = names.ownership(found.labels), hosts.reached(found)
    index = found.labels.get(names.INDEX, "0")
    return {
        "name": whose.host,
        "site": whose.site,
        "owner": whose.owner,
        "role": whose.role,
        "index": int(index) if index.isdigit() else 0,
        "image": found.image,
        "network": network,
        "size": size_of(found.limits),
        "authorized_key": authorized_key,
        "publish": bool(found.ports),
        "id": found.id,
        "container": found.name,
        "state": found.state,
        "connected": hosts.connected(found, network),
        "cpus": found.limits.cpus,
        "memory": found.limits.memory_mib,
        "address": place.address,
        "private_address": found.labels.get(names.ADDRESS, ""),
        "mac": hosts.mac(found),
        "ssh_port": place.ssh_port,
        "http_port": place.http_port,
        "host_key": host_key,
    }
