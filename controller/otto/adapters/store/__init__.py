"""OttO's memory in a database: port `Store` over SQLAlchemy Core, migrated by Alembic.

store = open_store(home / "otto.db", clock)      # creates or migrates, then hands it over
...
await store.close()
"""

from otto.adapters.store.opening import open_store
from otto.adapters.store.store import SqlStore

__all__ = ["SqlStore", "open_store"]
