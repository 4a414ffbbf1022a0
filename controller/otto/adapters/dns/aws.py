"""Connections to AWS."""

import configparser
import functools
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import get_session

from otto.adapters.dns.access import Access
from otto.model.errors import TerminalError

_REGION = "us-east-1"  # where Route 53 and Route 53 Domains are
_TRIES = 3


def client(service: str, access: Access) -> Any:  # noqa: ANN401  (botocore makes its classes as it goes)
    """A client with limits of time, that tries again a few times when it is told that there were too many.

    Args:
        service: its name in botocore, by which the settings may have an address for it.
        access: with credentials as AWS's own files have them; without, botocore looks where it always does.

    Raises:
        TerminalError: the credentials are none.
    """
    given = _parsed(access.credentials)
    session = get_session()
    session.register_component("data_loader", _loader())
    config = Config(
        connect_timeout=access.timeout,
        read_timeout=4 * access.timeout,
        retries={"mode": "standard", "max_attempts": _TRIES},
    )
    return session.create_client(
        service,
        region_name=_REGION,
        aws_access_key_id=given.get("aws_access_key_id"),
        aws_secret_access_key=given.get("aws_secret_access_key"),
        aws_session_token=given.get("aws_session_token"),
        config=config,
        endpoint_url=access.endpoints.get(service) or None,
    )


@functools.cache
def _loader() -> Loader:
    """What the services are like and where they are: megabytes of JSON, read once in a process."""
    return Loader()


def _parsed(text: str) -> dict[str, str]:
    """Credentials as in `~/.aws/credentials`, with or without the name of a profile above them."""
    if not text.strip():
        return {}
    whole = text if text.lstrip().startswith("[") else f"[default]\n{text}"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(whole)
        found = dict(parser[parser.sections()[0]])
    except (configparser.Error, IndexError):
        found = {}
    if not {"aws_access_key_id", "aws_secret_access_key"} <= found.keys():
        raise TerminalError(
            "route53: the credentials are none of AWS's",
            mend="put aws_access_key_id = … and aws_secret_access_key = … where spec.credentials refers to",
        )
    return found
