"""Where a link goes to: a host and port, or a serial device."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlsplit

Parity = Literal["N", "E", "O"]


class Framing(StrEnum):
    """How questions and answers are told apart on a link."""

    TCP = "tcp"
    RTU = "rtu"
    RTU_TCP = "rtutcp"

    @property
    def is_serial(self) -> bool:
        """Whether an answer does not say which question it belongs to."""
        return self is not Framing.TCP


@dataclass(frozen=True, slots=True)
class SerialLine:
    """How a serial line is set."""

    baud: int = 9600
    parity: Parity = "E"
    stop: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True)
class Address:
    """Where a link goes to: a host and port, or a serial device."""

    framing: Framing
    host: str
    port: int
    device: str
    line: SerialLine

    def __str__(self) -> str:
        return self.device or f"{self.host}:{self.port}"


def parse_url(url: str) -> Address:
    """Read ``tcp://host:502``, ``rtutcp://host:port`` or ``rtu:///dev/ttyS0?baud=``.

    Example:
        >>> str(parse_url("tcp://10.1.2.9"))
        '10.1.2.9:502'
        >>> parse_url("rtu:///dev/ttyUSB0?baud=19200&parity=N").line
        SerialLine(baud=19200, parity='N', stop=1)
    """
    forms = "tcp://host:port, rtutcp://host:port or rtu:///dev/ttyX?baud=9600&parity=E"
    parts = urlsplit(url)
    if parts.scheme not in {one.value for one in Framing}:
        raise ValueError(f"should be {forms}")
    framing = Framing(parts.scheme)
    if framing is not Framing.RTU:
        port = 502 if parts.port is None else parts.port
        if not (parts.hostname and port) or parts.path or parts.query:
            raise ValueError(f"should be {forms}")
        return Address(framing, parts.hostname, port, "", SerialLine())
    if parts.netloc or not parts.path:
        raise ValueError(f"should be {forms}")
    return Address(framing, "", 0, parts.path, _line(parts.query))


def _line(query: str) -> SerialLine:
    given = dict(parse_qsl(query, strict_parsing=bool(query)))
    unknown = given.keys() - {"baud", "parity", "stop"}
    if unknown:
        raise ValueError(f"a serial line has baud, parity, stop; not {min(unknown)}")
    parity, stop = given.get("parity", "E"), given.get("stop", "1")
    baud = given.get("baud", "9600")
    if not (baud.isdigit() and 0 < int(baud) <= 4_000_000):  # noqa: PLR2004
        raise ValueError(f"baud should be a number such as 9600, not {baud}")
    parities = {one: one for one in get_args(Parity)}
    if parity not in parities:
        raise ValueError(f"parity should be N, E or O, not {parity}")
    if stop not in ("1", "2"):
        raise ValueError(f"stop should be 1 or 2, not {stop}")
    return SerialLine(int(baud), parities[parity], 1 if stop == "1" else 2)
