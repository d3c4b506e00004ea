"""Where a round works: an empty database of its own, of either kind."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests import postgres

Fresh = Callable[[], str]
"""Returns the URL of a database that nobody has used; not even migrated."""

KINDS = ("sqlite", "postgresql")


@contextmanager
def databases(kind: str) -> Iterator[Fresh]:
    """Make databases of one kind, and leave nothing of them."""
    if kind == "postgresql":
        with postgres.a_server() as server:
            yield server.fresh
        return
    with tempfile.TemporaryDirectory() as folder:
        made = iter(range(1_000_000))
        yield lambda: f"sqlite:///{folder}/{next(made)}.db"
