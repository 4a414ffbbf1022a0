"""One message on one way, sent by Apprise in a program of its own.

So a receiver that hangs can be killed, one that answers without end fills nobody's memory but ours, and what
Apprise logs of addresses stays here. Needs Apprise and nothing else of OttO.

Reads one JSON object on standard input: `address`, `title`, `body`, `verbatim` (whether the words are fit for
the receiver already), `type`, `seconds`. Writes one on standard output: `{"sent": true}`, or
`{"sent": false, "why": TEXT}`.
"""

import json
import logging
import resource
import sys
from typing import Any

_MEMORY = 1024**3


class _Last(logging.Handler):
    """Keeps the last thing Apprise complained of."""

    words = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.words = record.getMessage()


def send(request: dict[str, Any]) -> dict[str, object]:
    """Send; whether that worked, and why not."""
    import apprise  # noqa: PLC0415  (under the memory limit)

    last = _Last(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(last)
    logger.propagate = False
    asset = apprise.AppriseAsset(
        app_id="OttO",
        app_desc="OttO",
        app_url="",
        # Nothing is fetched from elsewhere, and nothing is sent on to another place than was named.
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
        storage_mode="memory",
        service_timeout=0,
        secure_logging=True,
    )
    way = apprise.Apprise.instantiate(request["address"], asset=asset)
    if way is None:
        return {"sent": False, "why": last.words or "Apprise does not know such an address"}
    way.socket_connect_timeout = way.socket_read_timeout = request["seconds"]
    sent = way.notify(
        body=request["body"],
        title=request["title"],
        notify_type=apprise.NotifyType(request["type"]),
        body_format=None if request["verbatim"] else apprise.NotifyFormat.TEXT,
    )
    return {"sent": True} if sent else {"sent": False, "why": last.words or "it was not taken"}


def main() -> None:
    """Read the request, send, answer."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    request, output = json.load(sys.stdin), sys.stdout
    sys.stdout = sys.stderr  # should a plug-in print something
    try:
        answer = send(request)
    except Exception as error:  # noqa: BLE001  (whatever a plug-in does, the answer has to be one)
        answer = {"sent": False, "why": f"{type(error).__name__}: {error}"}
    output.write(json.dumps(answer))


if __name__ == "__main__":
    main()
