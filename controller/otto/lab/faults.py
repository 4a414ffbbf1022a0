"""Errors of the Docker SDK and of HTTP, translated once into the errors of the house."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import docker.errors
import requests

from otto.model.errors import OttoError, TerminalError, TransientError


class AlreadyExistsError(TerminalError):
    """Something of that name is there already."""


class SubnetTakenError(TransientError):
    """The subnet overlaps one that is in use."""


class AddressTakenError(TransientError):
    """The address is in use, or the engine believes so."""


class _Reachable(Protocol):
    url: str


P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound=_Reachable)


def translated(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Have a method raise only errors of `otto.model.errors`."""

    @functools.wraps(method)
    def wrapper(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            raise translate(self.url, method.__name__, error) from error

    return wrapper


def translate(url: str, verb: str, error: Exception) -> OttoError:
    """The error of ours that says what one of the SDK's means.

    Args:
        url: of the engine.
        verb: what was asked of it.
        error: what came of it.
    """
    what = f"container engine at {url} could not {verb.strip('_').replace('_', ' ')}"
    if not isinstance(error, docker.errors.APIError):
        return TransientError(f"{what}: no answer ({type(error).__name__})", mend="otto lab up")
    said = " ".join(str(error.explanation or error).split())
    if isinstance(error, docker.errors.ImageNotFound):
        return TerminalError(f"{what}: no such image: {said}", mend="otto lab up")
    # Podman: "requested ip address … is already allocated to container ID …"; Docker: "Address already in
    # use", which is no conflict of names.
    if "is already allocated to container" in said or "Address already in use" in said:
        return AddressTakenError(f"{what}: {said}")
    # Podman answers 500 where Docker answers 403 or 409; only the words tell.
    if error.status_code == requests.codes.conflict or "already in use" in said or "already exists" in said:
        return AlreadyExistsError(f"{what}: {said}")
    if "already used" in said or "overlaps" in said:
        return SubnetTakenError(f"{what}: {said}")
    kind = TransientError if error.is_server_error() or error.status_code is None else TerminalError
    return kind(f"{what}: {said}")
