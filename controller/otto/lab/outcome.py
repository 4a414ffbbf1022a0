"""What came of a lab's verbs."""

from dataclasses import dataclass

from otto.lab.containers import Container, Network
from otto.lab.engine import Engine
from otto.lab.inventory import LabHost
from otto.lab.kernel import Inotify
from otto.lab.mirror import Mirror
from otto.lab.pool import Route


@dataclass(frozen=True, slots=True)
class LabUp:
    """A lab that is ready.

    Attributes:
        engine: what runs it.
        version: the engine's name and version.
        image: full reference of the base image.
        image_id: its id.
        route: the pool's route.
        inotify: the kernel's limit.
        mirror: where Terraform finds the provider.
        notes: what was changed on the machine, one line each.
        warnings: what is not as it should be, and how to mend it, one line each.
    """

    engine: Engine
    version: str
    image: str
    image_id: str
    route: Route
    inotify: Inotify
    mirror: Mirror
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabStatus:
    """A lab as it is; nothing was started to find out.

    Attributes:
        owner: the label of all it makes.
        engine: None when none answers.
        version: the engine's name and version.
        image: full reference of the base image.
        image_id: its id, "" when it is not built.
        hosts: all hosts of this OTTO_HOME.
        networks: all its networks.
        nameserver: its nameserver's container, None where there is none.
        route: the pool's route.
        inotify: the kernel's limit.
    """

    owner: str
    engine: Engine | None
    version: str
    image: str
    image_id: str
    hosts: tuple[LabHost, ...]
    networks: tuple[Network, ...]
    route: Route
    inotify: Inotify
    nameserver: Container | None = None


@dataclass(frozen=True, slots=True)
class LabCleaned:
    """What is gone; `nameserver` with all of its zones."""

    hosts: tuple[str, ...] = ()
    nameserver: bool = False
    networks: tuple[str, ...] = ()
    processes: int = 0
    service: bool = False
    route: bool = False
    image: bool = False
    warnings: tuple[str, ...] = ()
