"""HTTP sessions of octoDNS's providers, with the limits of time that they do not set."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter


class Limited(HTTPAdapter):
    """Requests that give up.

    Args:
        seconds: to connect, and to wait for each piece of an answer.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:  # noqa: ANN401
        """Send one."""
        if more.get("timeout") is None:
            more["timeout"] = self._seconds
        return super().send(request, *args, **more)


def limit(session: requests.Session, seconds: float) -> None:
    """Have all requests of a session give up, and go where they are sent: no redirection, no .netrc."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, Limited(seconds))
    session.max_redirects = 0
