"""Alembic's entry: runs migrations over the connection it is handed, inside its transaction."""

from alembic import context

from otto.adapters.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
