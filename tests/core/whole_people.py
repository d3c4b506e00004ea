"""People who sign on and off, for the whole shop."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from tests.core import watch
from tests.core.driving import Driving
from tests.core.plants import a_plant
from tests.core.shop import SECOND

UNITS = tuple(unit.id for unit in a_plant().work_units)

picks = st.integers(0, 11)


class WholePeople(Driving):
    """On a run or on a work unit; off now, or since a while ago."""

    @rule(unit=picks, person=st.sampled_from(["Ali", "Eva"]), is_on_a_run=st.booleans())
    def sign_on(self, *, unit: int, person: str, is_on_a_run: bool) -> None:
        work_unit = UNITS[unit % len(UNITS)]
        runs = self.shop.batch.run.find("work_unit", work_unit)
        run = runs[0].id if runs and is_on_a_run else None
        self.do(m.SignOnPerson(work_unit=work_unit, person=person, run=run))

    @rule(
        unit=picks,
        person=st.sampled_from(["Ali", "Eva"]),
        lag_s=st.sampled_from([0, 0, 1, 3, 10]),
    )
    def sign_off(self, *, unit: int, person: str, lag_s: int) -> None:
        """Sign off, now or since a while ago."""
        self.shop.commit()
        self.lag = lag_s * SECOND
        command = m.SignOffPerson(
            work_unit=UNITS[unit % len(UNITS)],
            person=person,
            known=watch.times_of(self.shop.state, person),
            known_seq=self.shop.state.seq,
        )
        self.do(command)
