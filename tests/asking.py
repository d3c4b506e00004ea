"""A mill that asks by handshake, as the engine hears it."""

import msgspec

from mes_engine.core.machine_rules import (
    EdgeRule,
    EventRule,
    HandshakeRule,
    MachineAction,
)
from mes_engine.core.plant import Plant, Signal, SignalMeaning
from mes_engine.core.samples import Quality, Sample, SampleGroup

CYCLE = HandshakeRule(
    id="mill-1.cycle",
    work_unit="mill-1",
    link="cell",
    request="mill-1.request",
    ack="mill-1.ack",
    key="mill-1.txn",
    does=MachineAction.REPORT,
    payload={"good": "mill-1.made"},
    result="mill-1.result",
)


JAM = EdgeRule(
    id="mill-1.jammed",
    work_unit="mill-1",
    link="cell",
    tag="mill-1.jam",
    does=MachineAction.ALARM,
    debounce_us=1_000_000,
)
MADE = EventRule(
    id="mill-1.made",
    work_unit="mill-1",
    link="cell",
    event="Made",
    does=MachineAction.REPORT,
    given={"good": "1000000"},
)


def asking(plant: Plant) -> Plant:
    """Return the plant with the mill's handshake, and what may be called."""
    names = (*CYCLE.read_together, CYCLE.ack, CYCLE.result or "", JAM.tag)
    values = (
        Signal(tag=name, work_unit="mill-1", link=CYCLE.link, means=SignalMeaning.VALUE)
        for name in names
    )
    return msgspec.structs.replace(
        plant,
        signals=(*plant.signals, *values),
        handshakes=(CYCLE,),
        edges=(JAM,),
        events=(MADE,),
        methods={CYCLE.link: ("home",)},
    )


def a_request_for(made: int, *, key: int, at: int, is_high: bool = True) -> SampleGroup:
    """Return the mill's request to report so many pieces."""
    values = {CYCLE.request: is_high, CYCLE.key: key, CYCLE.payload["good"]: made}
    samples = tuple(
        Sample(
            tag=tag, value=value, quality=Quality.GOOD, source_at=None, received_at=at
        )
        for tag, value in values.items()
    )
    return SampleGroup(gate=CYCLE.request, samples=samples, since=at)
