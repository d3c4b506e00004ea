"""A record of all that links said, as it was said: for ``mes replay-signals``."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from mes_engine.core.messages import Sensed

Sense = Callable[[Sensed], Awaitable[None]]


class Recorder:
    """Writes a line of JSON for each thing that is sensed, before it is passed on."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines
        self._encoder = msgspec.json.Encoder()

    def before(self, sense: Sense) -> Sense:
        """Return ``sense``, writing down what it takes."""

        async def recorded(sensed: Sensed) -> None:
            self._lines.write(self._encoder.encode(sensed) + b"\n")
            await sense(sensed)

        return recorded


@contextmanager
def recording(path: Path | None) -> Iterator[Recorder | None]:
    """Append to ``path``; None records nothing."""
    if path is None:
        yield None
        return
    with path.open("ab", buffering=0) as lines:
        yield Recorder(lines)
