"""Where golden images of the lab are made and tried: machines to build in, hosts to try, names for results.

All of it carries the owner's mark and what image it is for, and nothing the marks of a site's host: no
controller takes it for one. Whatever an interrupted build left is found by those marks.

Homes on one machine share images of the same inputs, each by a name of its own: whatever one of them builds
anew or removes, the others keep what they have.
"""

import contextlib
import gzip
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from ipaddress import IPv4Address
from pathlib import Path

from otto.lab import allocation, hosts, image, leftovers, names, networks, recipe
from otto.lab.api import Api
from otto.lab.containers import Image
from otto.lab.deadline import Deadline
from otto.lab.files import locked, write
from otto.lab.hosts import Waiting
from otto.lab.lab import Lab
from otto.lab.recipe import HostSpec
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.host import Host
from otto.model.image import short_id
from otto.model.progress import Report
from otto.model.spec import Role

BUILDS = "otto.builds"
"""Label: name of the image that a container or network helps to make."""
_IMAGE, _IMAGE_DIGEST, _IMAGE_OWNER = "otto.image", "otto.image.digest", "otto.image.owner"
_UNNAMED = "<none>:<none>"
_TAG = 12
_LOCK = 5.0
_BOOT = 90.0
_DEVICES = ["--tmpfs", "/run", "--tmpfs", "/run/lock"]


class Workshop:
    """The lab's part in making images. All methods block; threads may share one.

    Args:
        lab: the lab of this home.
        public_key: of the key that hosts let in.
    """

    def __init__(self, lab: Lab, public_key: str) -> None:
        self._lab = lab
        self._key = public_key

    def ready(self, report: Report) -> str:
        """Have the lab up; the reference of its base image, which is a digest of what went into it."""
        return self._lab.up(report).image

    @property
    def owner(self) -> str:
        """The mark of this home."""
        return self._lab.owner

    @property
    def base(self) -> str:
        """The reference of the base image, whether it is there or not."""
        return image.reference()

    def locked(self, name: str) -> AbstractContextManager[int]:
        """Have an image of this home to oneself.

        Raises:
            TransientError: another process builds it.
        """
        return locked(self._lab.folder / f"build-{name}.lock", _LOCK, f"building the image {name}")

    def tools(self, folder: Path, search: str) -> dict[str, str]:
        """What Packer's docker builder needs in its environment to work with the lab's engine.

        Args:
            folder: of the build; what has to lie somewhere lies there.
            search: what its PATH would be.

        Raises:
            TerminalError: the engine is none of this machine, so nothing can be built in it.
        """
        engine, api = self._lab.engine(), self._lab.api()
        if not api.podman:
            return {"DOCKER_HOST": engine.url}
        program = shutil.which("podman")
        if not engine.local or program is None:
            raise TerminalError(
                f"images are built with the machine's own podman, which is not what answers at {engine.url}",
                mend="apt-get install podman, and leave DOCKER_HOST and lab.socket empty",
            )
        # Packer calls `docker`, whose client speaks to Podman in all but one request: that for a commit.
        settings = folder / "containers.conf"
        write(settings, (image.script().parent / "containers.conf").read_text(encoding="utf-8"))
        write(folder / "bin" / "docker", f'#!/bin/sh\nexec "{program}" "$@"\n', 0o700)
        return {"CONTAINERS_CONF": str(settings), "PATH": f"{folder / 'bin'}:{search}"}

    def room(self, name: str) -> list[str]:
        """A network for the machine that an image is made in, and the arguments of `docker run` that make it.

        It is as a lab host is, but for its marks. The network is one of ours because an engine's default one
        is whatever the machine's owner made of it. Both go with `sweep`.
        """
        api, called = self._lab.api(), self._called(name, "build")
        networks.create(api, called, "", self._lab.owner, self._lab.pool, more=self._marks(name))
        labels = [f"--label={label}={value}" for label, value in self._marks(name).items()]
        capabilities = [f"--cap-add={name}" for name in recipe.CAPABILITIES]
        systemd = (
            ["--systemd=always"]
            if api.podman
            else ["--cgroupns=host", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw", *_DEVICES]
        )
        given = [f"--name={called}", f"--network={called}", "--hostname=golden", "--cap-drop=ALL"]
        return ["-d", *given, *capabilities, *labels, *systemd, "{{.Image}}", "/sbin/init"]

    def reference(self, name: str, digest: str) -> str:
        """What this home calls an image, by the digest of its inputs."""
        return f"localhost/otto-{name}:{short_id(digest, _TAG)}-{self._lab.owner}"

    def pack_base(self, name: str, folder: Path) -> Path:
        """Put the base image's file system into an archive, for an image that takes it along.

        Args:
            name: of the image it is for.
            folder: where the archive is to lie.
        """
        api, called = self._lab.api(), self._called(name, "base")
        plain, packed = folder / "base.tar", folder / image.archive_name()
        body = {"Image": self.base, "Cmd": ["/sbin/init"], "Labels": dict(self._marks(name))}
        container = api.create_container(called, body)
        try:
            api.export_container(container, plain)
        finally:
            api.remove_container(container)
        with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
            shutil.copyfileobj(source, target, 1 << 20)
        plain.unlink()
        return packed

    def find(self, reference: str) -> str:
        """Id of an image by its name or id, "" when there is none."""
        found = self._lab.api().image(reference)
        return found.id if found else ""

    def built(self, name: str, digest: str) -> str:
        """Id of what was built from these inputs, here or in another home of the machine; "" for nothing."""
        if own := self.find(self.reference(name, digest)):
            return own
        # Without a name it is what a build has not tried yet, or was cut off from.
        made = self._lab.api().list_images(_IMAGE_DIGEST, digest)
        return next((each.id for each in made if _names(each)), "")

    def name(self, artifact: str, name: str, digest: str) -> None:
        """Give an image the name this home has for it; another one that had it loses it."""
        self._lab.api().tag_image(artifact, self.reference(name, digest))

    def discard(self, artifact: str) -> None:
        """Remove an image, or only our names of it where another home has it, too; gone already is fine.

        Raises:
            TransientError: a host runs on it.
        """
        api = self._lab.api()
        try:
            found = api.image(artifact)
            names = _names(found) if found else ()
            for each in names:
                if each.endswith(f"-{self._lab.owner}"):
                    api.remove_image(each)
            if found and not names:
                api.remove_image(found.id)
        except OttoError as error:
            raise TransientError(
                f"the lab's image {artifact} cannot be removed: {error.message}",
                mend="remove or replace the hosts that run on it",
            ) from error

    def sweep(self, name: str) -> int:
        """Remove what earlier builds of an image left: machines, networks, images without a name; how many.

        The caller holds the image's lock.
        """
        api, called = self._lab.api(), [self._called(name, what) for what in ("build", "trial", "base")]
        # By their names, which nothing else has: labels go from a machine to its image, and on to hosts.
        containers = [found.id for found in map(api.container, called) if found]
        removed = sum(api.remove_container(each) for each in containers)
        removed += sum(api.remove_network(each) for each in called)
        for each in self.unnamed(name):
            with contextlib.suppress(OttoError):  # something runs on it, or another was made of it
                removed += api.remove_image(each)
        leftovers.end(self._lab.folder, containers)
        return removed

    def unnamed(self, name: str) -> tuple[str, ...]:
        """Ids of images of this home's making that have no name (any more)."""
        api = self._lab.api()
        ours = {each.id for each in api.list_images(_IMAGE_OWNER, self._lab.owner)}
        made = (each for each in api.list_images(_IMAGE, name) if each.id in ours)
        return tuple(each.id for each in made if not _names(each))

    @contextlib.contextmanager
    def trial(self, artifact: str, name: str, size: str, *, nested: bool = False) -> Iterator["Trial"]:
        """A host of an image, not booted yet; gone with its network when the block ends.

        Args:
            artifact: the image's id.
            name: what it is an image of.
            size: of the host, as specs name it.
            nested: whether it makes containers of its own.
        """
        api, called = self._lab.api(), self._called(name, "trial")
        network = networks.create(api, called, "", self._lab.owner, self._lab.pool, more=self._marks(name))
        container = ""
        try:
            address = next(allocation.places(network.subnet, Role.WEB.value, 1))
            body = self._body(artifact, name, size, address, called)
            if nested:
                body = recipe.nesting(body, podman=api.podman)
            container = api.create_container(called, body)
            yield Trial(api, container, self._key)
        finally:
            if container:
                api.remove_container(container)
                leftovers.end(self._lab.folder, [container])
            api.remove_network(network.id)

    def _body(
        self, artifact: str, name: str, size: str, address: IPv4Address, network: str
    ) -> dict[str, object]:
        """What a lab host would be asked for, but for its marks."""
        api = self._lab.api()
        ports = hosts.free_ports() if self._lab.settings.publish else {}
        spec = HostSpec("trial", "", self._lab.owner, Role.WEB.value, 1, artifact, size, network, "")
        labels = {**self._marks(name), names.ADDRESS: str(address)}
        return {**recipe.request(spec, address, ports, podman=api.podman), "Labels": labels}

    def _marks(self, name: str) -> Mapping[str, str]:
        return {names.OWNER: self._lab.owner, BUILDS: name}

    def _called(self, name: str, what: str) -> str:
        # With a dot, which no site's name has: it is nobody's host.
        return f"otto-{self._lab.owner}.{what}-{name}"


def _names(found: Image) -> tuple[str, ...]:
    """What an image is called, by whomever."""
    return tuple(sorted(set(found.references) - {_UNNAMED}))


class Trial:
    """A host made of an image to be looked at and tried."""

    def __init__(self, api: Api, container: str, key: str) -> None:
        self._api = api
        self._container = container
        self._key = key

    def export(self, archive: Path) -> None:
        """Write its file system, as it is in the image, as a tar archive."""
        self._api.export_container(self._container, archive)

    def boot(self, cancelled: Callable[[], bool]) -> Host:
        """Boot it as a host is: with a key that may log in.

        Args:
            cancelled: whether nobody waits for it any more.

        Raises:
            TransientError: it does not come up in time, or nobody waits for it any longer.
        """
        hosts.put_key(self._api, self._container, self._key)
        self._api.start_container(self._container)
        waiting = Waiting(lambda: Deadline.after(_BOOT), cancelled)
        place = hosts.reached(hosts.came_up(self._api, self._container, waiting))
        return Host(
            name="trial",
            role=Role.WEB,
            id=self._container,
            address=place.address,
            private_address=place.address,
            ssh_port=place.ssh_port,
            ssh_user=hosts.USER,
            http_port=place.http_port,
            host_key=hosts.host_key(self._api, self._container),
        )
