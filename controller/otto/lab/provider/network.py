"""The resource `lab_network`: a bridge network of one site, its subnet out of the lab's pool."""

from typing import TYPE_CHECKING

from tf.iface import CreateContext, DeleteContext, ImportContext, ReadContext, Resource, UpdateContext
from tf.schema import Attribute, Schema
from tf.types import String

from otto.lab.provider.connection import Connection, HasConnection, State, told
from otto.model.errors import TerminalError

if TYPE_CHECKING:
    from otto.lab.networks import SiteNetwork


class LabNetwork(Resource):  # type: ignore[misc]  # the library has no types
    """A site's network."""

    def __init__(self, provider: HasConnection) -> None:
        self._connection: Connection = provider.connection

    @classmethod
    def get_name(cls) -> str:
        """Its type, after the provider's prefix."""
        return "network"

    @classmethod
    def get_schema(cls) -> Schema:
        """Its attributes; networks can't be changed, only made anew."""
        return Schema(
            version=1,
            attributes=[
                Attribute("name", String(), "Name of the network.", required=True, requires_replace=True),
                Attribute("site", String(), "Label otto.site.", required=True, requires_replace=True),
                Attribute("owner", String(), "Label otto.owner.", required=True, requires_replace=True),
                Attribute("id", String(), "The engine's id.", computed=True),
                Attribute("cidr", String(), "Its subnet, out of the pool.", computed=True),
                Attribute("gateway", String(), "The machine's own address in it.", computed=True),
            ],
        )

    def create(self, ctx: CreateContext, planned: State) -> State | None:
        """Make it."""
        return told(ctx.diagnostics, lambda: self._create(planned), None)

    def read(self, ctx: ReadContext, current: State) -> State | None:
        """What it is now; None when it is gone."""
        return told(ctx.diagnostics, lambda: self._read(current["id"]), current)

    def update(self, ctx: UpdateContext, current: State, planned: State) -> State | None:  # noqa: ARG002
        """Nothing of it changes in place."""
        return planned

    def delete(self, ctx: DeleteContext, current: State) -> State | None:
        """Remove it."""
        return told(ctx.diagnostics, lambda: self._delete(current), current)

    def import_(self, ctx: ImportContext, id: str) -> State | None:  # noqa: A002  (the library's name)
        """Take over one by its name."""
        return told(ctx.diagnostics, lambda: self._import(id), None)

    def _create(self, planned: State) -> State:
        from otto.lab import networks, pool  # noqa: PLC0415  (Docker SDK)

        # Another lab may have taken the pool's route along when it was cleaned.
        pool.ensure_route(self._connection.pool)
        made = networks.create(
            self._connection.api(), planned["name"], planned["site"], planned["owner"], self._connection.pool
        )
        return _state(made)

    def _read(self, name: str) -> State | None:
        from otto.lab import networks  # noqa: PLC0415

        found = networks.read(self._connection.api(), name)
        return _state(found) if found else None

    def _delete(self, current: State) -> None:
        self._connection.api().remove_network(current["id"])

    def _import(self, name: str) -> State:
        found = self._read(name)
        if found is None:
            raise TerminalError(f"there is no network {name}", mend="import takes a network's name or id")
        return found


def _state(found: "SiteNetwork") -> State:
    return {
        "name": found.name,
        "site": found.site,
        "owner": found.owner,
        "id": found.id,
        "cidr": str(found.subnet),
        "gateway": found.gateway,
    }
