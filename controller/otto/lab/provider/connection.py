"""What all resources of one provider process share: its configuration and its connection."""

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tf.types import Unknown
from tf.utils import Diagnostics

from otto.lab import allocation
from otto.model.errors import OttoError, TransientError

if TYPE_CHECKING:
    from otto.lab.api import Api

State = dict[str, Any]
T = TypeVar("T")
U = TypeVar("U")


@dataclass
class Connection:
    """The provider's configuration, once Terraform has told it.

    Attributes:
        socket: path or URL of the engine's API.
        pool: where networks get their subnets.
        stopping: set when Terraform asks to stop: nothing new is waited for.
    """

    socket: str = ""
    pool: IPv4Network = field(default_factory=lambda: IPv4Network("10.203.0.0/16"))
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _api: "Api | None" = None

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take Terraform's configuration.

        Raises:
            TerminalError: the pool is none.
        """
        self.socket = config.get("socket") or ""
        if config.get("pool"):
            self.pool = allocation.parse_pool(config["pool"])

    def api(self) -> "Api":
        """The engine's API, connected when first needed: most of a provider's processes never need it.

        Raises:
            TransientError: the engine does not answer.
        """
        with self._lock:
            if self._api is None:
                self._api = self._connect()
            return self._api

    def _connect(self) -> "Api":
        from otto.lab.api import Api  # noqa: PLC0415  (loads the Docker SDK: 0.2 s)

        if not self.socket or self.socket is Unknown:
            raise TransientError("the lab provider was not told its socket", mend="otto lab up")
        url = f"unix://{self.socket}" if self.socket.startswith("/") else self.socket
        return Api(url)


class HasConnection(Protocol):
    """A provider, as its resources see it."""

    connection: Connection


def told(diagnostics: Diagnostics, work: Callable[[], T], otherwise: U) -> T | U:
    """Do something; what goes wrong becomes a diagnostic.

    Args:
        diagnostics: where errors are told.
        work: what to do.
        otherwise: the result when it fails. After a failed delete or update that is the prior state:
            Terraform forgets a resource whose result is nothing.
    """
    try:
        return work()
    except OttoError as error:
        detail = "\n".join(filter(None, (error.mend and f"Mend: {error.mend}", error.detail)))
        diagnostics.add_error(error.message, detail)
    except Exception as error:  # noqa: BLE001  (a bug of ours must not cost Terraform its state)
        traceback.print_exc()  # into Terraform's log
        diagnostics.add_error(f"the lab provider failed: {type(error).__name__}: {error}", "")
    return otherwise
