"""Rules about machines that ask by themselves, for the whole shop."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.plant import Plant
from mes_engine.core.signals import HandshakePhase, HandshakeState
from tests.core.handshakes import ID, a_handshake, a_plant_with, reading
from tests.core.plants import a_furnace
from tests.core.shop import SECOND
from tests.core.whole_books import WholeBooks


class WholeSignals(WholeBooks):
    """A cutter that reports by handshake, whatever is lost on the way."""

    plant: ClassVar[Plant] = a_plant_with(a_handshake(), a_furnace("paint"))

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
