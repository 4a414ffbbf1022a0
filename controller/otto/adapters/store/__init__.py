"""OttO's memory in a database: ports `Store` and `Ledger` over SQLAlchemy Core, migrated by Alembic.

store = open_store(home / "otto.db", clock)      # creates or migrates, then hands it over
await store.ledger.append(entry)
...
await store.close()
"""

from otto.adapters.store.ledger import SqlLedger
from otto.adapters.store.opening import open_store
from otto.adapters.store.store import SqlStore

__all__ = ["SqlLedger", "SqlStore", "open_store"]
