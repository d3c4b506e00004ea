"""A part of a lot becomes a lot of its own; nothing else changes."""

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.splitting import split_off
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.lots import EdgeKind
from mes_engine.core.time_windows import WindowRule
from mes_engine.core.wip_ledger import Bucket
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop

PARTS = (Bucket.QUEUED, Bucket.IN_PROCESS, Bucket.SUSPECT, Bucket.OUT)


def with_all_buckets() -> Shop:
    """Of ten pieces: queued 3, in process 2, suspect 1, out 4."""
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.begin("cut", in_process=7)
    shop.report("cut", 4, suspect=Decimal(1), reason="burr")
    return shop


@given(st.fixed_dictionaries({one: st.integers(0, 4) for one in PARTS}))
def test_a_split_moves_what_is_there_and_nothing_else(
    asked: Mapping[Bucket, int],
) -> None:
    shop = with_all_buckets()
    (position,) = shop.batch.position.find("place", "WR-1/cut/1")
    amounts = {one: min(Decimal(asked[one]), position.of(one)) for one in PARTS}
    if not any(amounts.values()):
        return
    before = {one: position.of(one) for one in PARTS}
    draft = Draft(shop.batch, now=0, at=shop.at, cause="test", person="Maria")

    child = split_off(draft, position, amounts, reason="rework")

    shop.pending += draft.records
    shop.commit()
    assert shop.broken_laws() == []
    parent = shop.state.position.get((position.lot, position.place))
    taken = shop.state.position.get((child.id, position.place))
    assert parent is not None
    assert taken is not None
    assert child.parent == position.lot
    for bucket in PARTS:
        assert taken.of(bucket) == amounts[bucket]
        assert parent.of(bucket) == before[bucket] - amounts[bucket]
    (split,) = shop.facts(f.LotSplit)
    assert split.edge.quantity == sum(amounts.values())
    assert split.edge.kind is EdgeKind.SPLIT


def test_what_is_split_off_is_in_the_same_time_windows() -> None:
    rule = WindowRule(source="cut", target="mill", min_s=Decimal(60))
    shop = Shop(a_routing("cut", "mill", time_windows=(rule,)))
    shop.make(10)
    shop.run("cut", 10)
    (position,) = shop.batch.position.find("place", "WR-1/mill/1")
    draft = Draft(shop.batch, now=0, at=shop.at, cause="test", person="Maria")

    child = split_off(draft, position, {Bucket.QUEUED: Decimal(4)}, reason="rework")

    shop.pending += draft.records
    shop.commit()
    parents, childs = shop.state.time_window.find("request", "WR-1")
    assert (parents.lot, childs.lot) == (position.lot, child.id)
    assert childs.opens_at == parents.opens_at
    shop.ok(m.CheckTimeWindows(), at=shop.at + 60 * SECOND)
    assert shop.job("mill").state is S.ALLOWED_READY
