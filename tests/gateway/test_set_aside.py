"""Reports that were refused: listed, put back once, or dropped, by a person."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mes_adapters.modbus import ADAPTER
from mes_engine.cli.app import app
from mes_engine.core.errors import NotFound, Refused, SettingsError
from mes_engine.core.samples import EventSample, Origin, Quality, Report, Sample
from mes_engine.gateway.aside import Fate, decide_fate, list_set_aside
from mes_engine.gateway.keeping import Keeping
from mes_engine.gateway.links import Links
from mes_engine.gateway.spool import Kept, Refusal, Spool
from mes_engine.settings import LinkFile, LinkPlan
from mes_engine.wire import sensed_decoder, sensed_encoder
from tests.core.plants import a_plant
from tests.gateway.builders import sensed
from tests.plant import now
from tests.runtime.builders import NOW, a_sample

pytestmark = pytest.mark.usefixtures("logging_as_it_was")
MESSAGE = EventSample(kind="CycleComplete", key="c-1", received_at=NOW)
MEASURES = "drill-1.width"
WHY = "there is no link 'plc' in the plant"


def opened(folder: Path) -> Spool:
    return Spool(folder / "spool.db", limit_bytes=2**20)


def set_aside(folder: Path, *reports: Report, is_elsewhere: bool = False) -> list[int]:
    """Have reports refused; return their numbers."""
    spool = opened(folder)
    for n, report in enumerate(reports, start=1):
        body = sensed_encoder.encode(sensed(n, report))
        tag = (
            MEASURES if isinstance(report, Sample) and report.tag == MEASURES else None
        )
        spool.append([Kept(source="plc", tag=tag, at=NOW, is_sample=True, body=body)])
    places = [place for place, _ in spool.head(100, 2**20)]
    refused = [Refusal(place, WHY, is_elsewhere) for place in places]
    spool.forget(places[-1], refused=refused)
    spool.close()
    return places


async def a_life(folder: Path, *, until: int = 0) -> list[tuple[int, int, Report]]:
    """Let a gateway live until so much is left to decide on; return what waits."""
    keeping = Keeping(opened(folder), measurements=(), clock=now, most_age_us=2**60)
    life = await keeping.begin_life()
    links = Links(keeping, life, adapters={"modbus": ADAPTER}, chosen=None, clock=now)
    plan = LinkPlan(
        adapter="modbus",
        settings=ADAPTER.settings.model_validate({"url": "tcp://127.0.0.1:1"}),
        tags={"t": ADAPTER.tag(table="coil", address=0, type="bool")},
    )

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keeping.run())
            file = LinkFile(plant=a_plant(), links={"plc": plan}, digest="")
            await links.use(file, tasks)
            tasks.create_task(links.carry_out_fates())

    task = asyncio.create_task(run())
    async with asyncio.timeout(20):
        while True:
            rows = await keeping.head(1000, 2**20)
            if rows and len(await keeping.decided()) == until:
                break
            await asyncio.sleep(0.02)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    rows = await keeping.head(1000, 2**20)
    keeping.close()
    found = [sensed_decoder.decode(body) for _, body in rows]
    return [
        (one.epoch, one.n, one.report)
        for one in found
        if isinstance(one.report, EventSample | Sample)
    ]


async def test_a_message_is_put_back_once_under_a_new_number(tmp_path: Path) -> None:
    (place,) = set_aside(tmp_path, MESSAGE)
    decide_fate(tmp_path, [place], Fate.PUT_BACK, person="Maria")
    for _ in range(2):  # a life of the gateway more changes nothing
        ((epoch, _, report),) = await a_life(tmp_path)
        assert (epoch > 1, report) == (True, MESSAGE)
    assert list_set_aside(tmp_path) == []


async def test_what_is_dropped_is_forgotten_and_never_told(tmp_path: Path) -> None:
    value, message = set_aside(tmp_path, a_sample(value=3), MESSAGE)
    decide_fate(tmp_path, [value, message], Fate.DROP, person="Maria")
    assert await a_life(tmp_path) == []
    assert list_set_aside(tmp_path) == []


def test_a_value_is_of_its_moment_and_is_not_put_back(tmp_path: Path) -> None:
    value, message = set_aside(tmp_path, a_sample(value=3), MESSAGE)
    with pytest.raises(Refused, match="later reports"):
        decide_fate(tmp_path, [message, value], Fate.PUT_BACK, person="Maria")
    assert [one.fate for one in list_set_aside(tmp_path)] == ["", ""], "all or nothing"
    with pytest.raises(NotFound):
        decide_fate(tmp_path, [99], Fate.DROP, person="Maria")
    with pytest.raises(SettingsError):
        list_set_aside(tmp_path / "elsewhere")


def test_they_are_listed_and_decided_on_by_command(tmp_path: Path) -> None:
    value, message = set_aside(tmp_path, a_sample(value=3), MESSAGE)
    run = CliRunner().invoke
    told = run(app, ["set-aside", "list", str(tmp_path)]).output.splitlines()
    assert told[0].startswith(f"{value}: sample of plc, ")
    assert "cannot be put back: later reports" in told[0]
    assert told[1].startswith(f"{message}: event_sample of plc, ")
    assert told[1].endswith(WHY)
    done = run(
        app, ["set-aside", "put-back", str(tmp_path), str(message), "--person", "Maria"]
    )
    assert done.exit_code == 0, done.output
    shown = json.loads(run(app, ["set-aside", "list", str(tmp_path), "--json"]).output)
    assert [one["fate"] for one in shown] == ["", "put_back"]


def a_width(value: float | None = 10.25) -> Sample:
    quality = Quality.BAD if value is None else Quality.GOOD
    return Sample(
        tag=MEASURES, value=value, quality=quality, source_at=NOW - 5, received_at=NOW
    )


async def test_what_was_measured_is_put_back_once_as_kept_until_now(
    tmp_path: Path,
) -> None:
    (place,) = set_aside(tmp_path, a_width())
    decide_fate(tmp_path, [place], Fate.PUT_BACK, person="Maria")
    for _ in range(2):
        ((_, _, report),) = await a_life(tmp_path)
        assert isinstance(report, Sample)
        assert (report.value, report.source_at) == (10.25, NOW - 5)
        assert report.origin is Origin.BACKFILL
    assert list_set_aside(tmp_path) == []


async def test_what_is_put_back_is_not_the_last_that_was_told(tmp_path: Path) -> None:
    (place,) = set_aside(tmp_path, a_width())
    decide_fate(tmp_path, [place], Fate.PUT_BACK, person="Maria")
    await a_life(tmp_path)
    spool = opened(tmp_path)
    life = spool.begin_life(now=now())
    spool.close()
    assert life.told == {}, "or all since then would be fetched and told again"
    assert life.last_at["plc"] == NOW, "of when it came first"


def test_a_value_that_measures_nothing_or_is_told_elsewhere_is_not_put_back(
    tmp_path: Path,
) -> None:
    (bad,) = set_aside(tmp_path, a_width(None))
    with pytest.raises(Refused, match="has no value"):
        decide_fate(tmp_path, [bad], Fate.PUT_BACK, person="Maria")
    (twice,) = set_aside(tmp_path, a_width(), is_elsewhere=True)
    with pytest.raises(Refused, match="the gateway that feeds its link has told it"):
        decide_fate(tmp_path, [twice], Fate.PUT_BACK, person="Maria")


async def test_a_tag_that_measures_no_more_stays_where_it_is(tmp_path: Path) -> None:
    """The plant was changed since: what is a counter now has gone on."""
    tag = "drill-1.good"
    spool = opened(tmp_path)
    body = sensed_encoder.encode(sensed(1, a_sample(tag=tag, value=3)))
    spool.append([Kept(source="plc", tag=tag, at=NOW, is_sample=True, body=body)])
    ((place, _),) = spool.head(1, 2**20)
    spool.forget(place, refused=[Refusal(place, WHY)])
    spool.close()
    (other,) = set_aside(tmp_path, MESSAGE)
    decide_fate(tmp_path, [place, other], Fate.PUT_BACK, person="Maria")
    ((_, _, report),) = await a_life(tmp_path, until=1)
    assert report == MESSAGE
    assert [one.seq for one in list_set_aside(tmp_path)] == [place]
