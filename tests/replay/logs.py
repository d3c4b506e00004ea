"""Small logs, written by hand, and the settings that go with them."""

from collections.abc import Iterable
from pathlib import Path

from mes_engine.replay import ReplayReport, replay

HEADER = "order,task,machine,from,to,time,wanted,part,who,kind,good,bad,review,again"
SETTINGS = """\
site: {id: SHOP, name: Shop}
times: {format: "%Y-%m-%d %H:%M", zone: Europe/Berlin}
span: h:mm
columns:
  case: order
  activity: task
  resource: machine
  start: from
  complete: to
  span: time
  order_quantity: wanted
  part: part
  person: who
  report_type: kind
  good: good
  rejected: bad
  mrb: review
  rework: again
report_types: {S: setup, P: production, B: breakdown}
rework_words: [yes]
allows:
  step_order: free
  over_tolerance: 1
  lanes: {active: 2}
"""


def row(
    start: str,
    end: str,
    *,
    order: str = "A",
    task: str = "Mill",
    machine: str = "Mill 1",
    time: str = "1:00",
    wanted: str = "10",
    part: str = "Bolt",
    who: str = "Ada",
    kind: str = "P",
    good: str = "0",
    bad: str = "0",
    review: str = "0",
    again: str = "",
) -> str:
    """Write one row; ``start`` and ``end`` are times of one day."""
    day = "2024-03-04"
    cells = (order, task, machine, f"{day} {start}", f"{day} {end}", time, wanted, part)
    return ",".join((*cells, who, kind, good, bad, review, again))


def write(
    folder: Path, rows: Iterable[str], *, header: str = HEADER, settings: str = SETTINGS
) -> tuple[Path, Path]:
    """Write a log and its settings; return where they are."""
    folder.mkdir(exist_ok=True)
    log, yaml = folder / "log.csv", folder / "log.yaml"
    log.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    yaml.write_text(settings, encoding="utf-8")
    return log, yaml


async def replayed(
    folder: Path, *rows: str, header: str = HEADER, settings: str = SETTINGS
) -> ReplayReport:
    """Replay rows on the database in ``folder``, which is made if need be."""
    log, yaml = write(folder, rows, header=header, settings=settings)
    return await replay(log, yaml, database_url=f"sqlite:///{folder / 'mes.db'}")
