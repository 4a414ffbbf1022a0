"""The data source `lab_image`: the id of the image a name stands for."""

import re

from tf.iface import DataSource, ReadDataContext
from tf.schema import Attribute, Schema
from tf.types import String

from otto.lab.provider.connection import Connection, HasConnection, State, told

_ID = re.compile(r"sha256:[0-9a-f]{64}")


class LabImage(DataSource):  # type: ignore[misc]  # the library has no types
    """An image the lab has."""

    def __init__(self, provider: HasConnection) -> None:
        self._connection: Connection = provider.connection

    @classmethod
    def get_name(cls) -> str:
        """Its type, after the provider's prefix."""
        return "image"

    @classmethod
    def get_schema(cls) -> Schema:
        """Its attributes."""
        name = '"base", or a reference the engine knows, or an id.'
        return Schema(
            version=1,
            attributes=[
                Attribute("name", String(), name, required=True),
                Attribute("id", String(), "Id of the image: sha256:…", computed=True),
            ],
        )

    def read(self, ctx: ReadDataContext, config: State) -> State | None:
        """Look the image up.

        An id is taken at its word: hosts that run on an image go on when it is gone from the engine, and
        making another one is what says so.
        """
        if _ID.fullmatch(config["name"]):
            return {"name": config["name"], "id": config["name"]}
        return told(ctx.diagnostics, lambda: self._read(config["name"]), None)

    def _read(self, name: str) -> State:
        from otto.lab import image  # noqa: PLC0415  (Docker SDK)

        return {"name": name, "id": image.resolve(self._connection.api(), name)}
