"""The lab of one OTTO_HOME: up, down, status, clean."""

import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from otto.config import LabSettings
from otto.lab import allocation, engine, image, inventory, kernel, leftovers, mirror, names, pool, resources
from otto.lab.api import Api
from otto.lab.containers import Network
from otto.lab.engine import Engine
from otto.lab.inventory import LabHost
from otto.lab.kernel import Inotify
from otto.lab.mirror import Mirror
from otto.lab.outcome import LabCleaned, LabStatus, LabUp
from otto.lab.pool import Route
from otto.lab.resources import LabResource
from otto.model.errors import OttoError, TransientError
from otto.model.progress import Progress, Report, silent

_AT_ONCE = 4
# A listing takes milliseconds; whoever asks every few seconds must not wait long for an engine that hangs.
_LISTING = 5.0


class Lab:
    """The lab of one OTTO_HOME. Labs of several homes stand side by side on one machine.

    All methods block, some for seconds; threads may share a lab.

    Args:
        home: OTTO_HOME.
        owner: the label of all it makes, 8 hexadecimal digits; another for every home.
        settings: the section `lab`.
        environ: where `DOCKER_HOST`, `PATH` and the like are looked up.

    Raises:
        TerminalError: `lab.pool` is no private IPv4 network.
    """

    def __init__(
        self,
        home: Path,
        owner: str,
        settings: LabSettings | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.home = home.absolute()
        self.folder = self.home / "lab"
        self.owner = owner
        self.settings = settings or LabSettings()
        self.pool = allocation.parse_pool(self.settings.pool)
        self._environ = environ
        self._lock = threading.Lock()
        self._api: Api | None = None
        self._listing: Api | None = None

    def engine(self) -> Engine:
        """The container engine, started when none answers.

        Raises:
            OttoError: there is none.
        """
        return engine.ensure(self.folder, self.settings.socket, self._environ)

    def running(self) -> Engine:
        """The container engine in use. Nothing is started.

        Raises:
            OttoError: none answers.
        """
        found = engine.find(self.folder, self.settings.socket, self._environ)
        if found is None:
            raise TransientError("no container engine answers", mend="otto lab up")
        return found

    def api(self) -> Api:
        """A connection to the engine, which is started when none answers.

        Raises:
            OttoError: there is no engine.
        """
        url = self.engine().url
        with self._lock:
            if self._api is None or self._api.url != url:
                self._api = Api(url)
            return self._api

    def mirror(self) -> Mirror:
        """The provider as it is now, where Terraform finds it."""
        return mirror.ensure(self.folder / "terraform")

    def image(self, name: str) -> str:
        """Id of the image a name stands for.

        Raises:
            TerminalError: there is no such image.
        """
        return image.resolve(self.api(), name)

    def provider_configuration(self) -> dict[str, str]:
        """Arguments of Terraform's `provider "lab"` block."""
        return {"socket": self.engine().url, "pool": str(self.pool)}

    def module_settings(self) -> dict[str, str]:
        """The module's variable `settings`."""
        return {"publish": "true" if self.settings.publish else "false"}

    def up(self, report: Report = silent) -> LabUp:
        """Have everything there that hosts need; may be called again at any time.

        Raises:
            OttoError: there is no engine, or the base image cannot be built.
        """
        report(Progress("looking for a container engine"))
        limit = kernel.ensure_inotify()
        used, api = self.engine(), self.api()
        route = pool.ensure_route(self.pool)
        built = image.ensure(api, report, self.settings.archives)
        return LabUp(
            engine=used,
            version=api.engine,
            image=image.reference(),
            image_id=built,
            route=route,
            inotify=limit,
            mirror=self.mirror(),
            notes=_notes(used, limit, route),
            warnings=tuple(filter(None, (limit.warning, route.warning))),
        )

    def down(self) -> bool:
        """End the Podman service this lab started, if it did; whether it ran. Hosts go on serving.

        The pool's route goes too, unless a network of any lab is left in the pool.
        """
        used = engine.find(self.folder, self.settings.socket, self._environ)
        if used:
            pool.remove_route(self.pool, Api(used.url).list_networks())
        return self._stop()

    def status(self) -> LabStatus:
        """The lab as it is. Nothing is started.

        Raises:
            OttoError: the engine that the settings name does not answer.
        """
        used = engine.find(self.folder, self.settings.socket, self._environ)
        api = Api(used.url) if used else None
        found = api.image(image.reference()) if api else None
        return LabStatus(
            owner=self.owner,
            engine=used,
            version=api.engine if api else "",
            image=image.reference(),
            image_id=found.id if found else "",
            hosts=inventory.live_hosts(api, self.owner) if api else (),
            networks=inventory.networks(api, self.owner) if api else (),
            nameserver=api.container(names.nameserver_name(self.owner)) if api else None,
            route=pool.look(self.pool),
            inotify=kernel.inotify(),
        )

    def hosts(self, site: str | None = None) -> tuple[LabHost, ...]:
        """Hosts of this home in any state, of one site or all; one request, and nothing is started.

        Raises:
            OttoError: no engine answers within 5 seconds.
        """
        try:
            return inventory.live_hosts(self._lister(), self.owner, site)
        except OttoError:
            self._drop_lister()  # another engine may answer by now
            raise

    def resources(self, site: str) -> tuple[LabResource, ...]:
        """All that is alive of a site, and foreign things that have its names.

        Raises:
            TransientError: the engine does not answer.
        """
        return resources.alive(self.api(), self.owner, site)

    def remove(self, resource: LabResource) -> bool:
        """Remove one of them; False when it was gone already.

        Raises:
            OttoError: the engine does not answer, or a network still has hosts.
        """
        return resources.remove(self.api(), resource)

    def clean(self, report: Report = silent, *, base_image: bool = False) -> LabCleaned:
        """Remove every host and network of this home, and all that runs for it.

        Args:
            report: told of each thing.
            base_image: whether the base image goes, too; other labs on this machine may use it.

        Raises:
            OttoError: the engine does not answer, or something could not be removed.
        """
        if not self._may_have_engine():
            return LabCleaned(processes=leftovers.end(self.folder, ()))
        api = self.api()
        hosts, networks = self.hosts(), inventory.networks(api, self.owner)
        _each(hosts, lambda host: api.remove_container(host.id), report, "removed host")
        others, nameserver = self._remove_others(api)
        if nameserver:
            report(Progress("removed the nameserver, with its zones"))
        _each(networks, lambda network: api.remove_network(network.id), report, "removed network")
        removed, warning = _remove_image(api) if base_image else (False, "")
        route = pool.remove_route(self.pool, api.list_networks())
        service = self._stop()
        processes = leftovers.end(self.folder, (*(host.id for host in hosts), *others))
        shutil.rmtree(self.folder, ignore_errors=True)
        return LabCleaned(
            hosts=tuple(host.name for host in hosts),
            nameserver=nameserver,
            networks=tuple(network.name for network in networks),
            processes=processes,
            service=service,
            route=route.changed,
            image=removed,
            warnings=tuple(filter(None, (warning, route.warning))),
        )

    def _remove_others(self, api: Api) -> tuple[list[str], bool]:
        """Remove what is nobody's host: the nameserver, and machines that a killed build of an image left.

        Returns:
            Their containers' ids, and whether the nameserver was among them.
        """
        found = api.list_containers({names.OWNER: self.owner})
        ids = [str(left["Id"]) for left in found]
        for other in ids:
            api.remove_container(other)
        return ids, any(names.NAMESERVER in (left.get("Labels") or {}) for left in found)

    def _may_have_engine(self) -> bool:
        found = engine.find(self.folder, self.settings.socket, self._environ)
        return found is not None or shutil.which("podman", path=self._environ.get("PATH")) is not None

    def _lister(self) -> Api:
        """The connection that listings use, made when there is none."""
        if known := self._listing:
            return known
        made = Api(self.running().url, _LISTING)
        with self._lock:
            spare, self._listing = (made, self._listing) if self._listing else (None, made)
            chosen = self._listing
        if spare:
            spare.close()
        return chosen

    def _drop_lister(self) -> None:
        with self._lock:
            dropped, self._listing = self._listing, None
        if dropped:
            dropped.close()

    def _stop(self) -> bool:
        self._drop_lister()
        with self._lock:
            if self._api:
                self._api.close()
            self._api = None
        return engine.stop(self.folder, self._environ)


def _remove_image(api: Api) -> tuple[bool, str]:
    """Whether the base image is gone, and why not: others may use it, and the rest is to go all the same."""
    try:
        return image.remove(api), ""
    except OttoError as error:
        return False, str(error)


T = TypeVar("T", LabHost, Network)


def _each(items: Sequence[T], work: Callable[[T], object], report: Report, done: str) -> None:
    """Do something to all, some at once; one that fails does not keep the others from being done."""
    failed = []
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for number, (item, result) in enumerate([(item, threads.submit(work, item)) for item in items], 1):
            error = result.exception()
            if error:
                failed.append(error)
            else:
                report(Progress(f"{done} {item.name}", number, len(items)))
    if failed:
        raise failed[0]


def _notes(used: Engine, limit: Inotify, route: Route) -> tuple[str, ...]:
    """What was changed on the machine."""
    told = (
        (used.started, f"started Podman's API service at {used.url.removeprefix('unix://')}"),
        (limit.raised, f"raised fs.inotify.max_user_instances to {limit.instances}"),
        (route.changed, f"added an unreachable route over {route.pool}"),
    )
    return tuple(text for changed, text in told if changed)
