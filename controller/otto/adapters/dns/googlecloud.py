"""octoDNS's provider for Google Cloud DNS, with limits of time and an address of choice."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from octodns_googlecloud import GoogleCloudProvider

from otto.adapters.dns.access import Access
from otto.adapters.dns.http import limit
from otto.model.errors import TerminalError

_MEND = "put a service account's key, as Google's console gives it, where spec.credentials refers to"


class GoogleCloud(GoogleCloudProvider):  # type: ignore[misc]  # octoDNS has no types
    """Public zones at Google Cloud DNS; each request of a plan's changes is atomic.

    Args:
        access: with a service account's key (JSON) as credentials; without, Google's library looks where it
            always does.

    Raises:
        TerminalError: the credentials are none.
    """

    CHANGE_LOOP_WAIT = 1  # seconds between two looks at a change

    def __init__(self, access: Access) -> None:
        if access.credentials:
            with _file(access.credentials) as (path, project):
                super().__init__("otto", project, path, private=False, root_ns_warnings=False)
        else:
            super().__init__("otto", private=False, root_ns_warnings=False)
        connection = self.gcloud_client._connection  # noqa: SLF001  (there is no other way to it)
        if named := access.endpoints.get("googlecloud"):
            connection.API_BASE_URL = named.rstrip("/")
        limit(connection.http, access.timeout)


@contextmanager
def _file(text: str) -> Iterator[tuple[str, str]]:
    """The key as the file that the library wants, in memory, and the project it is of."""
    try:
        project = json.loads(text)["project_id"]
    except (ValueError, KeyError, TypeError):
        raise TerminalError("googlecloud: the credentials are no service account's key", mend=_MEND) from None
    descriptor = os.memfd_create("credentials")
    try:
        os.write(descriptor, text.encode())
        yield f"/proc/self/fd/{descriptor}", str(project)
    finally:
        os.close(descriptor)
