"""Stock of a lot that was split is that of the new lot from then on."""

from decimal import Decimal

from mes_engine.core.wip_ledger import Bucket, Move
from mes_engine.modules.scm.model import stock_changes

OURS = Move(
    seq=1,
    lot="L-1",
    to_lot="L-2",
    material="steel",
    unit="KGM",
    quantity=Decimal(2),
    place="STORE",
    bucket=Bucket.STOCK,
    to_place="STORE",
    to_bucket=Bucket.STOCK,
    request=None,
    job_order=None,
    run=None,
    at=0,
    person="Ana",
)


def test_stock_goes_to_the_lot_that_it_was_split_into() -> None:
    assert stock_changes([OURS]) == {
        ("L-1", "STORE"): Decimal(-2),
        ("L-2", "STORE"): Decimal(2),
    }
