"""The kinds of field that the models of all settings files share."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from mes_engine.core.characteristics import MEASURING_UNITS
from mes_engine.core.quantity import MAX_QUANTITY, UNITS

NO_SUCH_NAME = "no_such_name"

_ID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST_ID = 64


class Section(BaseModel):
    """A part of a file: unknown keys are problems, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def wrong(
    text: str,
    *,
    kind: str = "wrong",
    known: Iterable[str] = (),
    at: tuple[str | int, ...] = (),
) -> PydanticCustomError:
    """Make the error of a validator: a whole sentence, without the value repeated.

    Args:
        text: What is wrong.
        kind: The type of the error.
        known: What could have been meant.
        at: Where, seen from the validated field; for validators of whole models.
    """
    return PydanticCustomError(
        kind, "{text}", {"text": text, "known": tuple(known), "field": at}
    )


def refers_to(kind: str) -> AfterValidator:
    """Make a validator of names: a thing of this ``kind`` must exist in the site."""

    def existing(name: str, info: ValidationInfo) -> str:
        names = info.context.get(kind) if info.context else None
        if names is not None and name not in names:
            raise wrong(f"there is no {kind} '{name}'", kind=NO_SUCH_NAME, known=names)
        return name

    return AfterValidator(existing)


def is_id(word: str, *, more: str = "") -> bool:
    """Whether ``word`` can name a thing; ``more`` characters may be allowed in it."""
    return 0 < len(word) <= _LONGEST_ID and _ID.union(more).issuperset(word)


def id_text(word: str, *, more: str = "") -> str:
    """Say what :func:`is_id` asks of ``word``."""
    characters = " ".join(("letters, digits, - _", *more))
    return f"'{word:.80}' should be 1 to {_LONGEST_ID} of: {characters}"


def _id(word: str) -> str:
    if not is_id(word):
        raise wrong(id_text(word))
    return word


def _code(word: str) -> str:
    if not is_id(word, more="."):
        raise wrong(id_text(word, more="."))
    return word


def _unit(word: str) -> str:
    return _unit_of(word, {code: name for code, (_, name) in UNITS.items()})


def _measuring_unit(word: str) -> str:
    return _unit_of(word, MEASURING_UNITS)


def _unit_of(word: str, units: Mapping[str, str]) -> str:
    if word not in units:
        by_word = {name: code for code, name in units.items()}
        near = by_word.get(word.casefold())
        text = f"'{word:.80}' is no unit code of UN/CEFACT Rec 20 that is known here"
        if near:
            raise wrong(f"{text}; did you mean '{near}'?")
        raise wrong(text, known=units)
    return word


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"there is no time zone '{name:.80}'"
        raise wrong(text, known=available_timezones()) from None
    return name


Id = Annotated[str, AfterValidator(_id)]
"""A name that becomes a part of others (``mill-1.good``), and so has no dot."""

Code = Annotated[str, AfterValidator(_code)]
"""A name that stands alone: a material, a revision, a location."""

Name = Annotated[str, Field(min_length=1, max_length=120)]
"""Words for people."""

UnitCode = Annotated[str, AfterValidator(_unit)]
MeasuringUnit = Annotated[str, AfterValidator(_measuring_unit)]
"""Of what is measured: more than what can be counted or weighed."""

Limit = Annotated[Decimal, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, decimal_places=6)]
Zone = Annotated[str, AfterValidator(_zone)]
Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)]
Seconds = Annotated[Decimal, Field(ge=0, le=MAX_QUANTITY, decimal_places=6)]
Amount = Annotated[Decimal, Field(gt=0, le=MAX_QUANTITY, decimal_places=6)]
