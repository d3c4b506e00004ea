"""A plant whose cutter asks by handshake, and a machine that keeps to its phases."""

from collections.abc import Iterable
from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.facts import Fact
from mes_engine.core.machine_rules import HandshakeRule, MachineAction
from mes_engine.core.plant import Plant, SignalMeaning
from mes_engine.core.samples import Quality, Sample, SampleGroup
from mes_engine.core.signals import HandshakePhase, HandshakeState
from tests.core.plants import LINK, a_plant, a_signal
from tests.core.shop import SECOND, Shop

ID = "cut-1.cycle"


def tag(name: str) -> str:
    """Return the tag of one of the handshake's signals."""
    return f"cut-1.{name}"


def a_handshake(**changed: Any) -> HandshakeRule:
    """The cutter reports what it has made."""
    fields: dict[str, Any] = {
        "id": ID,
        "work_unit": "cut-1",
        "link": LINK,
        "request": tag("request"),
        "ack": tag("ack"),
        "key": tag("key"),
        "boot": tag("boot"),
        "does": MachineAction.REPORT,
        "payload": {"good": tag("good_made"), "scrap": tag("scrap_made")},
        "result": tag("result"),
        "debounce_us": SECOND // 20,
        "clear_us": 10 * SECOND,
    }
    return HandshakeRule(**fields | changed)


def a_plant_with(rule: HandshakeRule, plant: Plant | None = None) -> Plant:
    """The plant, with the rule and its signals."""
    plant = plant or a_plant()
    names = (*rule.read_together, rule.ack, *([rule.result] if rule.result else ()))
    values = (a_signal(one, means=SignalMeaning.VALUE) for one in names)
    return msgspec.structs.replace(
        plant, signals=(*plant.signals, *values), handshakes=(rule,)
    )


def reading(
    shop: Shop,
    rule: HandshakeRule,
    *,
    is_high: bool,
    key: object = 1,
    boot: object = 1,
    steady_us: int = SECOND,
    bad: Iterable[str] = (),
    ack: object = None,
    **payload: object,
) -> SampleGroup:
    """Return what is read of the machine a second after the last message."""
    shop.at += SECOND
    values: dict[str, object] = {rule.request: is_high, rule.key: key}
    if rule.boot is not None:
        values[rule.boot] = boot
    for name, of in rule.payload.items():
        values[of] = payload.get(name)
        if values[of] is None:
            values[of] = 0
    if ack is not None:
        values[rule.ack] = ack
    samples = tuple(
        Sample(
            tag=name,
            value=None if name in bad else value,  # type: ignore[arg-type]
            quality=Quality.BAD if name in bad else Quality.GOOD,
            source_at=None,
            received_at=shop.at,
        )
        for name, value in values.items()
    )
    return SampleGroup(gate=rule.request, samples=samples, since=shop.at - steady_us)


class Cutter:
    """The machine at one end, and what the engine wants written at the other.

    Attributes:
        held: What the tags that we write hold, by tag.
    """

    def __init__(self, shop: Shop, rule: HandshakeRule) -> None:
        self.shop = shop
        self.rule = rule
        self.held: dict[str, object] = {}
        self.acks = 0

    def shows(self, *, is_high: bool, **read: Any) -> list[Fact]:
        """Let a reading be heard and committed; return the facts that follow."""
        self.shop.hear(reading(self.shop, self.rule, is_high=is_high, **read))
        facts = [recorded.fact for recorded in self.shop.last]
        self.shop.commit()
        assert self.shop.broken_laws() == []
        return facts

    def asks(self, key: object = 1, **read: Any) -> list[Fact]:
        """Raise the request."""
        return self.shows(is_high=True, key=key, **read)

    def falls(self, **read: Any) -> list[Fact]:
        """Let the request fall."""
        return self.shows(is_high=False, **read)

    @property
    def known(self) -> HandshakeState:
        """What the engine knows of the handshake."""
        found = self.shop.state.handshake.get(self.rule.id)
        return found or HandshakeState(id=self.rule.id)

    def phase(self) -> HandshakePhase:
        """How far the transaction in hand has come, by now."""
        return self.known.phase

    def writes(self) -> list[tuple[str, object]]:
        """Carry out what is wanted, and say so to the engine."""
        known = self.known
        written: list[tuple[str, object]] = []
        for one in known.wanted:
            is_rise = one.value == self.rule.ack_on and one.tag == self.rule.ack
            if is_rise and self.held.get(one.tag) != one.value:
                self.acks += 1
            self.held[one.tag] = one.value
            written.append((one.tag.partition(".")[2], one.value))
        self.shop.ok(self.record(known))
        return written

    @staticmethod
    def record(
        known: HandshakeState, *, is_written: bool = True, reason: str = ""
    ) -> m.RecordAcknowledgement:
        """What the writer tells of a phase."""
        return m.RecordAcknowledgement(
            handshake=known.id,
            boot=known.boot,
            key=known.key,
            phase=known.phase,
            is_written=is_written,
            reason=reason,
        )

    def decided(self) -> list[tuple[str, str]]:
        """What the journal has decided: the keys, and what became of each."""
        return [
            (fact.transaction.key, fact.transaction.outcome.value)
            for fact in self.shop.facts(f.TransactionDecided)
        ]
