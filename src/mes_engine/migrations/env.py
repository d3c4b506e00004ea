"""Run migrations on the connection that ``mes_engine.migrations`` hands over."""

from alembic import context

from mes_engine.storage.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
