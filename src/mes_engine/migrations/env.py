"""Run migrations on the connection that ``mes_engine.migrations`` hands over."""

from alembic import context

from mes_engine.migrations.target import target

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=target(),
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
