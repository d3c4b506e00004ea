"""What an adapter has to keep, as tests that its author runs against a real device.

An author has one thing to write: a `Bench`, which makes the link and starts a device
that tells the truth about itself (of another maker, if there is one). Then a test file
of two classes has all the rest::

    from mes_engine.conformance import AdapterConformance, LinkConformance

    class TestAdapter(AdapterConformance):
        name = "modbus"

    class TestOnLibmodbus(LinkConformance):
        bench = LibmodbusBench()

It needs pytest with pytest-asyncio. How far an adapter has come stands in its
``quality.yaml``, and is checked: see `quality`.
"""

import pytest

pytest.register_assert_rewrite(
    "mes_engine.conformance.adapters", "mes_engine.conformance.links"
)

from mes_engine.conformance.adapters import AdapterConformance  # noqa: E402
from mes_engine.conformance.bench import Bench, Machine, Writable  # noqa: E402
from mes_engine.conformance.hearing import Heard, life, listening, supervised  # noqa: E402
from mes_engine.conformance.links import LinkConformance  # noqa: E402
from mes_engine.conformance.network import Relay, relaying  # noqa: E402

__all__ = [
    "AdapterConformance",
    "Bench",
    "Heard",
    "LinkConformance",
    "Machine",
    "Relay",
    "Writable",
    "life",
    "listening",
    "relaying",
    "supervised",
]
