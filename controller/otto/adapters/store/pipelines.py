"""Port `PipelineRecords` over a database."""

from collections.abc import Mapping

from sqlalchemy import Connection, Delete, Select, delete, select

from otto.adapters.store import register, schema, writing
from otto.adapters.store.database import FEW, Database
from otto.model.canonical import canonical
from otto.model.pipeline import Pipeline
from otto.model.register import Place

_TABLE = schema.pipelines
_NEWEST_FIRST = (_TABLE.c.started_at.desc(), _TABLE.c.id.desc())


class SqlPipelines:
    """What pipelines did, in the store's database.

    All methods raise what `otto.adapters.store.errors.translated` does.

    Args:
        database: the store's.
        keep: ended pipelines that are kept for each site.
    """

    def __init__(self, database: Database, *, keep: int) -> None:
        self._database = database
        self._keep = keep

    async def save(self, *pipelines: Pipeline) -> None:
        """Keep pipelines, replacing what was kept of them; ended ones push the oldest of their site out."""
        ended = sorted({pipeline.site for pipeline in pipelines if pipeline.ended_at is not None})

        def keep(connection: Connection) -> None:
            # Written out here, in the store's own thread: a push can bring thousands.
            writing.put(connection, _TABLE, [_row(pipeline) for pipeline in pipelines])
            for site in ended:
                connection.execute(_surplus(site, self._keep))

        await self._database.write(keep)

    async def pipeline(self, pipeline_id: str) -> Pipeline | None:
        """A pipeline by id."""
        found = await self._database.few_values(Pipeline, _all().where(_TABLE.c.id == pipeline_id))
        return found[0] if found else None

    async def pipelines(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        before: Place | None = None,
    ) -> tuple[Pipeline, ...]:
        """Pipelines, newest first; see the port for the arguments."""
        chosen = register.narrowed(_all(), _TABLE, site=site, labels=labels, before=before)
        asked = self._database.few_values if limit <= FEW else self._database.values
        return await asked(Pipeline, chosen.limit(limit))

    async def open(self) -> tuple[Pipeline, ...]:
        """Pipelines that never ended, newest first."""
        return await self._database.values(Pipeline, _all().where(_TABLE.c.ended_at.is_(None)))


def _row(pipeline: Pipeline) -> writing.Row:
    ended = pipeline.ended_at
    return {
        "id": pipeline.id,
        "site": pipeline.site,
        "started_at": schema.microseconds(pipeline.started_at),
        "ended_at": None if ended is None else schema.microseconds(ended),
        "data": canonical(pipeline),
    }


def _all() -> Select[str, str]:
    return select(_TABLE.c.id, _TABLE.c.data).order_by(*_NEWEST_FIRST)


def _surplus(site: str, keep: int) -> Delete:
    """The statement that drops ended pipelines of a site beyond the newest `keep`."""
    surplus = select(_TABLE.c.id).where(_TABLE.c.site == site).order_by(*_NEWEST_FIRST).offset(keep)
    return delete(_TABLE).where(_TABLE.c.id.in_(surplus), _TABLE.c.ended_at.is_not(None))
