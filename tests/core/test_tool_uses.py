"""Which run had which tool, from when to when: what a genealogy tells of tools."""

from typing import Any

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.assets import AssetState
from tests.core.plants import a_furnace, a_routing, a_step
from tests.core.shop import Shop

MOULD = ("MOULD",)


def a_shop(*tools: str, quantity: int = 10) -> Shop:
    shop = Shop(a_routing(a_step("mill", tools=MOULD)))
    for name in tools:
        register(shop, name)
    shop.make(quantity)
    return shop


def register(shop: Shop, name: str, asset_class: str = "MOULD") -> None:
    command = m.RegisterAsset(
        asset=name, asset_class=asset_class, name=name, crib="CRIB"
    )
    shop.ok(command)


def uses(shop: Shop) -> list[dict[str, Any]]:
    """What the rows tell of uses, by the facts that began them."""
    rows = shop.rows["tool_use"]
    return [
        {
            "asset": rows[seq].asset,
            "run": rows[seq].run,
            "is_open": rows[seq].is_open,
        }
        for seq in sorted(rows)
    ]


def test_a_tool_is_used_from_loading_to_the_end_of_the_run() -> None:
    shop = a_shop("M-1")

    job = shop.begin("mill")
    [open_use] = shop.rows["tool_use"].values()
    shop.report("mill", 10)
    assert uses(shop) == [{"asset": "M-1", "run": "R-000001", "is_open": True}]
    shop.complete("mill")

    [use] = shop.rows["tool_use"].values()
    assert (use.asset, use.asset_class, use.run) == ("M-1", "MOULD", "R-000001")
    assert (use.work_unit, use.job_orders) == ("mill-1", (job,))
    run = shop.rows["run"][use.run]
    assert (use.claimed_at, use.freed_at) == (run.opened_at, run.closed_at)
    assert use.freed_seq is not None
    reports = [one.seq for one in shop.journal if isinstance(one.fact, f.QuantityMoved)]
    assert use.seq < min(reports[1:])
    assert reports[1] < use.freed_seq
    assert open_use.seq == use.seq


def test_a_tool_that_is_changed_in_mid_run_has_its_own_part_of_it() -> None:
    shop = a_shop("M-1", "M-2")
    shop.begin("mill")
    shop.report("mill", 4)
    shop.ok(m.WithdrawTool(asset="M-1", state=AssetState.WORN, reason="flash"))
    shop.ok(m.UnmountTool(asset="M-1"))
    shop.ok(m.MountTool(asset="M-2", work_unit="mill-1"))
    shop.report("mill", 6)
    shop.complete("mill")

    first, second = (
        shop.rows["tool_use"][one] for one in sorted(shop.rows["tool_use"])
    )

    assert (first.asset, second.asset) == ("M-1", "M-2")
    assert first.run == second.run
    assert first.freed_at <= second.claimed_at < second.freed_at
    assert second.freed_at == shop.rows["run"][second.run].closed_at


def test_a_tool_that_no_run_has_is_in_no_use() -> None:
    shop = a_shop("M-1")
    shop.ok(m.MountTool(asset="M-1", work_unit="mill-1"))
    shop.ok(m.UnmountTool(asset="M-1"))

    assert shop.rows.get("tool_use", {}) == {}


def test_a_job_that_is_moved_takes_its_tool_into_another_use() -> None:
    shop = a_shop("M-1")
    job = shop.begin("mill")
    shop.ok(m.PauseJobOrder(job_order=job, reason="noise"))
    shop.ok(m.MoveJobOrder(job_order=job, work_unit="mill-2"))

    units = [shop.rows["tool_use"][one] for one in sorted(shop.rows["tool_use"])]

    assert [(one.work_unit, one.is_open) for one in units] == [
        ("mill-1", False),
        ("mill-2", True),
    ]


def test_what_is_worked_together_has_one_tool() -> None:
    routing = a_routing(a_step("paint", tools=MOULD))
    shop = Shop(routing, plant=a_furnace("paint"))
    register(shop, "M-1")
    for name in ("WR-1", "WR-2"):
        shop.make(2, request=name)
    jobs = tuple(shop.job("paint", name).id for name in ("WR-1", "WR-2"))

    shop.ok(m.LoadTogether(job_orders=jobs, work_unit="paint-1"))

    [use] = shop.rows["tool_use"].values()
    assert use.job_orders == jobs
