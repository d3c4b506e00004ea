"""The anchors, held against the chain: what its end was, as it was told elsewhere."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mes_engine.storage.chain import Head
from mes_engine.storage.chain.anchors import Anchor, AnchorKind, AnchorLog
from mes_engine.storage.verify.findings import ANCHOR, Findings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Anchored(NamedTuple):
    """The anchors of a journal.

    Attributes:
        before: As they were before the database was looked at: it has all of that.
        read: Reads them again: they have all that the database knows of them.
    """

    before: AnchorLog
    read: Callable[[], AnchorLog]


class Expected:
    """What the anchors say of one partition's chain, for it to be held against."""

    def __init__(self, log: AnchorLog, partition: str) -> None:
        self._open: dict[int, list[Anchor]] = {}
        for anchor in log.anchors:
            if anchor.partition == partition:
                if anchor.kind is AnchorKind.RESTORED:
                    self._forget_after(anchor.seq)
                self._open.setdefault(anchor.seq, []).append(anchor)

    def _forget_after(self, seq: int) -> None:
        self._open = {at: known for at, known in self._open.items() if at <= seq}

    def meet(self, head: Head) -> Iterator[str]:
        """Yield what is wrong with a head that the chain has come to."""
        for anchor in self._open.pop(head.seq, ()):
            if anchor.digest != head.digest:
                yield (
                    f"it is not the journal that was anchored {_named(anchor)}: up to "
                    "this fact it is another"
                )

    def missed(self, end: int) -> Iterator[tuple[int, str]]:
        """Yield each head that was anchored, and is none of the chain; and where."""
        for seq, anchors in sorted(self._open.items()):
            for anchor in anchors:
                when = _named(anchor)
                if seq > end:
                    yield (
                        end,
                        f"the journal ends here, and {when} its head was anchored at "
                        f"{seq}: what came since is missing, or an old copy of the "
                        "database was put in its place",
                    )
                elif seq:
                    yield (
                        seq,
                        f"{when} the head was anchored here, where no commit ends now: "
                        "it is another journal",
                    )


def check_lines(findings: Findings, log: AnchorLog, known: int) -> None:
    """Note each anchor that is missing; the chain knows of ``known`` of them.

    What was written before the journal was put back may be gone with what was lost.
    """
    findings.anchors = len(log.anchors)
    restored = [one for one in log.anchors if one.kind is AnchorKind.RESTORED]
    for one in restored:
        findings.restored.append(
            f"The journal was put back to {one.seq} {_named(one)} by {one.person}: "
            f"{one.reason}"
        )
    last = restored[-1].number - 1 if restored else 0
    for number in sorted({one.number for one in log.anchors if one.number > last}):
        if number > last + 1:
            findings.add(ANCHOR, _range(last + 1, number - 1), _gone(log))
        last = number
    if known > last:
        findings.add(ANCHOR, _range(last + 1, known), _gone(log))


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}..{last}"


def _gone(log: AnchorLog) -> str:
    strange = ", ".join(log.strange[:3])
    edited = f"; not as we write them are {strange}" if strange else ""
    return f"the file of the anchors has no such line: deleted or edited{edited}"


def _named(anchor: Anchor) -> str:
    at = _EPOCH + timedelta(microseconds=anchor.at)
    return f"at {at:%Y-%m-%d %H:%M:%S} UTC (line {anchor.number})"
