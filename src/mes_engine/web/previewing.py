"""What a command would do, listed before it is done."""

from decimal import Decimal

from fastapi import Response

from mes_engine.core import messages as m
from mes_engine.core.decide import Decision, decide
from mes_engine.core.effects import Effect, EffectOn, Value, effects
from mes_engine.core.state import State
from mes_engine.http.answers import answered
from mes_engine.http.fields import View, to_iso, to_plain
from mes_engine.web.parts import Parts

PREVIEW = "preview"


class EffectView(View):
    """One thing that would be another.

    Attributes:
        id: Of the request or job order; for pieces, where they are; for a booking, its
            number; of a lot, a posting or a work unit; of the ledger.
        what: The field, the condition or the bucket; of a booking, what it says.
        before: null for what is not there yet.
        after: null for a posting that would no longer stand.
        why: For a condition, why it would not hold; for a booking or a posting, its job
            order; for pieces, their lot.
    """

    on: EffectOn
    id: str
    what: str
    before: str | int | bool | None
    after: str | int | bool | None
    why: str


class PreviewView(View):
    """Everything that the change would do, as of the fact ``seq``."""

    effects: list[EffectView]
    seq: int


def previewed(
    parts: Parts, command: m.Command, *, person: str, at: int
) -> PreviewView | Response:
    """List what a command would do, and do nothing; refused as it would be."""
    layer, decision = _decided(parts, command, person=person, at=at)
    answer = decision.answer
    if answer is None or answer.outcome is not m.Outcome.ACCEPTED:
        return answered(answer or m.Answer(outcome=m.Outcome.NOT_FOUND))
    found = effects(parts.state, layer, decision.facts)
    return PreviewView(effects=[_shown(one) for one in found], seq=parts.state.seq)


def refusal_of(parts: Parts, command: m.Command, *, at: int) -> tuple[str, ...]:
    """Return the conditions that a command would be refused for; none if it is not."""
    _, decision = _decided(parts, command, person=PREVIEW, at=at)
    answer = decision.answer
    return () if answer is None else answer.unmet


def _decided(
    parts: Parts, command: m.Command, *, person: str, at: int
) -> tuple[State, Decision]:
    """Decide on a layer that is thrown away: nothing of it is ever merged."""
    layer = parts.state.layer()
    message = m.Commanded(
        origin=PREVIEW, key=PREVIEW, digest="", person=person, at=at, command=command
    )
    return layer, decide(layer, message, now=parts.clock())


def _shown(effect: Effect) -> EffectView:
    return EffectView(
        on=effect.on,
        id=effect.id,
        what=effect.what,
        before=_value(effect.what, effect.before),
        after=_value(effect.what, effect.after),
        why=effect.why,
    )


def _value(what: str, value: Value) -> str | int | bool | None:
    if isinstance(value, Decimal):
        return to_plain(value)
    if what == "due_at" and isinstance(value, int):
        return to_iso(value)
    return value
