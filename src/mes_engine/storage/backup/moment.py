"""What a database is, at the moment that a transaction sees."""

from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, select

from mes_engine.core.errors import Refused
from mes_engine.storage import tables as t
from mes_engine.storage.journal import MAIN, head


@dataclass(frozen=True, slots=True)
class Moment:
    """The plant, the schema's revision and the last fact, as one transaction sees them.

    Attributes:
        plant: The site's id; empty where none was applied yet.
    """

    plant: str
    revision: str
    seq: int


def moment_of(connection: Connection) -> Moment:
    """Return what the database is now.

    Raises:
        Refused: It is none of ours.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None or not inspect(connection).has_table("fact"):
        raise Refused(
            "The database holds nothing of the engine's: there is nothing to back up.",
            hint="Look for it elsewhere.",
        )
    site = select(t.plant.c.site).where(t.plant.c.partition == MAIN)
    return Moment(
        plant=connection.execute(site).scalars().first() or "",
        revision=revision,
        seq=head(connection, MAIN),
    )
