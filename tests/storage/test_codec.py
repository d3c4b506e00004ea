"""Rows say exactly what the core's values say."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from sqlalchemy import Column, MetaData, Table, Text

from mes_engine.core.job_order import JobOrder
from mes_engine.core.state import TABLES
from mes_engine.core.wip_ledger import Position
from mes_engine.storage.codec import CODECS, STRUCTS, Codec, fields
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
