"""Acknowledged and booked are the same postings, with the same content."""

from mes_engine.core.postings import Posting
from mes_engine.storage import journal
from mes_engine.storage.verify import LedgerView, verify
from tests.storage.tampering import Site


def content(posting: Posting) -> str:
    return f"{posting.job_order}: {posting.good} good, {posting.scrap} scrap"


async def found_with(site: Site, booked: dict[str, str]) -> list[str]:
    view = LedgerView(booked=lambda _: booked, content=content)
    report = await site.database.read(lambda c: verify(c, ledger=view))
    return [str(one) for one in report.problems]


async def booked_of(site: Site) -> dict[str, str]:
    postings = await site.database.read(lambda c: journal.postings(c, "main"))
    assert postings
    return {one.key: content(one) for one in postings}


async def test_the_same_is_sound(site: Site) -> None:
    assert await found_with(site, await booked_of(site)) == []


async def test_acknowledged_but_not_booked(site: Site) -> None:
    (key,) = await booked_of(site)

    assert await found_with(site, {}) == [f"ledger {key}: acknowledged, but not booked"]


async def test_booked_with_another_content(site: Site) -> None:
    (key,) = await booked_of(site)

    (found,) = await found_with(site, {key: "JO-000001: 1000 good, 0 scrap"})

    assert found.startswith(f"ledger {key}: booked as JO-000001: 1000 good")


async def test_booked_out_of_nowhere(site: Site) -> None:
    booked = await booked_of(site)

    assert await found_with(site, booked | {"main-999": "what?"}) == [
        "ledger main-999: booked, but no fact has raised it"
    ]
