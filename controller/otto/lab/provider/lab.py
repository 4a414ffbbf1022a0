"""The provider itself: its configuration, its resources, its data source."""

from typing import Any

from tf.iface import DataSource, Provider, Resource
from tf.schema import Attribute, Schema
from tf.types import String, Unknown
from tf.utils import Diagnostics

from otto.lab import allocation
from otto.lab.provider.connection import Connection, told
from otto.lab.provider.host import LabHost
from otto.lab.provider.image import LabImage
from otto.lab.provider.network import LabNetwork

ADDRESS = "otto.local/otto/lab"


class LabProvider(Provider):  # type: ignore[misc]  # the library has no types
    """Hosts and networks of the lab as Terraform resources."""

    def __init__(self) -> None:
        self.connection = Connection()

    def get_model_prefix(self) -> str:
        """What its types begin with."""
        return "lab_"

    def full_name(self) -> str:
        """Its address in `required_providers`."""
        return ADDRESS

    def get_provider_schema(self, diags: Diagnostics) -> Schema:  # noqa: ARG002
        """Its configuration."""
        return Schema(
            version=1,
            attributes=[
                Attribute("socket", String(), "Path or URL of the container engine's API.", required=True),
                Attribute("pool", String(), "Where networks get their subnets.", optional=True),
            ],
        )

    def validate_config(self, diags: Diagnostics, config: dict[str, Any]) -> None:
        """Judge its configuration."""
        pool = config.get("pool")
        if pool and pool is not Unknown:
            told(diags, lambda: allocation.parse_pool(pool), None)

    def configure_provider(self, diags: Diagnostics, config: dict[str, Any]) -> None:
        """Take its configuration."""
        told(diags, lambda: self.connection.configure(config), None)

    def get_data_sources(self) -> list[type[DataSource]]:
        """Its data source."""
        return [LabImage]

    def get_resources(self) -> list[type[Resource]]:
        """Its resources."""
        return [LabNetwork, LabHost]
