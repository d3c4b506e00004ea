"""Handshakes: done once, acknowledged once, whatever is read twice or not at all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import Fact
from mes_engine.core.machine_rules import HandshakeRule, MachineAction
from mes_engine.core.samples import LinkReport, LinkState, SampleGroup
from mes_engine.core.signals import HandshakePhase, TransactionOutcome
from mes_engine.core.state import State
from tests.core.handshakes import (
    ID,
    Cutter,
    a_handshake,
    a_plant_with,
    reading,
    tag,
)
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop

ACKED = [("result", 1), ("ack", True)]


def at_work(rule: HandshakeRule | None = None, *, begun: bool = True) -> Cutter:
    """A cutter with 100 pieces to cut."""
    rule = rule or a_handshake()
    shop = Shop(a_routing("cut", "mill"), plant=a_plant_with(rule))
    shop.make(100)
    shop.load("cut")
    if begun:
        shop.begin("cut")
    return Cutter(shop, rule)


def names(facts: list[Fact]) -> list[str]:
    return [f.fact_name(one) for one in facts]


def test_a_request_is_done_committed_and_only_then_acknowledged() -> None:
    cutter = at_work()
    facts = cutter.asks(7, good=5, scrap=1)
    assert cutter.shop.at_step("cut")["out"] == 5
    assert cutter.shop.at_step("cut")["scrap"] == 1
    assert names(facts).index("quantity_reported") < (
        names(facts).index("transaction_decided")
    )
    assert cutter.phase() is HandshakePhase.ACKNOWLEDGING
    assert cutter.writes() == ACKED
    assert cutter.phase() is HandshakePhase.ACKNOWLEDGED
    cutter.falls()
    assert cutter.writes() == [("ack", False)]
    assert cutter.phase() is HandshakePhase.IDLE
    assert cutter.decided() == [("7", "executed")]


def test_what_is_kept_of_it_names_job_order_values_and_the_machines_time() -> None:
    cutter = at_work()
    cutter.asks(7, good=5.0)
    (fact,) = cutter.shop.facts(f.TransactionDecided)
    told = fact.transaction
    assert (told.job_order, told.given) == (
        cutter.shop.job("cut").id,
        {"good": "5", "scrap": "0"},
    )
    assert (told.at, told.boot, told.does) == (
        cutter.shop.at,
        "1",
        MachineAction.REPORT,
    )


def test_a_request_that_is_read_again_is_done_once() -> None:
    cutter = at_work()
    for _ in range(3):
        cutter.asks(7, good=5)
    cutter.writes()
    cutter.asks(7, good=5)
    assert cutter.shop.at_step("cut")["out"] == 5
    assert cutter.phase() is HandshakePhase.ACKNOWLEDGED


def test_a_request_that_was_done_and_rises_again_is_acknowledged_again() -> None:
    cutter = at_work()
    cutter.asks(7, good=5)
    cutter.writes()
    cutter.falls()
    cutter.writes()
    cutter.asks(7, good=5)
    assert cutter.shop.at_step("cut")["out"] == 5
    assert cutter.writes() == ACKED
    assert cutter.decided() == [("7", "executed")]


def test_an_ack_that_the_device_lost_is_written_again() -> None:
    cutter = at_work()
    cutter.asks(7, good=5)
    cutter.writes()
    cutter.asks(7, good=5, ack=True)
    assert cutter.phase() is HandshakePhase.ACKNOWLEDGED
    cutter.asks(7, good=5, ack=False)
    assert cutter.writes() == ACKED
    assert cutter.shop.at_step("cut")["out"] == 5


def test_the_same_number_after_a_reboot_is_another_transaction() -> None:
    cutter = at_work()
    cutter.asks(1, boot=1, good=5)
    cutter.writes()
    cutter.asks(1, boot=2, good=6)
    assert cutter.shop.at_step("cut")["out"] == 11
    assert cutter.writes() == [("ack", False), *ACKED]
    assert cutter.decided() == [("1", "executed"), ("1", "executed")]


def test_a_fall_that_was_missed_is_told_by_the_next_number() -> None:
    cutter = at_work()
    cutter.asks(1, good=5)
    cutter.writes()
    cutter.asks(2, good=5)
    assert cutter.shop.at_step("cut")["out"] == 10
    assert cutter.writes() == [("ack", False), *ACKED]
    assert cutter.acks == 2


def test_what_is_not_steady_yet_does_nothing() -> None:
    cutter = at_work()
    assert cutter.asks(7, good=5, steady_us=0) == []
    assert cutter.phase() is HandshakePhase.IDLE
    cutter.asks(7, good=5, steady_us=SECOND // 20)
    assert cutter.phase() is HandshakePhase.ACKNOWLEDGING


def test_a_request_that_blinks_off_keeps_its_ack() -> None:
    cutter = at_work()
    cutter.asks(7, good=5)
    cutter.writes()
    cutter.falls(steady_us=0)
    assert cutter.phase() is HandshakePhase.ACKNOWLEDGED


def test_a_request_with_a_bad_payload_waits() -> None:
    cutter = at_work()
    cutter.asks(7, good=5, bad=[tag("good_made")])
    assert cutter.phase() is HandshakePhase.IDLE
    cutter.asks(7, good=5)
    assert cutter.shop.at_step("cut")["out"] == 5


def test_a_refusal_is_told_to_the_machine_kept_and_shown() -> None:
    cutter = at_work(begun=False)
    cutter.asks(7, good=5)
    assert cutter.writes() == [("result", 2), ("ack", True)]
    (fact,) = cutter.shop.facts(f.TransactionDecided)
    assert fact.transaction.outcome is TransactionOutcome.REFUSED
    (alarm,) = cutter.shop.state.alarm.find("work_unit", "cut-1")
    assert alarm.code == "request_refused"
    assert fact.transaction.message in alarm.text
    cutter.falls()
    assert cutter.shop.state.alarm.find("work_unit", "cut-1") == []


def test_a_refusal_leaves_nothing_of_what_it_had_begun() -> None:
    cutter = at_work()
    before = cutter.shop.at_step("cut")
    facts = cutter.asks(7, good=400)
    assert names(facts) == ["transaction_decided", "alarm_raised", "handshake_moved"]
    assert cutter.shop.at_step("cut") == before


def test_what_was_refused_is_decided_anew_when_it_is_asked_again() -> None:
    cutter = at_work(begun=False)
    cutter.asks(7, good=5)
    cutter.asks(7, good=5)
    cutter.writes()
    cutter.falls()
    cutter.writes()
    cutter.shop.begin("cut")
    cutter.asks(7, good=5)
    assert cutter.decided() == [("7", "refused"), ("7", "executed")]
    assert cutter.shop.at_step("cut")["out"] == 5


def test_a_refusal_that_cannot_be_told_is_not_acknowledged() -> None:
    cutter = at_work(a_handshake(result=None), begun=False)
    cutter.asks(7, good=5)
    assert cutter.phase() is HandshakePhase.UNANSWERED
    assert cutter.known.wanted == ()
    cutter.falls()
    assert cutter.phase() is HandshakePhase.IDLE


def test_nothing_on_the_machine_is_a_refusal_that_says_so() -> None:
    rule = a_handshake()
    cutter = Cutter(Shop(a_routing("cut"), plant=a_plant_with(rule)), rule)
    cutter.asks(7, good=5)
    (fact,) = cutter.shop.facts(f.TransactionDecided)
    assert fact.transaction.message == "No job order is on cut-1."


@pytest.mark.parametrize("good", ["much", float("nan"), "1e30"])
def test_a_value_that_is_none_is_a_refusal(good: object) -> None:
    cutter = at_work()
    cutter.asks(7, good=good)
    (fact,) = cutter.shop.facts(f.TransactionDecided)
    assert "no number, as 'good' should be" in fact.transaction.message


def test_a_request_that_does_not_fall_is_told_and_not_forced() -> None:
    cutter = at_work()
    cutter.asks(7, good=5)
    cutter.writes()
    shop = cutter.shop
    shop.ok(m.CheckSignals())
    assert shop.state.alarm.find("work_unit", "cut-1") == []
    shop.at += 10 * SECOND
    shop.ok(m.CheckSignals())
    (alarm,) = shop.state.alarm.find("work_unit", "cut-1")
    assert (alarm.code, cutter.known.is_late) == ("request_not_cleared", True)
    assert (cutter.phase(), cutter.known.wanted) == (HandshakePhase.ACKNOWLEDGED, ())
    shop.ok(m.CheckSignals())
    assert len(shop.facts(f.AlarmRaised)) == 1
    cutter.falls()
    assert shop.state.alarm.find("work_unit", "cut-1") == []
    assert cutter.writes() == [("ack", False)]


def test_an_ack_that_cannot_be_written_is_told_until_it_is() -> None:
    cutter = at_work()
    cutter.asks(7, good=5)
    record = cutter.record(cutter.known, is_written=False, reason="it is read-only")
    cutter.shop.ok(record)
    cutter.shop.ok(record)
    (alarm,) = cutter.shop.state.alarm.find("work_unit", "cut-1")
    assert alarm.text == f"{ID} cannot be answered: it is read-only"
    assert cutter.phase() is HandshakePhase.ACKNOWLEDGING
    cutter.writes()
    assert cutter.shop.state.alarm.find("work_unit", "cut-1") == []


def test_word_of_a_write_that_is_wanted_no_more_changes_nothing() -> None:
    cutter = at_work()
    cutter.asks(7, good=5)
    late = cutter.record(cutter.known)
    cutter.falls()
    cutter.shop.ok(late)
    assert cutter.phase() is HandshakePhase.CLEARING


def test_word_of_an_unknown_handshake_is_not_found() -> None:
    cutter = at_work()
    unknown = m.RecordAcknowledgement(
        handshake="cut-9.cycle",
        boot="",
        key="",
        phase=HandshakePhase.CLEARING,
        is_written=True,
    )
    assert cutter.shop.do(unknown).outcome is m.Outcome.NOT_FOUND


def test_a_request_that_rose_while_we_were_down_is_done_once_we_are_up() -> None:
    cutter = at_work()
    cutter.shop.hear(
        LinkReport(state=LinkState.DISCONNECTED, at=cutter.shop.at, reason="down")
    )
    cutter.asks(7, good=5)
    assert cutter.shop.at_step("cut")["out"] == 5


def test_a_reading_of_another_link_is_not_its_business() -> None:
    cutter = at_work(a_handshake(link="other"))
    cutter.asks(7, good=5)
    assert cutter.phase() is HandshakePhase.IDLE


@pytest.mark.parametrize(
    ("action", "given", "expected"),
    [
        (MachineAction.COMPLETE, {}, "ended.completed"),
        (MachineAction.PAUSE, {"reason": "tool broke"}, "interrupted.suspended"),
        (MachineAction.HOLD, {"reason": "vision says no"}, "interrupted.held"),
    ],
)
def test_a_machine_does_what_a_person_could(
    action: MachineAction, given: dict[str, str], expected: str
) -> None:
    cutter = at_work(a_handshake(does=action, payload={}, given=given))
    cutter.shop.report("cut", 100)
    cutter.asks(1)
    assert cutter.shop.job("cut").state.value == expected


def test_a_machine_loads_begins_and_resumes() -> None:
    rule = a_handshake(does=MachineAction.DISPATCH, payload={}, given={"begins": "yes"})
    shop = Shop(a_routing("cut", "mill"), plant=a_plant_with(rule))
    shop.make(100)
    cutter = Cutter(shop, rule)
    cutter.asks(1)
    assert shop.job("cut").state.value == "running.processing"


def test_the_person_that_the_machine_names_is_who_did_it() -> None:
    rule = a_handshake(payload={"good": tag("good_made"), "person": tag("badge")})
    cutter = at_work(rule)
    cutter.asks(1, good=3, person="Jonas")
    told = {names([one.fact])[0]: one.person for one in cutter.shop.journal}
    assert told["quantity_reported"] == "Jonas"
    assert told["transaction_decided"] == ""


def test_the_whole_of_it_is_rebuilt_from_its_facts() -> None:
    cutter = at_work()
    cutter.asks(7, good=5)
    cutter.writes()
    cutter.asks(8, good=500)
    state = State()
    for recorded in cutter.shop.journal:
        evolve(state, recorded)
    assert state.handshake.own == cutter.shop.state.handshake.own
    assert state.alarm.own == cutter.shop.state.alarm.own
    assert list(state.machine_transaction.own.values()) == [
        one.transaction for one in cutter.shop.facts(f.TransactionDecided)
    ]


class Floor:
    """A machine that asks, readings that may be lost or come again, and a writer."""

    def __init__(self) -> None:
        self.cutter = at_work()
        self.is_high, self.key, self.boot = False, 0, 1
        self.asked: set[tuple[str, str]] = set()
        self.read: list[SampleGroup] = []

    def step(self, word: str, which: int) -> None:
        """Let one thing happen."""
        match word:
            case "ask" if not self.is_high and not self.is_acked:
                self.is_high, self.key = True, self.key + 1
                self.asked.add((str(self.boot), str(self.key)))
            case "fall" if self.is_acked:
                self.is_high = False
            case "give up":
                self.is_high = False
            case "reboot":
                self.is_high, self.key, self.boot = False, 0, self.boot + 1
            case "read":
                self.deliver(self.reading(good=1))
            case "read again" if self.read:
                self.deliver(self.read[which % len(self.read)])
            case "write" if self.cutter.known.wanted:
                self.cutter.writes()
            case "write unheard":
                self.write_unheard()

    def reading(self, **more: Any) -> SampleGroup:
        now = reading(
            self.cutter.shop,
            self.cutter.rule,
            is_high=self.is_high,
            key=self.key,
            boot=self.boot,
            **more,
        )
        self.read.append(now)
        return now

    @property
    def is_acked(self) -> bool:
        return bool(self.cutter.held.get(tag("ack")))

    def write_unheard(self) -> None:
        """The device has it, and nobody tells the engine."""
        for one in self.cutter.known.wanted:
            self.cutter.held[one.tag] = one.value

    def deliver(self, group: SampleGroup) -> None:
        shop = self.cutter.shop
        shop.hear(group)
        shop.commit()
        assert shop.broken_laws() == []

    def settle(self) -> None:
        """Nothing is lost any more: the transaction in hand comes to its end."""
        for _ in range(2):
            self.deliver(self.reading(good=1))
            if self.cutter.known.wanted:
                self.cutter.writes()
            if self.is_high:
                assert self.is_acked
                assert self.cutter.known.key == str(self.key)
            self.is_high = False
        assert not self.is_acked
        assert self.cutter.phase() is HandshakePhase.IDLE


WORDS = (
    *("ask", "ask", "read", "read", "read again", "write", "write", "fall", "fall"),
    *("give up", "reboot", "write unheard"),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 1000)), max_size=40))
def test_in_whatever_order_it_is_read_each_is_done_once(
    steps: list[tuple[str, int]],
) -> None:
    floor = Floor()
    for word, which in steps:
        floor.step(word, which)
    floor.settle()
    told = [one.transaction for one in floor.cutter.shop.facts(f.TransactionDecided)]
    done = [(one.boot, one.key) for one in told]
    assert len(done) == len(set(done))
    assert set(done) <= floor.asked
    assert floor.cutter.shop.at_step("cut").get("out", 0) == len(done)
