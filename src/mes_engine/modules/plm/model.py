"""Revisions of routings, and what makes a body fit to be released. Pure."""

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from mes_engine.core.errors import Malformed
from mes_engine.core.messages import (
    Answer,
    Command,
    Commanded,
    Outcome,
    ReleaseRouting,
    WithdrawRouting,
)
from mes_engine.core.quantity import (
    UNITS,
    ZERO,
    checked_quantity,
    from_millionths,
    to_millionths,
)
from mes_engine.core.routing import Routing
from mes_engine.core.routing_problems import routing_problems

ORIGIN = "plm"


class Stage(StrEnum):
    """What people have decided of a revision."""

    DRAFT = "draft"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class RevisionState(StrEnum):
    """Where a revision stands: what was decided, and what the engine made of it."""

    DRAFT = "draft"
    RELEASING = "releasing"
    REFUSED = "refused"
    RELEASED = "released"
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A body, and what has been decided and done about it.

    Attributes:
        digest: SHA-256 of the body's canonical form.
        confirmed: The stage that the engine's facts tell of; None: of neither.
        is_effective: Whether new work is stored by it, if no revision is named.
        attempt: How often the engine was asked about it.
        answer: Of the engine, to what was asked last; None: not yet, or not asked.
    """

    body: Routing
    digest: str
    stage: Stage
    confirmed: Stage | None = None
    is_effective: bool = False
    attempt: int = 0
    imported_at: int
    imported_by: str
    released_at: int | None = None
    released_by: str | None = None
    withdrawn_at: int | None = None
    withdrawn_by: str | None = None
    answer: Answer | None = None

    @property
    def refusal(self) -> Answer | None:
        """The engine's answer, if it is not a consent and nothing made up for it."""
        if self.answer is None or self.stage in {Stage.DRAFT, self.confirmed}:
            return None
        return None if self.answer.outcome is Outcome.ACCEPTED else self.answer

    @property
    def state(self) -> RevisionState:
        """Where it stands."""
        if self.stage in {Stage.DRAFT, self.confirmed}:
            return RevisionState(self.stage.value)
        is_release = self.stage is Stage.RELEASED
        if self.refusal is not None:
            return RevisionState.REFUSED if is_release else RevisionState.RELEASED
        if self.answer is not None:
            return RevisionState(self.stage.value)
        return RevisionState.RELEASING if is_release else RevisionState.WITHDRAWING

    @property
    def is_replaceable(self) -> bool:
        """Whether its body may still be another: no work can have been stored by it."""
        return self.state in {RevisionState.DRAFT, RevisionState.REFUSED}


class RoutingUnusable(Malformed):
    """A body has problems.

    Args:
        routing: Whose body it is.
        problems: All of them, as (dotted path, problem).
    """

    def __init__(self, routing: Routing, problems: list[tuple[str, str]]) -> None:
        listed = "; ".join(f"{path}: {text}" for path, text in problems)
        super().__init__(f"Routing {routing.id} {routing.revision}: {listed}.")
        self.problems = tuple(problems)


def plain(routing: Routing) -> dict[str, Any]:
    """Return ``routing`` as a document of JSON: decimals as text, without idle zeros.

    Example:
        >>> plain(Routing(id="r", revision="A", material="M", unit="C62", steps=(),
        ...     connections=(), over_tolerance=Decimal("0.10")))["over_tolerance"]
        '0.1'
    """
    document: dict[str, Any] = _normal(
        msgspec.to_builtins(routing, builtin_types=(Decimal,))
    )
    return document


def canonical(routing: Routing) -> str:
    """Return ``routing`` as the one text that means it."""
    return json.dumps(
        plain(routing), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def digest_of(routing: Routing) -> str:
    """Return the SHA-256 of the canonical form, in hexadecimal digits."""
    return hashlib.sha256(canonical(routing).encode()).hexdigest()


def body_problems(routing: Routing) -> list[tuple[str, str]]:
    """Say everything that makes ``routing`` unusable, as (dotted path, problem)."""
    return [*_unit_problems(routing), *routing_problems(routing)]


def intent_key(routing: str, revision: str, attempt: int, stage: Stage) -> str:
    """Return the key of the intent by which a revision gets to ``stage``.

    Example:
        >>> intent_key("bracket", "A", 1, Stage.RELEASED)
        'bracket/A/1/released'
    """
    return f"{routing}/{revision}/{attempt}/{stage}"


def intent_of(
    body: Routing, stage: Stage, *, attempt: int, person: str, at: int
) -> Commanded:
    """Return what is asked of the engine, so that a revision gets to ``stage``."""
    command: Command = (
        ReleaseRouting(routing=body)
        if stage is Stage.RELEASED
        else WithdrawRouting(routing=body.id, revision=body.revision)
    )
    return Commanded(
        origin=ORIGIN,
        key=intent_key(body.id, body.revision, attempt, stage),
        digest=hashlib.sha256(msgspec.json.encode(command)).hexdigest(),
        person=person,
        at=at,
        command=command,
    )


def _normal(value: Any) -> Any:
    match value:
        case Decimal():
            return str(from_millionths(to_millionths(value)))
        case dict():
            return {name: _normal(one) for name, one in value.items()}
        case list() | tuple():
            return [_normal(one) for one in value]
    return value


def _unit_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    if routing.unit not in UNITS:
        yield "unit", _no_unit(routing.unit)
    for index, step in enumerate(routing.steps):
        for at, part in enumerate(step.consumes):
            path = f"steps.{index}.consumes.{at}"
            if part.unit not in UNITS:
                yield f"{path}.unit", _no_unit(part.unit)
            if part.per_piece <= ZERO:
                yield f"{path}.per_piece", "must be above 0"
    for index, one in enumerate(routing.connections):
        path = f"connections.{index}"
        if not ZERO < one.share <= 1:
            yield f"{path}.share", f"{one.share} is not above 0 and at most 1"
        if one.transfer_batch is not None and routing.unit in UNITS:
            yield from (
                (f"{path}.transfer_batch", text)
                for text in _batch_problems(one.transfer_batch, routing.unit)
            )


def _batch_problems(transfer_batch: Decimal, unit: str) -> Iterator[str]:
    if transfer_batch <= ZERO:
        yield "must be above 0"
        return
    try:
        checked_quantity(transfer_batch, unit=unit, of="transfer batch")
    except Malformed as error:
        yield error.message[:1].lower() + error.message[1:].rstrip(".")


def _no_unit(unit: str) -> str:
    return f"'{unit}' is no unit code; known are {', '.join(sorted(UNITS))}"
