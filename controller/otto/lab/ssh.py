"""Whether sshd of a host answers."""

import socket

_PATIENCE = 1.0


def answers(address: str, port: int) -> bool:
    """Whether an SSH server greets there (RFC 4253, section 4.2); a port that merely opens is not enough.

    A published port is opened by the engine long before the host's sshd listens.
    """
    try:
        with socket.create_connection((address, port), timeout=_PATIENCE) as connection:
            connection.settimeout(_PATIENCE)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
