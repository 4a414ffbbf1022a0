"""A provider whose Terraform is gone finishes what it is at."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from tf.gen import tfplugin_pb2 as protocol
from tf.gen import tfplugin_pb2_grpc as rpc

from otto.lab.provider import serve as serving
from otto.lab.provider.certificate import Certificate, make
from otto.lab.provider.lab import LabProvider

LONG = 10.0
EMPTY = protocol.ConfigureProvider.Request(config=protocol.DynamicValue(msgpack=b"\x80"))


class SlowProvider(LabProvider):
    """One whose call lasts until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.let_go, self.finished = (threading.Event() for _ in range(3))

    def configure_provider(self, diags: Any, config: Any) -> None:
        self.called.set()
        assert self.let_go.wait(LONG)
        self.finished.set()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's, wherever the suite's own folders are."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="otto-") as made:
        yield Path(made) / "socket"


@contextmanager
def terraform(folder: Path, certificate: Certificate) -> Iterator[grpc.Channel]:
    credentials = grpc.ssl_channel_credentials(certificate.chain.encode())
    options = (("grpc.ssl_target_name_override", "localhost"),)
    with grpc.secure_channel(f"unix://{folder}/socket", credentials, options) as channel:
        grpc.channel_ready_future(channel).result(LONG)
        yield channel


@pytest.mark.parametrize("end", ["shut down", "parent gone"])
def test_what_is_being_done_is_finished_though_nobody_waits_for_it(
    folder: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LOOK_FOR_PARENT", 0.01)
    folder.mkdir()
    provider, certificate, done, parents = SlowProvider(), make(datetime.now(UTC)), threading.Event(), [1]
    arguments = (provider, folder, certificate, done, lambda: parents[0])
    server = threading.Thread(target=serving.serve, args=arguments, daemon=True)
    server.start()
    with terraform(folder, certificate) as channel:
        call = rpc.ProviderStub(channel).ConfigureProvider.future(EMPTY)  # a dropped one is cancelled
        assert provider.called.wait(LONG), call
    if end == "shut down":
        done.set()
    else:
        parents[0] = 2
    assert provider.connection.stopping.wait(LONG)
    server.join(0.5)
    assert server.is_alive(), "it ended with a call half done"
    provider.let_go.set()
    server.join(LONG)
    assert not server.is_alive()
    assert provider.finished.is_set()


def test_what_never_ends_is_not_waited_for_without_limit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_GRACE", 0.2)
    folder.mkdir()
    provider, certificate, done = SlowProvider(), make(datetime.now(UTC)), threading.Event()
    server = threading.Thread(
        target=serving.serve, args=(provider, folder, certificate, done, lambda: 1), daemon=True
    )
    server.start()
    with terraform(folder, certificate) as channel:
        call = rpc.ProviderStub(channel).ConfigureProvider.future(EMPTY)  # a dropped one is cancelled
        assert provider.called.wait(LONG), call
    done.set()
    server.join(LONG)
    assert not server.is_alive()
    assert not provider.finished.is_set()
    provider.let_go.set()
