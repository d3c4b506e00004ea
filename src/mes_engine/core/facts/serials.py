"""Serial numbers of the plant's own."""

from mes_engine.core.facts.fact import BaseFact


class SerialGiven(BaseFact, frozen=True, kw_only=True, tag="serial_given"):
    """A lot of one has a serial of the plant's own.

    Attributes:
        number: The last number that the material's pattern has given by now.
    """

    lot: str
    serial: str
    counter: str
    number: int


SerialsFact = SerialGiven
