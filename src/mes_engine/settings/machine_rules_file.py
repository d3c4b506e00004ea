"""What ``work_units`` say of what machines do by themselves.

``handshakes``, ``edges`` and ``events``; tags are named by the unit's signals.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mes_engine.core.machine_rules import EdgeDirection, MachineAction
from mes_engine.settings.fields import Id, Section, refers_to, wrong

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False}
_LEVELS = {**_WORDS, "off": False}
_WHOLE = re.compile(r"-?[0-9]{1,10}")
LONGEST_MS = 600_000


def _level(given: Any) -> bool | int:
    told = str(given).lower()
    if told in _LEVELS:
        return _LEVELS[told]
    if _WHOLE.fullmatch(told):
        return int(told)
    raise wrong(f"'{given!s:.20}' should be true, false or a whole number")


Level = Annotated[bool | int, BeforeValidator(_level)]
"""What is written to a tag that is on or off: a truth value, or a number."""

Milliseconds = Annotated[int, Field(ge=0, le=LONGEST_MS)]
Given = Annotated[str, Field(min_length=1, max_length=200)]


class HandshakeEntry(Section):
    """One of the ``handshakes`` of a work unit; tags are named by its signals."""

    request: Id
    ack: Id
    key: Id
    does: MachineAction
    boot: Id | None = None
    payload: dict[str, Id] = Field(default_factory=dict)
    given: dict[str, Given] = Field(default_factory=dict)
    result: Id | None = None
    done: int = Field(default=1, ge=0, le=65_535)
    refused: int = Field(default=2, ge=0, le=65_535)
    ack_on: Level = True
    ack_off: Level = False
    debounce_ms: Milliseconds = 20
    clear_timeout_s: int = Field(default=10, ge=1, le=86_400)


Severity = Annotated[int, Field(ge=1, le=1000)]


class EdgeEntry(Section):
    """One of the ``edges`` of a work unit."""

    tag: Id
    does: MachineAction
    on: EdgeDirection = EdgeDirection.RISING
    payload: dict[str, Id] = Field(default_factory=dict)
    given: dict[str, Given] = Field(default_factory=dict)
    debounce_ms: Milliseconds = 0
    min_high_ms: Milliseconds = 0
    pulse_ms: Milliseconds | None = None
    severity: Severity = 500


FieldName = Annotated[str, Field(min_length=1, max_length=200)]


class EventEntry(Section):
    """One of the ``events`` of a work unit; ``fields`` are the message's own."""

    link: Annotated[str, refers_to("link")]
    event: FieldName
    does: MachineAction
    key: FieldName | None = None
    where: dict[FieldName, Given] = Field(default_factory=dict)
    fields: dict[str, FieldName] = Field(default_factory=dict)
    given: dict[str, Given] = Field(default_factory=dict)
    active: FieldName | None = None
