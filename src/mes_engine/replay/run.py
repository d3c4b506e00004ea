"""``mes replay``: from a log and its settings to a report."""

from pathlib import Path

from mes_engine.bootstrap import running_engine
from mes_engine.core.errors import MesError
from mes_engine.core.laws import broken_laws
from mes_engine.replay.amounts import Amounts
from mes_engine.replay.books import Bookings, totals_of
from mes_engine.replay.drive import Progress, drive
from mes_engine.replay.log_settings import LogSettings, read_log_settings
from mes_engine.replay.moments import VirtualClock
from mes_engine.replay.report import ReplayReport, report_of
from mes_engine.replay.rows import read_log
from mes_engine.replay.shop import Shop, shop_of
from mes_engine.replay.straight import file_sums


def _no_progress(_: int, __: int) -> None:
    """Tell nobody."""


async def replay(
    file: Path,
    settings: Path | LogSettings,
    *,
    database_url: str,
    progress: Progress = _no_progress,
) -> ReplayReport:
    """Drive an execution log through the engine, and add up what became of it.

    Args:
        file: The log: CSV, or CSV in gzip.
        settings: The YAML that goes with it.
        database_url: Kept; the same log, driven again, is all repeats.
        progress: Called with rows done, and rows in all.

    Raises:
        SettingsError: The settings, the log as a whole, or the database cannot be used.
        Refused: The database is another plant's.
    """
    if isinstance(settings, Path):
        settings = read_log_settings(settings)
    log = read_log(file, settings)
    in_file = file_sums(file, settings)
    shop = shop_of(log.rows, settings)
    clock = VirtualClock()
    outcome: ReplayReport | MesError
    async with running_engine(database_url, clock=clock) as core:
        state = core.engine.committed
        requests = [order.request for order in shop.orders.values()]
        before = totals_of(state, requests)
        bookings = Bookings(state)
        core.feed.tap(bookings.hear)
        try:
            told = await drive(log.rows, shop, core, clock, progress=progress)
        except MesError as error:  # leaves bare: the engine's task group would wrap it
            outcome = error
        else:
            outcome = report_of(
                str(file),
                log,
                told,
                in_file=in_file,
                booked=_by_machine(bookings, shop),
                gained=totals_of(state, requests) - before,
                laws_broken=broken_laws(state),
            )
    if isinstance(outcome, MesError):
        raise outcome
    return outcome


def _by_machine(bookings: Bookings, shop: Shop) -> dict[str, Amounts]:
    machines = {unit: resource for resource, unit in shop.work_units.items()}
    return {
        machines.get(unit, unit): amounts for unit, amounts in bookings.by_unit.items()
    }
