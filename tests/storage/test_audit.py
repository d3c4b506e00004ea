"""Whatever is done to the journal behind our back is found, and where."""

from pathlib import Path

import pytest

from mes_engine.storage.verify import VerifyReport
from tests.storage.audit import TAMPERINGS, Journal, Tampering, a_journal

SLICE, ALL = 200, 2_000


async def tampered(journal: Journal, folder: Path, seed: int) -> str:
    """Tamper once with a copy; say what was missed, nothing if it was found."""
    tamper = TAMPERINGS[seed % len(TAMPERINGS)]
    one = Tampering(journal, folder, seed)
    one.apply(tamper)
    report = await one.report()
    if not report.problems:
        return f"seed {seed}: {tamper.__name__} was not found"
    if one.named and _first(report) not in one.named:
        said = report.problems[0]
        return f"seed {seed}: {tamper.__name__} at {one.named}, told was {said}"
    return ""


def _first(report: VerifyReport) -> int:
    return int(report.problems[0].where)


async def audited(folder: Path, seeds: range) -> None:
    journal = await a_journal(folder)
    for tamper in TAMPERINGS:
        print(tamper.__name__, end=" ")  # noqa: T201 - `pytest -s` shows it
    missed = [
        told
        for seed in seeds
        if (told := await tampered(journal, folder / str(seed), seed))
    ]
    assert missed == []


async def test_a_journal_that_nobody_has_touched_is_sound(tmp_path: Path) -> None:
    journal = await a_journal(tmp_path)
    report = await Tampering(journal, tmp_path / "copy", 0).report()

    assert report.problems == ()
    assert (report.links, report.anchors) == (40, 8)


async def test_each_way_to_tamper_is_found(tmp_path: Path) -> None:
    await audited(tmp_path, range(2 * len(TAMPERINGS)))


@pytest.mark.torture
@pytest.mark.timeout(600)
async def test_what_is_done_at_random_is_found(tmp_path: Path) -> None:
    await audited(tmp_path, range(SLICE))


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_whatever_is_done_at_random_is_found(tmp_path: Path) -> None:
    await audited(tmp_path, range(ALL))
