"""Rules about the books and about lots that are put back, for the whole shop."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.lots import LotOrigin
from mes_engine.core.postings import PostingState
from tests.core import correcting
from tests.core.whole_floor import WholeFloor
from tests.core.whole_people import picks
from tests.core.whole_shop import reasons

DAYS = ("2025-12-31", "2026-01-03", "2026-01-04", "2026-01-05", "9999-01-01", "soon")
"""Around the Monday on which the shop works."""


class WholeBooks(WholeFloor):
    """Periods that are closed and opened again; splits and merges that were slips."""

    @rule(day=st.sampled_from(DAYS), reason=reasons)
    def close_period(self, *, day: str, reason: str) -> None:
        self.do(m.ClosePeriod(last_day=day, reason=reason))

    @rule(day=st.sampled_from(DAYS), reason=reasons)
    def reopen_period(self, *, day: str, reason: str) -> None:
        self.do(m.ReopenPeriod(first_day=day, reason=reason))

    @rule(pick=picks, reason=reasons)
    def release_posting(self, *, pick: int, reason: str) -> None:
        held = [
            one.key
            for one in self.shop.batch.posting.values()
            if one.state is PostingState.HELD
        ]
        key = held[pick % len(held)] if held else self.posting(pick)
        self.do(m.ReleasePosting(posting=key, reason=reason))

    @rule(pick=picks)
    def put_back(self, *, pick: int) -> None:
        self.shop.commit()
        regrouped = [
            lot.id
            for lot in self.shop.state.lot.values()
            if lot.origin in {LotOrigin.SPLIT, LotOrigin.MERGED}
        ]
        lot = regrouped[pick % len(regrouped)] if regrouped else self.lot(pick)
        self.do(correcting.putting_back(self.shop, lot))
