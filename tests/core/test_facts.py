"""Facts: what the journal keeps of one is what comes back."""

from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_engine.core.errors import MesError
from mes_engine.core.facts import (
    FACT_VERSION,
    Fact,
    GapSeen,
    HoldReleased,
    QuantityMoved,
    as_plain,
    decoded,
    encoded,
    fact_name,
)

KINDS: tuple[type[Any], ...] = get_args(Fact)

st.register_type_strategy(
    Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=6)
)
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_fact_there_and_back(kind: type[Any], data: st.DataObject) -> None:
    fact = data.draw(a_fact(kind))

    body = encoded(fact)

    again = decoded(body, version=FACT_VERSION)
    assert again == fact
    assert type(again) is kind
    assert encoded(again) == body


def a_fact(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of each field, structs within structs, from their own types."""
    info = msgspec.structs.fields(kind)
    return st.builds(kind, **{field.name: _of(field.type) for field in info})


def _of(annotation: Any) -> st.SearchStrategy[Any]:
    arguments = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return a_fact(annotation)
    if getattr(annotation, "__origin__", None) is tuple:
        return st.lists(_of(arguments[0]), max_size=2).map(tuple)
    if getattr(annotation, "__origin__", None) is dict:
        return st.dictionaries(_of(arguments[0]), _of(arguments[1]), max_size=2)
    if arguments:
        return st.one_of([_of(one) for one in arguments])
    return st.from_type(annotation)


def test_every_fact_has_a_name_of_its_own() -> None:
    """The name is what the journal keeps: a new name makes an old journal mute."""
    told = HoldReleased(hold="H-1", at=1, person="Ana")

    assert fact_name(told) == "hold_released"
    assert len({kind.__struct_config__.tag for kind in KINDS}) == len(KINDS)


def test_decimals_are_kept_digit_by_digit() -> None:
    body = """{"type":"quantity_moved","move":{"seq":1,"lot":"L","material":"M",
    "unit":"KGM","quantity":"0.100000","place":"P","bucket":"queued","to_place":"P",
    "to_bucket":"out","request":null,"job_order":null,"run":null,"at":1,
    "person":""}}"""

    fact = decoded(body, version=1)

    assert isinstance(fact, QuantityMoved)
    assert str(fact.move.quantity) == "0.100000"
    assert '"quantity":"0.100000"' in encoded(fact)
    assert as_plain(fact)["move"]["quantity"] == "0.100000"


def test_a_fact_of_a_newer_version_is_refused_and_not_guessed() -> None:
    body = encoded(GapSeen(tag="t", reason="r", at=1))

    with pytest.raises(MesError, match="this software knows 1"):
        decoded(body, version=FACT_VERSION + 1)


def test_a_body_that_is_no_fact_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded('{"type":"no_such_fact"}', version=1)
