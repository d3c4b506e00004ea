"""What others do on the same work: durable reports of pieces on a hundred jobs.

DBOS runs each report as a workflow, known by its key, with one step that books it.
eventsourcing saves an event of the job's aggregate, with its cache on. Each is given
what its own pages name as the way; neither checks laws, or keeps a ledger.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any
from uuid import UUID, uuid5

from dbos import DBOS, DBOSConfig, SetWorkflowID
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.domain import event as an_event
from sqlalchemy import create_engine, make_url, text

from benchmarks.durable import JOBS

NAMES = UUID(int=0)


class Job(Aggregate):
    """A quantity at a step."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.good = 0

    @staticmethod
    def create_id(number: int) -> UUID:
        """Return the id of a job."""
        return uuid5(NAMES, str(number))

    @an_event("Reported")
    def report(self, key: str, good: int) -> None:
        """Book pieces."""
        self.good += good


def eventsourcing_round(url: str, *, commands: int) -> float:
    """Return how many reports a second are saved; one at a time is its fastest."""
    application: Application[UUID] = Application(env=_environment(url))
    for number in range(JOBS):
        application.save(Job(number))
    began = perf_counter()
    for number in range(commands):
        job: Any = application.repository.get(Job.create_id(number % JOBS))
        job.report(f"r{number}", 1)
        application.save(job)
    seconds = perf_counter() - began
    application.close()
    return commands / seconds


def _environment(url: str) -> dict[str, str]:
    parsed = make_url(url)
    common = {"AGGREGATE_CACHE_MAXSIZE": str(2 * JOBS)}
    if parsed.get_backend_name() == "postgresql":
        return {
            **common,
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parsed.database),
            "POSTGRES_HOST": str(parsed.query["host"]),
            "POSTGRES_PORT": "5432",
            "POSTGRES_USER": str(parsed.username),
            "POSTGRES_PASSWORD": "-",
        }
    return {
        **common,
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(parsed.database),
    }


def dbos_round(url: str, *, commands: int, callers: int) -> float:
    """Return how many reports a second are workflows that have ended."""
    parsed = make_url(url)
    is_server = parsed.get_backend_name() == "postgresql"
    books = create_engine(
        parsed.set(drivername="postgresql+psycopg") if is_server else f"{url}.books",
        pool_size=min(callers, 20),
    )
    with books.begin() as connection:
        connection.execute(
            text("CREATE TABLE job (id INTEGER PRIMARY KEY, good INTEGER)")
        )
        for number in range(JOBS):
            connection.execute(text("INSERT INTO job VALUES (:id, 0)"), {"id": number})

    @DBOS.step()
    def book(number: int, good: int) -> None:
        with books.begin() as connection:
            connection.execute(
                text("UPDATE job SET good = good + :good WHERE id = :id"),
                {"good": good, "id": number},
            )

    @DBOS.workflow()
    def report(number: int, good: int) -> str:
        book(number, good)
        return "accepted"

    DBOS(config=_config(url))
    DBOS.launch()
    try:

        def one(number: int) -> None:
            with SetWorkflowID(f"r{number}"):
                report(number % JOBS, 1)

        return _each(one, commands=commands, callers=callers)
    finally:
        DBOS.destroy(destroy_registry=True)
        books.dispose()


def _config(url: str) -> DBOSConfig:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        url = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return DBOSConfig(
        name="peers", system_database_url=url, log_level="ERROR", sys_db_pool_size=20
    )


def _each(one: Callable[[int], None], *, commands: int, callers: int) -> float:
    with ThreadPoolExecutor(callers) as threads:
        began = perf_counter()
        for _ in threads.map(one, range(commands)):
            pass
        return commands / (perf_counter() - began)
