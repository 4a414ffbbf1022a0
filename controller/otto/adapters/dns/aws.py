"""Connections to AWS."""

import configparser
from typing import Any

import boto3
from botocore.config import Config

from otto.adapters.dns.access import Access
from otto.model.errors import TerminalError

_REGION = "us-east-1"  # where Route 53 and Route 53 Domains are
_TRIES = 3


def client(service: str, access: Access) -> Any:  # noqa: ANN401  (boto3 makes its classes as it goes)
    """A client with limits of time, that tries again a few times when it is told that there were too many.

    Args:
        service: its name in boto3, by which the settings may have an address for it.
        access: with credentials as AWS's own files have them; without, boto3 looks where it always does.

    Raises:
        TerminalError: the credentials are none.
    """
    given = _parsed(access.credentials)
    session = boto3.Session(
        aws_access_key_id=given.get("aws_access_key_id"),
        aws_secret_access_key=given.get("aws_secret_access_key"),
        aws_session_token=given.get("aws_session_token"),
        region_name=_REGION,
    )
    config = Config(
        connect_timeout=access.timeout,
        read_timeout=4 * access.timeout,
        retries={"mode": "standard", "max_attempts": _TRIES},
    )
    return session.client(service, config=config, endpoint_url=access.endpoints.get(service) or None)


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
