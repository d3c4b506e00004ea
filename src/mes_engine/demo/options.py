"""What a demo can be asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """How to run the demo.

    Attributes:
        orders: Customer orders to enter.
        is_until_done: End when all of them are made and posted, then reckon up.
        seed: The same seed gives the same orders and the same plant.
        speed: How many times as fast as real the machines are.
        port: Of the web; 0 takes a free one.
        folder: Where the database and the plant's file are kept.
        config: The site's ``config/``.
        routings: The site's ``routings/``.
        timeout_s: When ``is_until_done`` gives up.
    """

    orders: int
    is_until_done: bool
    seed: int
    speed: float
    port: int
    folder: Path
    config: Path
    routings: Path
    timeout_s: float
    as_json: bool
