"""What became of a machine's parts: told, missing, doubled, out of order."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

from mes_engine.conformance.hearing import Heard, supervising
from mes_engine.core.samples import LinkReport, LinkState, Origin, Report, Sample
from mes_engine.ports import Link
from tests.adapters.opcua.peer import Truth


@dataclass(frozen=True)
class Figures:
    """The outcome of one scenario; times in seconds."""

    made: int
    missing: int
    doubled: int
    out_of_order: int
    wrong: int
    is_count_right: bool
    shown: str
    recovered_s: float | None
    gaps: str

    @property
    def is_lossless(self) -> bool:
        return (self.missing, self.doubled, self.out_of_order, self.wrong) == (0,) * 4


class Watched(Heard):
    """What a supervised link has told, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []
        self.back_at: float | None = None
        self.shown = "-"

    async def add(self, one: Report) -> None:
        self.at.append(asyncio.get_running_loop().time())
        await super().add(one)

    @property
    def state(self) -> LinkState | None:
        return self.reports[-1].state if self.reports else None

    def peer_is_back(self) -> None:
        """Take the time, and what is shown of the link at the end of the outage."""
        self.shown = "-" if self.state is None else self.state.value
        self.back_at = asyncio.get_running_loop().time()

    def recovered_s(self, tag: str) -> float | None:
        """Return how long after the peer's return the first new value came."""
        if self.back_at is None:
            return None
        for at, one in zip(self.at, self.all, strict=True):
            is_new = isinstance(one, Sample) and one.tag == tag
            if at >= self.back_at and is_new:
                return at - self.back_at
        return None


def serials(heard: Heard, tag: str) -> Iterator[int]:
    """Yield what was told of ``tag``, but not what only confirms the value before."""
    last: object = None
    for sample in heard.of(tag):
        is_confirmed = sample.origin is Origin.INITIAL and sample.value == last
        if isinstance(sample.value, int) and not is_confirmed:
            last = sample.value
            yield sample.value


def judge(heard: Watched, machine: str, truth: Truth) -> Figures:
    """Hold what was heard against what the machine knows of itself."""
    told = list(serials(heard, f"{machine}.serial"))
    first = told[0]
    recovered = heard.recovered_s(f"{machine}.serial")
    return Figures(
        made=truth.serial - first + 1,
        missing=len(set(range(first, truth.serial + 1)) - set(told)),
        doubled=len(told) - len(set(told)),
        out_of_order=sum(b < a for a, b in pairwise(told)),
        wrong=len([value for value in told if not first <= value <= truth.serial]),
        is_count_right=(
            heard.last(f"{machine}.good"),
            heard.last(f"{machine}.scrap"),
        )
        == (truth.good, truth.scrap),
        shown=heard.shown,
        recovered_s=None if recovered is None else round(recovered, 2),
        gaps=", ".join(gap.recovered.value for gap in heard.gaps) or "-",
    )


@asynccontextmanager
async def supervised(link: Link) -> AsyncIterator[Watched]:
    """Run ``link`` as the engine does, with its pauses."""
    async with supervising(link, Watched(), first_s=0.25, longest_s=1) as heard:
        yield heard


def is_up(heard: Heard) -> bool:
    """Whether the last that was told of the link is that it is connected."""
    reports = [one for one in heard.all if isinstance(one, LinkReport)]
    return bool(reports) and reports[-1].state is LinkState.CONNECTED
