"""Serving the provider to Terraform by HashiCorp's plug-in protocol, version 6.

The library's own `run_provider` is not used: it closes the server in the middle of an apply when Terraform is
interrupted, so that what was just made is in no state; it stays when its Terraform is killed; and it keeps a
private key in the user's home. Here an interruption only sets a flag, a provider without its Terraform
finishes what it is at and ends, and the key stays in OTTO_HOME.

Protocol: https://github.com/hashicorp/go-plugin/blob/main/docs/internals.md
"""

import base64
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from tf.gen import grpc_controller_pb2 as controller
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2 as protocol
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.provider import ProviderServicer

from otto.lab.provider import certificate as certificates
from otto.lab.provider.certificate import Certificate
from otto.lab.provider.folder import remove, socket_folder
from otto.lab.provider.lab import LabProvider

# Terraform itself works on 10 resources at a time by default, 16 leaves room for what it asks besides.
_THREADS = 16
_LOOK_FOR_PARENT = 0.5
_GRACE = 120.0
# Terraform's own handshake (internal/plugin6/serve.go): not a secret, it tells people from Terraform.
_COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")


class _Servicer(ProviderServicer):  # type: ignore[misc]
    """The library's translation of the protocol, with our own way to stop."""

    def __init__(self, provider: LabProvider) -> None:
        super().__init__(provider)
        self._stopping = provider.connection.stopping

    def StopProvider(self, request: Any, context: Any) -> Any:  # noqa: ANN401, ARG002, N802
        """Terraform was interrupted: nothing new is waited for; what runs comes to its own end."""
        self._stopping.set()
        return protocol.StopProvider.Response()


class _Controller(controller_rpc.GRPCControllerServicer):  # type: ignore[misc]
    """Terraform's last word to a plug-in."""

    def __init__(self, done: threading.Event) -> None:
        self._done = done

    def Shutdown(self, request: Any, context: Any) -> Any:  # noqa: ANN401, ARG002, N802
        """Terraform needs us no more."""
        self._done.set()
        return controller.Empty()


class _Stdio(stdio_rpc.GRPCStdioServicer):  # type: ignore[misc]
    """Terraform asks for our output; we have none to stream."""

    def StreamStdio(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: ANN401, ARG002, N802
        """Nothing."""
        return iter(())


def main() -> None:
    """Serve until Terraform shuts us down or is gone."""
    if os.environ.get(_COOKIE[0]) != _COOKIE[1]:
        sys.exit(
            "This is OttO's Terraform provider for the lab. Terraform starts it; it does nothing by itself."
        )
    # Ctrl-C reaches the whole group; Terraform tells us by StopProvider what it wants of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    provider = LabProvider()
    with socket_folder() as folder:
        kept = Path(sys.argv[1] if len(sys.argv) > 1 else folder).parent / "certificate.json"
        ours = certificates.certificate(kept, datetime.now(UTC))
        serve(provider, folder, ours, done, os.getppid)
    # Threads still waiting for an engine must not hold us up.
    sys.stdout.flush()
    os._exit(0)


def serve(
    provider: LabProvider,
    folder: Path,
    certificate: Certificate,
    done: threading.Event,
    parent: Callable[[], int],
) -> None:
    """Serve on a socket until done, or until our parent is another than at first.

    The folder is removed as soon as there is nothing more to do: Terraform kills a plug-in that takes longer
    than two seconds to end. Connections that are open do not need it.

    Args:
        provider: what to serve.
        folder: for the socket, our own.
        certificate: what Terraform is to find there.
        done: set when there is nothing more to do.
        parent: tells the parent's process id.
    """
    ours = parent()
    path = f"{folder}/socket"
    workers = futures.ThreadPoolExecutor(max_workers=_THREADS)
    server = grpc.server(workers)
    rpc.add_ProviderServicer_to_server(_Servicer(provider), server)
    controller_rpc.add_GRPCControllerServicer_to_server(_Controller(done), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
    server.add_secure_port(f"unix://{path}", _credentials(certificate))
    server.start()
    print(_handshake(path, certificate), flush=True)  # noqa: T201  (the protocol's first line)
    while not done.wait(_LOOK_FOR_PARENT):
        if parent() != ours:
            break
    remove(folder)
    # What is being made is finished, or undone: nobody else will.
    provider.connection.stopping.set()
    server.stop(_GRACE).wait(_GRACE)
    _outwait(workers)


def _outwait(workers: futures.ThreadPoolExecutor) -> None:
    """Wait for what is still being done.

    gRPC counts a call as over once its caller has gone (`_possibly_finish_call` in grpc/_server.py), whatever
    its thread is at: the host that an interrupted call is taking away again, say.
    """
    waiting = threading.Thread(target=workers.shutdown, daemon=True)
    waiting.start()
    waiting.join(_GRACE)


def _credentials(certificate: Certificate) -> grpc.ServerCredentials:
    """Encryption, as Terraform insists on, without a certificate of the client.

    Go's client certificates lie on P-521, which gRPC's TLS library does not take. What keeps others out is
    the socket's folder, which is its owner's alone.
    """
    return grpc.ssl_server_credentials([(certificate.key.encode(), certificate.chain.encode())])


def _handshake(path: str, certificate: Certificate) -> str:
    """Core protocol 1, plug-in protocol 6, where we listen, how, and our certificate."""
    encoded = base64.b64encode(certificate.der).decode().rstrip("=")
    return f"1|6|unix|{path}|grpc|{encoded}"
