"""The obvious way: SQLAlchemy's async ORM, a transaction for each report.

It is written with care, and is right: a repeat is known by its key, the row of the job
order is locked while its total grows, the movement and the event are in the same
transaction, and a commit is on the disk. It has no more logic than that.
"""

import asyncio
from decimal import Decimal
from time import perf_counter
from typing import Any

from sqlalchemy import ForeignKey, Numeric, event, make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.durable import JOBS

CONNECTIONS = 8
"""At a time, on PostgreSQL; SQLite has one writer."""


class _Base(DeclarativeBase):
    pass


class JobOrder(_Base):
    """A quantity at a step."""

    __tablename__ = "job_order"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    good: Mapped[Decimal] = mapped_column(Numeric(18, 6))


class Handled(_Base):
    """A report that was made, by the key under which it came."""

    __tablename__ = "handled"
    key: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]


class Movement(_Base):
    """Pieces that went from one place to another."""

    __tablename__ = "movement"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_order: Mapped[int] = mapped_column(ForeignKey("job_order.id"))
    good: Mapped[Decimal] = mapped_column(Numeric(18, 6))


class Event(_Base):
    """What happened."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str]
    body: Mapped[str]


async def obvious_round(url: str, *, commands: int) -> float:
    """Return how many reports a second it makes, as many at a time as it can."""
    engine, at_once = _engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    async with sessions.begin() as session:
        for number in range(JOBS):
            session.add(JobOrder(id=number + 1, state="running", good=Decimal(0)))
    numbers = iter(range(commands))

    async def caller() -> None:
        for number in numbers:
            async with sessions.begin() as session:
                await report(session, f"r{number}", number % JOBS + 1, Decimal(1))

    began = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(caller())
    seconds = perf_counter() - began
    await engine.dispose()
    return commands / seconds


async def report(session: AsyncSession, key: str, job_order: int, good: Decimal) -> str:
    """Report pieces, once under a key."""
    known = await session.get(Handled, key)
    if known is not None:
        return known.answer
    job = await session.get_one(JobOrder, job_order, with_for_update=True)
    if job.state != "running":
        raise RuntimeError(f"{job.id} is {job.state}")
    job.good += good
    session.add(Movement(job_order=job.id, good=good))
    session.add(Event(kind="quantity_reported", body=f'{{"good": "{good}"}}'))
    session.add(Handled(key=key, answer="accepted"))
    return "accepted"


def _engine(url: str) -> tuple[AsyncEngine, int]:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        there = parsed.set(drivername="postgresql+psycopg")
        return create_async_engine(there, pool_size=CONNECTIONS), CONNECTIONS
    engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"))

    @event.listens_for(engine.sync_engine, "connect")
    def _safe(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine, 1
