"""Methods of machines: committed before they are called, and settled once."""

from typing import Any

import msgspec
import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.machine_calls import MOST_PENDING, CallOutcome, MachineCall
from tests.core.plants import LINK, a_plant, a_routing
from tests.core.shop import Shop


def shop_that_may_call(*names: str) -> Shop:
    methods = {LINK: names or ("home",)}
    plant = msgspec.structs.replace(a_plant(), methods=methods)
    return Shop(a_routing("cut"), plant=plant)


def a_call(**changed: Any) -> m.CallMachine:
    fields: dict[str, Any] = {
        "link": LINK,
        "method": "home",
        "arguments": {"Axis": "X", "Steps": (1, 2)},
        "reason": "after the crash",
    }
    return m.CallMachine(**fields | changed)


def call(shop: Shop, **changed: Any) -> MachineCall:
    known = shop.state.machine_call.get(int(shop.ok(a_call(**changed))["call"]))
    assert known is not None
    return known


def test_a_call_is_kept_before_it_is_made() -> None:
    shop = shop_that_may_call()
    known = call(shop)
    assert known.is_pending
    assert (known.arguments, known.reason) == (
        {"Axis": "X", "Steps": (1, 2)},
        "after the crash",
    )
    (fact,) = shop.facts(f.MachineCallAsked)
    assert fact.call == known
    assert known.person


@pytest.mark.parametrize(
    ("changed", "outcome", "expected"),
    [
        ({"link": "other"}, m.Outcome.NOT_FOUND, "No methods can be called"),
        ({"method": "erase"}, m.Outcome.NOT_FOUND, "allows no method 'erase'"),
        ({"reason": " "}, m.Outcome.MALFORMED, "without a reason"),
        ({"arguments": {"a": "x" * 5000}}, m.Outcome.MALFORMED, "too long"),
        ({"arguments": {"a": (1,) * 2000}}, m.Outcome.MALFORMED, "too long"),
        (
            {"arguments": dict.fromkeys(map(str, range(60)), 1)},
            m.Outcome.MALFORMED,
            "50 arguments",
        ),
    ],
)
def test_what_is_not_allowed_is_not_called(
    changed: dict[str, Any], outcome: m.Outcome, expected: str
) -> None:
    shop = shop_that_may_call()
    answer = shop.do(a_call(**changed))
    assert (answer.outcome, shop.facts(f.MachineCallAsked)) == (outcome, [])
    assert expected in answer.message


def test_an_outcome_is_kept_once() -> None:
    shop = shop_that_may_call()
    known = call(shop)
    settled = m.RecordMachineCall(
        call=known.seq, outcome=CallOutcome.ANSWERED, results={"Reached": "0.5"}
    )
    shop.ok(settled)
    found = shop.state.machine_call.get(known.seq)
    assert found is not None
    assert (found.outcome, found.results) == ("answered", {"Reached": "0.5"})
    assert found.settled_at is not None
    again = shop.do(
        m.RecordMachineCall(call=known.seq, outcome=CallOutcome.REFUSED, message="no")
    )
    assert again.outcome is m.Outcome.NOT_FOUND
    assert shop.state.machine_call.get(known.seq) == found


def test_that_it_is_pending_is_no_outcome() -> None:
    shop = shop_that_may_call()
    known = call(shop)
    told = m.RecordMachineCall(call=known.seq, outcome=CallOutcome.PENDING)
    assert shop.do(told).outcome is m.Outcome.MALFORMED


def test_a_machine_that_does_not_answer_is_given_no_more() -> None:
    shop = shop_that_may_call()
    calls = [call(shop) for _ in range(MOST_PENDING)]
    assert "have no answer yet" in shop.do(a_call()).message
    shop.do(m.RecordMachineCall(call=calls[0].seq, outcome=CallOutcome.UNKNOWN))
    assert call(shop).is_pending
