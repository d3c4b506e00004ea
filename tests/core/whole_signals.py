"""Rules about machines that ask by themselves, for the whole shop."""

from typing import ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState
from mes_engine.core.machine_calls import CallOutcome
from mes_engine.core.machine_rules import EdgeRule, EventRule, MachineAction
from mes_engine.core.plant import Plant, SignalMeaning
from mes_engine.core.runs import Lane
from mes_engine.core.samples import EventRefresh, EventSample, Origin
from mes_engine.core.signals import HandshakePhase, HandshakeState
from tests.core.handshakes import ID, a_handshake, a_plant_with, reading
from tests.core.plants import LINK, a_furnace, a_signal
from tests.core.shop import SECOND
from tests.core.whole_books import WholeBooks
from tests.core.whole_people import picks

VALUES = {
    "mill-1.jam": SignalMeaning.VALUE,
    "drill-1.next": SignalMeaning.VALUE,
    "mill-1.mode": SignalMeaning.MODE,
    "mill-2.alive": SignalMeaning.HEARTBEAT,
}
JAMMED = EdgeRule(
    id="mill-1.jammed",
    work_unit="mill-1",
    link=LINK,
    tag="mill-1.jam",
    does=MachineAction.ALARM,
    debounce_us=2 * SECOND,
)
NEXT = EdgeRule(
    id="drill-1.following",
    work_unit="drill-1",
    link=LINK,
    tag="drill-1.next",
    does=MachineAction.CHANGEOVER,
)
DRILLED = EventRule(
    id="drill-1.drilled",
    work_unit="drill-1",
    link=LINK,
    event="Drilled",
    does=MachineAction.REPORT,
    fields={"good": "Good"},
)
LOW_OIL = EventRule(
    id="mill-1.oil",
    work_unit="mill-1",
    link=LINK,
    event="LowOil",
    does=MachineAction.ALARM,
    active="Active",
)


def _everything() -> Plant:
    plant = a_plant_with(a_handshake(), a_furnace("paint"))
    more = (
        a_signal(tag, means=means, stale_us=5 * SECOND) for tag, means in VALUES.items()
    )
    return msgspec.structs.replace(
        plant,
        signals=(*plant.signals, *more),
        edges=(JAMMED, NEXT),
        events=(DRILLED, LOW_OIL),
        methods={LINK: ("home",)},
    )


class WholeSignals(WholeBooks):
    """Machines that ask by themselves, whatever is lost on the way."""

    plant: ClassVar[Plant] = _everything()

    @rule(
        tag=st.sampled_from(sorted(VALUES)),
        value=st.integers(0, 3),
        late=st.sampled_from([0, 0, 0, 100 * SECOND, -100 * SECOND]),
        origin=st.sampled_from([Origin.LIVE, Origin.LIVE, Origin.INITIAL]),
    )
    def hear_a_value(self, *, tag: str, value: int, late: int, origin: Origin) -> None:
        sample = self.shop.a_sample(tag, value, origin=origin)
        at = sample.received_at - late
        self.shop.hear(msgspec.structs.replace(sample, source_at=at))

    @rule(key=st.integers(1, 4), good=st.sampled_from([0, 1, 2, 1000]))
    def hear_an_event(self, *, key: int, good: int) -> None:
        self.shop.at += SECOND
        self.shop.hear(
            EventSample(
                kind="Drilled",
                key=str(key),
                fields={"Good": good},
                received_at=self.shop.at,
            )
        )

    @rule(oils=st.sets(st.integers(1, 3)), told=st.integers(1, 3))
    def hear_of_conditions(self, *, oils: set[int], told: int) -> None:
        self.shop.at += SECOND
        standing = tuple(
            EventSample(
                kind="LowOil",
                key=f"{one}-{told}",
                condition=str(one),
                fields={"Active": True},
                received_at=self.shop.at,
            )
            for one in sorted(oils)
        )
        for event in standing[:1]:
            self.shop.hear(event)
        self.shop.hear(EventRefresh(kind="LowOil", standing=standing, at=self.shop.at))

    @rule(method=st.sampled_from(["home", "home", "erase"]), axis=st.integers(0, 3))
    def call_machine(self, *, method: str, axis: int) -> None:
        self.do(
            m.CallMachine(
                link=LINK, method=method, arguments={"Axis": axis}, reason="to begin"
            )
        )

    @rule(pick=picks, outcome=st.sampled_from(CallOutcome))
    def record_machine_call(self, *, pick: int, outcome: CallOutcome) -> None:
        calls = list(self.shop.batch.machine_call.values())
        number = calls[-1 - pick % len(calls)].seq if calls else 1
        self.do(
            m.RecordMachineCall(call=number, outcome=outcome, results={"At": "1.5"})
        )

    @rule(unit=st.sampled_from(["cut-1", "mill-1", "drill-1", "paint-1"]))
    def change_over(self, *, unit: str) -> None:
        staged = [
            one
            for one in self.shop.batch.job_order.values()
            if one.state is JobOrderState.ALLOWED_READY
            and unit.startswith(one.equipment_class)
        ]
        if staged:
            self.do(
                m.LoadJobOrder(job_order=staged[0].id, work_unit=unit, lane=Lane.STAGED)
            )
        self.do(m.ChangeOver(work_unit=unit))

    @rule(
        is_high=st.booleans(),
        key=st.integers(0, 3),
        boot=st.integers(1, 2),
        good=st.sampled_from([0, 1, 2, 1000, "few"]),
        scrap=st.sampled_from([0, 0, 1]),
        is_steady=st.sampled_from([True, True, True, False]),
    )
    def read_the_cutter(
        self,
        *,
        is_high: bool,
        key: int,
        boot: int,
        good: object,
        scrap: int,
        is_steady: bool,
    ) -> None:
        group = reading(
            self.shop,
            self.plant.handshakes[0],
            is_high=is_high,
            key=key,
            boot=boot,
            good=good,
            scrap=scrap,
            steady_us=SECOND if is_steady else 0,
        )
        self.shop.hear(group)

    @rule(is_written=st.booleans(), is_late=st.booleans())
    def record_acknowledgement(self, *, is_written: bool, is_late: bool) -> None:
        known = self.shop.batch.handshake.get(ID) or HandshakeState(id=ID)
        self.do(
            m.RecordAcknowledgement(
                handshake=known.id,
                boot=known.boot,
                key="-1" if is_late else known.key,
                phase=HandshakePhase.CLEARING if is_late else known.phase,
                is_written=is_written,
                reason="" if is_written else "no answer",
            )
        )

    @rule(seconds=st.sampled_from([1, 20]))
    def let_signals_wait(self, *, seconds: int) -> None:
        self.shop.at += seconds * SECOND
        self.do(m.CheckSignals())
