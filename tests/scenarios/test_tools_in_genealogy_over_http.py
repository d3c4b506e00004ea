"""Which lots were worked with a mould, and what they are in, told over HTTP."""

from typing import Any

import pytest

from tests.commands import mes
from tests.scenarios.shop import Shop, a_step


@pytest.fixture
def moulds(shop: Shop) -> tuple[str, str, str]:
    """A class of moulds that nothing else has, and two of them."""
    asset_class = shop.name("MOULD")
    first, second = (shop.name("MLD") for _ in range(2))
    for tool in (first, second):
        shop.site.done(
            "/tools", tool=tool, asset_class=asset_class, name="Mould", crib="C-1"
        )
    return asset_class, first, second


def lots_of(shop: Shop, request: str) -> list[str]:
    return [one["id"] for one in shop.site.items("/lots", work_request=request)]


def told(shop: Shop, lot: str) -> list[tuple[str, str]]:
    """The moulds on the way of a lot, and which lot was worked with each."""
    tools = shop.site.get(f"/lots/{lot}/genealogy")["tools"]
    return [(one["lot"], one["tool"]) for one in tools]


def recalled(shop: Shop, tool: str, **query: Any) -> tuple[set[str], set[str]]:
    """What was worked with a mould or contains it: shipped, and still here."""
    found = shop.site.get(f"/tools/{tool}/recall", **query)
    shipped, others = (
        {one["lot"]["id"] for one in found[name]} for name in ("shipped", "others")
    )
    return shipped, others


def test_a_recall_by_mould_names_what_was_worked_with_it_and_what_that_is_in(
    shop: Shop, moulds: tuple[str, str, str]
) -> None:
    """Ten lids: four from one mould, six from another, put into two boxes of five."""
    asset_class, first, second = moulds
    routing = shop.routing(a_step("cut") | {"tools": [asset_class]})
    job = shop.make(routing, quantity=4).done("load", work_unit="cut-1").done("begin")
    [use] = shop.site.items("/tools", asset_class=asset_class, work_unit="cut-1")
    used, other = (first, second) if use["id"] == first else (second, first)
    job.done("report", good=4).done("complete")
    [four] = lots_of(shop, job.request)
    shop.site.done(f"/tools/{used}/withdraw", state="worn", reason="flash")
    later = shop.make(routing, quantity=6).done("load", work_unit="cut-2").done("begin")
    later.done("report", good=6).done("complete")
    [six] = lots_of(shop, later.request)
    component = {"material": f"M-{routing}", "per_piece": 2, "unit": "C62"}
    box = shop.routing(a_step("pack") | {"consumes": [component]})
    packed = shop.make(box, quantity=2).done("load", work_unit="pack-1").done("begin")
    packed.done("report", good=2).done("complete")
    [boxes] = lots_of(shop, packed.request)
    shop.site.done(f"/lots/{boxes}/ship", reason="DN-1")

    assert told(shop, four) == [(four, used)]
    assert told(shop, six) == [(six, other)]
    assert told(shop, boxes) == [(four, used)]  # Two boxes of two: the oldest four.
    assert recalled(shop, used) == ({boxes}, {four})
    assert recalled(shop, other) == (set(), {six})

    use = shop.site.get(f"/lots/{four}/genealogy")["tools"][0]
    assert use["until"] is not None
    before, after = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
    assert recalled(shop, used, since=before, until=use["until"]) == ({boxes}, {four})
    assert recalled(shop, used, since=after) == (set(), set())
    assert recalled(shop, used, until=before) == (set(), set())
    out = mes("genealogy", four, "--database", shop.site.database_url).out
    assert f"  {four} at step cut (cut-1), {job.id}: {asset_class} {used}, from" in out
    found = mes("verify", "--json", "--database", shop.site.database_url)
    assert found.plain["problems"] == []


def test_a_mould_changed_in_mid_run_is_told_of_what_came_after_as_well(
    shop: Shop, moulds: tuple[str, str, str]
) -> None:
    """What is reported after the change may have been worked before it: both count."""
    asset_class, _, _ = moulds
    routing = shop.routing(a_step("cut") | {"tools": [asset_class]})
    job = shop.make(routing, quantity=10, lot_size=5)
    job.done("load", work_unit="cut-1").done("begin")
    [mounted] = shop.site.items("/tools", asset_class=asset_class, work_unit="cut-1")
    job.done("report", good=5)
    shop.site.done(f"/tools/{mounted['id']}/withdraw", state="worn", reason="flash")
    shop.site.done(f"/tools/{mounted['id']}/unmount")
    [spare] = [
        one["id"]
        for one in shop.site.items("/tools", asset_class=asset_class)
        if one["id"] != mounted["id"]
    ]
    shop.site.done(f"/tools/{spare}/mount", work_unit="cut-1")
    job.done("report", good=5).done("complete")

    one, other = lots_of(shop, job.request)

    assert told(shop, one) == [(one, mounted["id"])]
    assert told(shop, other) == [(other, mounted["id"]), (other, spare)]
    assert recalled(shop, mounted["id"]) == (set(), {one, other})
    assert recalled(shop, spare) == (set(), {other})


def test_a_recall_by_a_tool_that_there_is_not_says_so(shop: Shop) -> None:
    answer = shop.site._http.get("/tools/MLD-none/recall")  # noqa: SLF001 its own kind
    assert answer.status_code == 404
