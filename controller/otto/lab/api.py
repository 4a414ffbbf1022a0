"""The Docker API, as much of it as the lab needs, over the Docker SDK.

Every method raises only errors of `otto.model.errors` (see `otto.lab.faults`). What is not there is None,
not an error.
"""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import docker
import docker.errors
import requests

from otto.lab import containers
from otto.lab.containers import Container, Image, Network
from otto.lab.faults import translated
from otto.lab.ping import greet
from otto.lab.sizes import CPU_PERIOD, Limits

_LIBPOD = "/v4.0.0/libpod"
_LONG = 300.0
# Podman 4, of a container that it began to remove: its storage is gone, its entry is not.
_HALF_REMOVED = "container not known"
_PIECE = 1 << 20


class Api:
    """One engine's API. Threads may share it.

    Attributes:
        url: where it is.
        podman: whether the engine is Podman.
        engine: name and version of the engine.

    Args:
        url: `unix://…` or `tcp://…`.
        timeout: seconds any one request may take.

    Raises:
        TransientError: the engine does not answer.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        self.url = url
        self._connect(timeout)

    @translated
    def _connect(self, timeout: float) -> None:
        greeting = greet(self.url)
        if greeting is None:
            raise ConnectionError
        self._client = docker.APIClient(base_url=self.url, version=greeting.api, timeout=timeout)  # type: ignore[arg-type]
        # Neither proxies nor .netrc have a say in what goes to a local socket.
        self._client.trust_env = False
        self.podman = bool(greeting.podman)
        self.engine = greeting.engine

    def close(self) -> None:
        """Give connections back."""
        self._client.close()

    # Containers

    @translated
    def list_containers(self, labels: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """Containers in any state that carry the labels, in one request, as the engine tells them."""
        return self._listed({"label": _filters(labels)})

    def _listed(self, filters: Mapping[str, Sequence[str]]) -> Sequence[Mapping[str, Any]]:
        """Podman is asked in its own language: it tells when each was started, and of half removed ones."""
        if not self.podman:
            listed: Sequence[Mapping[str, Any]] = self._client.containers(all=True, filters=filters)
            return listed
        query = {"all": "true", "filters": json.dumps(filters)}
        found: Sequence[Mapping[str, Any]] = self._libpod("GET", "/containers/json", params=query).json()
        return found

    @translated
    def list_names(self, part: str) -> tuple[tuple[str, str], ...]:
        """Ids and names of containers whose name holds this part, whoever's they are."""
        listed = self._listed({"name": [part]})
        return tuple((item["Id"], item["Names"][0].lstrip("/")) for item in listed)

    @translated
    def container(self, name: str) -> Container | None:
        """A container by its name or id.

        One that is half removed is none: Podman was killed over it, and has its name and nothing else. It
        would never answer to it again, and nobody else could have it: it is removed to its end.
        """
        try:
            return containers.container(self._client.inspect_container(name))
        except docker.errors.NotFound:
            return None
        except docker.errors.APIError as error:
            if _HALF_REMOVED not in str(error.explanation):
                raise
            self._client.remove_container(name, force=True, v=True)
            return None

    @translated
    def create_container(self, name: str, body: Mapping[str, Any]) -> str:
        """Create a container; its id.

        Args:
            name: its name.
            body: the request, in the API's words.

        Raises:
            AlreadyExistsError: there is one of that name.
        """
        created = self._client.create_container_from_config(body, name)  # type: ignore[no-untyped-call]
        return str(created["Id"])

    @translated
    def start_container(self, name: str) -> None:
        """Start a container that does not run."""
        self._client.start(name)

    @translated
    def unpause_container(self, name: str) -> None:
        """Let a paused container go on."""
        self._client.unpause(name)

    @translated
    def rename_container(self, name: str, new: str) -> None:
        """Give a container another name."""
        self._client.rename(name, new)

    @translated
    def remove_container(self, name: str) -> bool:
        """Kill and remove a container with its volumes; False when there was none."""
        try:
            self._client.remove_container(name, force=True, v=True)
        except docker.errors.NotFound:
            return False
        return True

    @translated
    def limit_container(self, name: str, limits: Limits) -> None:
        """Change the limits of a running container."""
        if self.podman:  # the compatible endpoint came with Podman 5
            cpu = {"quota": limits.quota, "period": CPU_PERIOD}
            memory = {"limit": limits.memory, "swap": limits.memory}
            self._libpod("POST", f"/containers/{name}/update", json={"cpu": cpu, "memory": memory})
            return
        self._client.update_container(
            name,
            cpu_quota=limits.quota,
            cpu_period=CPU_PERIOD,
            mem_limit=limits.memory,
            memswap_limit=limits.memory,
        )

    @translated
    def put_file(self, name: str, path: PurePosixPath, text: str, *, mode: int, owner: int) -> None:
        """Write a file inside a container, running or not."""
        self._client.put_archive(name, str(path.parent), _archive(path.name, text.encode(), mode, owner))

    @translated
    def get_file(self, name: str, path: PurePosixPath) -> str | None:
        """Read a small file inside a container, running or not, without running anything in it."""
        try:
            stream, _ = self._client.get_archive(name, str(path))
        except docker.errors.NotFound:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            file = archive.extractfile(archive.next() or "")
            return file.read().decode() if file else None

    @translated
    def export_container(self, name: str, archive: Path) -> None:
        """Write the file system of a container, running or not, as a tar archive."""
        url = f"{self._client.base_url}/v{self._client.api_version}/containers/{name}/export"
        with self._client.get(url, stream=True, timeout=_LONG) as answer, archive.open("wb") as file:
            for piece in _checked(answer).iter_content(_PIECE):
                file.write(piece)

    @translated
    def execute(self, name: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command inside a running container, as root; its exit status, and what it said."""
        started = self._client.exec_create(name, list(command), user="root")
        said: bytes = self._client.exec_start(started["Id"])
        ended = self._client.exec_inspect(started["Id"])
        status = ended.get("ExitCode")
        return (-1 if status is None else int(status)), said.decode(errors="replace")

    # Networks

    @translated
    def list_networks(self, labels: Mapping[str, str] | None = None) -> tuple[Network, ...]:
        """Networks that carry the labels."""
        filters = {"label": _filters(labels)} if labels else None
        return tuple(containers.network(item) for item in self._client.networks(filters=filters))

    @translated
    def network(self, name: str) -> Network | None:
        """A network by its name or id."""
        try:
            return containers.network(self._client.inspect_network(name))
        except docker.errors.NotFound:
            return None

    @translated
    def create_network(self, name: str, subnet: str, gateway: str, labels: Mapping[str, str]) -> str:
        """Create a bridge network; its id.

        Raises:
            SubnetTakenError: the subnet overlaps another.
            AlreadyExistsError: there is one of that name.
        """
        pool = docker.types.IPAMPool(subnet=subnet, gateway=gateway)
        created = self._client.create_network(
            name,
            driver="bridge",
            ipam=docker.types.IPAMConfig(pool_configs=[pool]),
            labels=dict(labels),
            check_duplicate=True,
        )
        return str(created["Id"])

    @translated
    def remove_network(self, name: str) -> bool:
        """Remove a network without members; False when there was none."""
        try:
            self._client.remove_network(name)
        except docker.errors.NotFound:
            return False
        return True

    @translated
    def connect_container(self, name: str, network: str, address: str, mac: str, alias: str) -> None:
        """Attach a container to a network, at this address, under this name."""
        self._client.connect_container_to_network(
            name, network, ipv4_address=address, mac_address=mac, aliases=[alias]
        )

    @translated
    def disconnect_container(self, name: str, network: str) -> None:
        """Detach a container from a network."""
        self._client.disconnect_container_from_network(name, network)

    # Images

    @translated
    def image(self, reference: str) -> Image | None:
        """An image by its reference or id."""
        try:
            inspected = self._client.inspect_image(reference)  # type: ignore[no-untyped-call]
            return containers.image(inspected)
        except docker.errors.ImageNotFound:
            return None

    @translated
    def import_image(self, archive: Path, reference: str, changes: Iterable[str]) -> None:
        """Make an image of a root file system in a tar archive."""
        if self.podman:  # the compatible endpoint of Podman 4 ignores the tag and leaves a file in /var/tmp
            url, query = f"{self._client.base_url}{_LIBPOD}/images/import", {"reference": [reference]}
        else:
            repository, _, tag = reference.rpartition(":")
            url = f"{self._client.base_url}/v{self._client.api_version}/images/create"
            query = {"fromSrc": ["-"], "repo": [repository], "tag": [tag]}
        query |= {"changes": list(changes)}
        with archive.open("rb") as data:
            answer = _checked(self._client.post(url, params=query, data=data, timeout=_LONG))
        # The answer is a stream of messages, and a failure may be one of them.
        for line in answer.text.splitlines():
            if "error" in (message := json.loads(line)):
                raise docker.errors.APIError(str(message["error"]), answer)

    @translated
    def list_images(self, label: str, value: str) -> tuple[Image, ...]:
        """Images that carry a label, named or not. By two labels at once, Podman 4 finds nothing."""
        return tuple(map(containers.image, self._client.images(filters={"label": f"{label}={value}"})))

    @translated
    def tag_image(self, image: str, reference: str) -> None:
        """Give an image a name more."""
        repository, _, tag = reference.rpartition(":")
        self._client.tag(image, repository, tag, force=True)

    @translated
    def remove_image(self, reference: str) -> bool:
        """Remove an image nothing uses; False when there was none."""
        try:
            self._client.remove_image(reference)
        except docker.errors.ImageNotFound:
            return False
        return True

    def _libpod(self, method: str, path: str, **options: object) -> requests.Response:
        url = f"{self._client.base_url}{_LIBPOD}{path}"
        return _checked(self._client.request(method, url, timeout=self._client.timeout, **options))  # type: ignore[arg-type]


def _checked(answer: requests.Response) -> requests.Response:
    try:
        answer.raise_for_status()
    except requests.HTTPError as error:
        docker.errors.create_api_error_from_http_exception(error)
    return answer


def _archive(name: str, data: bytes, mode: int, owner: int) -> bytes:
    """A tar archive of one file that ends where its contents end (POSIX: two blocks of zeros).

    The usual padding after that is fatal now and then: what unpacks the archive for Podman stops reading at
    the end, and Podman, still writing padding, fails with "broken pipe".
    """
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.uid, entry.gid = len(data), mode, owner, owner
    fill = bytes(-len(data) % tarfile.BLOCKSIZE)
    return entry.tobuf(tarfile.USTAR_FORMAT) + data + fill + bytes(2 * tarfile.BLOCKSIZE)


def _filters(labels: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" if value else name for name, value in labels.items()]
