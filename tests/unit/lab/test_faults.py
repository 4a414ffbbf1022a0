"""Errors of the engine, translated."""

import docker.errors
import pytest
import requests

from otto.lab import faults
from otto.lab.faults import AddressTakenError, AlreadyExistsError, SubnetTakenError
from otto.model.errors import OttoError, TerminalError, TransientError


def api_error(status: int, said: str) -> docker.errors.APIError:
    answer = requests.Response()
    answer.status_code = status
    return docker.errors.APIError("failed", answer, said)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(), TransientError),
        (requests.ReadTimeout(), TransientError),
        (docker.errors.DockerException("bad"), TransientError),
        (api_error(500, "something broke"), TransientError),
        (api_error(400, "no such option"), TerminalError),
        (api_error(409, "Conflict. The container name is already in use"), AlreadyExistsError),
        (
            api_error(500, 'creating container storage: the container name "x" is already in use'),
            AlreadyExistsError,
        ),
        (api_error(500, "network name x already used: network already exists"), AlreadyExistsError),
        (
            api_error(500, "subnet 10.203.7.0/24 is already used on the host or by another config"),
            SubnetTakenError,
        ),
        (
            api_error(
                500,
                "IPAM error: requested ip address 10.203.7.16 is already allocated to container ID 61535a",
            ),
            AddressTakenError,
        ),
        (api_error(403, "Address already in use"), AddressTakenError),
        (api_error(403, "Pool overlaps with other one on this address space"), SubnetTakenError),
        (docker.errors.ImageNotFound("no such image"), TerminalError),
    ],
)
def test_each_error_has_its_kind(error: Exception, kind: type[OttoError]) -> None:
    found = faults.translate("unix:///run/x.sock", "create_container", error)
    assert type(found) is kind
    assert "unix:///run/x.sock could not create container" in found.message


def test_an_engine_that_is_gone_comes_with_a_mend() -> None:
    assert faults.translate("unix:///x", "_connect", ConnectionRefusedError()).mend == "otto lab up"
