"""Rows say exactly what the core's values say."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.quantity import ZERO
from mes_engine.core.state import TABLES
from mes_engine.core.wip_ledger import Position
from mes_engine.storage.codec import CODECS, STRUCTS, Codec, Sharing, fields
from mes_engine.storage.metadata import Body, Flag, Quantity, Word
from mes_engine.storage.tables import PROJECTIONS, fact


def test_every_table_of_the_state_has_a_projection_of_its_own() -> None:
    assert set(PROJECTIONS) == set(TABLES) == set(STRUCTS) == set(CODECS)


def test_every_table_begins_its_key_with_the_partition() -> None:
    for table in (fact, *PROJECTIONS.values()):
        assert next(iter(table.primary_key)).name == "partition", table.name


@pytest.mark.parametrize("name", ["job_order", "position"])
def test_columns_follow_the_types_of_the_fields(name: str) -> None:
    columns = PROJECTIONS[name].c
    kinds = {field: type(columns[field].type) for field in fields(STRUCTS[name])}

    for field, kind in kinds.items():
        annotation = STRUCTS[name].__annotations__[field]
        if annotation is Decimal:
            assert kind is Quantity, field
        elif annotation is bool:
            assert kind is Flag, field
    if name == "job_order":
        assert kinds["state"] is Word
        assert kinds["conditions"] is Body


def test_an_amount_is_kept_to_the_millionth() -> None:
    position = Position(
        lot="L-1",
        place="DOCK",
        material="BAR",
        unit="MTR",
        is_stock=True,
        stock=Decimal("0.000001"),
        received=Decimal("999999999.999999"),
    )
    codec = CODECS["position"]

    row = dict(zip(codec.columns, codec.row(position), strict=True))

    assert row["stock"] == 1
    assert row["received"] == 999_999_999_999_999
    assert row["queued"] == 0


def job_orders() -> st.SearchStrategy[JobOrder]:
    few, amounts = st.sampled_from, st.sampled_from([ZERO, Decimal("2.5"), Decimal(7)])
    met = Condition(name=ConditionName.NO_HOLD, is_met=True, why="", mender="")
    return st.builds(
        JobOrder,
        id=few(["JO-1", "JO-2", "JO-3"]),
        number=st.integers(1, 3),
        planned=amounts,
        good=amounts,
        state=few(JobOrderState),
        conditions=few([(), (met,)]),
        materials=few([(), ("BAR",)]),
        run=few([None, "RUN-1"]),
        is_paused=st.booleans(),
        reason=few(["", "why"]),
        begun_at=st.none() | st.integers(0, 2),
        **dict.fromkeys(
            ("request", "visit", "step", "routing", "revision", "work_center"),
            few("ab"),
        ),
        **dict.fromkeys(("equipment_class", "unit"), st.just("C62")),
        **dict.fromkeys(("due_at", "priority", "stored_at"), st.integers(0, 1)),
    )


@given(st.lists(st.lists(job_orders(), max_size=5), max_size=3))
def test_job_orders_are_read_as_they_were_written_however_much_they_share(
    parts: list[list[JobOrder]],
) -> None:
    codec, sharing = CODECS["job_order"], Sharing()
    for jobs in parts:
        rows = [_stored(codec, one) for one in jobs]

        assert codec.values(rows, sharing) == jobs
        assert [codec.values([row])[0] for row in rows] == jobs


def _stored(codec: Codec, value: object) -> tuple[object, ...]:
    """Return a row as the database gives it back."""
    row: list[object] = []
    for name, one in zip(codec.columns, codec.row(value), strict=True):
        if isinstance(codec.table.c[name].type, Body):
            row.append(msgspec.json.encode(one).decode())
        else:
            row.append(int(one) if isinstance(one, bool) else one)
    return tuple(row)


def test_what_is_equal_is_kept_once() -> None:
    codec, sharing = CODECS["counter"], Sharing()

    (one,) = codec.values([(str(b"lot", "ascii"), 1)], sharing)
    (other,) = codec.values([(str(b"lot", "ascii"), 2)], sharing)

    assert one.name is other.name


def test_a_table_that_lacks_a_field_is_refused() -> None:
    @dataclass
    class Thing:
        id: str
        colour: str

    table = Table(
        "thing",
        MetaData(),
        Column("partition", Text, primary_key=True),
        Column("id", Text, primary_key=True),
    )
    with pytest.raises(TypeError, match="not the fields of Thing: id, colour"):
        Codec(table, Thing)


def test_a_job_order_is_found_by_its_id() -> None:
    assert CODECS["job_order"].keys == ("id",)
    assert CODECS["job_order"].type is JobOrder
    assert CODECS["position"].keys == ("lot", "place")
    assert CODECS["position"].key(("L-1", "DOCK")) == ("L-1", "DOCK")
    assert CODECS["counter"].key("lot") == ("lot",)
