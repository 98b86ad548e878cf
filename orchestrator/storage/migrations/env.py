"""Alembic's entry: runs the revisions over the connection that ``orchestrator.storage.upgrade`` hands in."""

from alembic import context

from orchestrator.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter most things in place; batch mode copies the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
