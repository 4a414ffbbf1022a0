"""How the controller and its workers speak: pickled values, each after its length, over two pipes.

Both ends are this program, and nobody else can write to the pipes. What comes from servers and providers is
text inside of values.
"""

import pickle
import struct
from typing import Any, BinaryIO

MOST = 256 << 20
"""Bytes of a value at most: a zone of a million record sets."""

HEADER = struct.Struct(">I")


def packed(value: object) -> bytes:
    """A value as it goes over a pipe."""
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    if len(body) > MOST:
        raise ValueError(f"a value of {len(body)} bytes")
    return HEADER.pack(len(body)) + body


def unpacked(body: bytes) -> Any:  # noqa: ANN401
    """A value that came over a pipe."""
    return pickle.loads(body)  # noqa: S301  (of our own making)


def receive(stream: BinaryIO) -> Any:  # noqa: ANN401
    """The next value.

    Raises:
        EOFError: the other end is gone.
    """
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    (length,) = HEADER.unpack(header)
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return unpacked(body)
