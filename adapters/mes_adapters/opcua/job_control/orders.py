"""Job orders and job responses as structures of the specification, and back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from asyncua import ua

from mes_adapters.opcua.job_control.states import state_entries
from mes_adapters.opcua.job_control.types import engineering_units, parameter
from mes_engine.core.job_control import (
    JobOrderData,
    JobResponseData,
    OrderedMaterial,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_TIME_YEAR = 1601
"""A ``DateTime`` of this year is none at all."""

PRODUCED = "Material Produced"
CONSUMED = "Material Consumed"
_MEANS_PRODUCED = frozenset({PRODUCED.casefold(), "produced"})
QUANTITY = "Quantity"
GOOD, SCRAP, LOST, TESTED = "Good", "Scrap", "Lost", "Tested"
MOST_PRIORITY = 2**15 - 1


def to_order(data: JobOrderData) -> dict[str, Any]:
    """Return an ``ISA95JobOrderDataType``."""
    found: dict[str, Any] = {
        "JobOrderID": data.id,
        "Description": [ua.LocalizedText(data.description)],
        "WorkMasterID": [{"ID": data.work_master}],
        "EndTime": to_time(data.due_at),
        "Priority": max(-MOST_PRIORITY, min(data.priority, MOST_PRIORITY)),
        "JobOrderParameters": [
            _quantity(QUANTITY, data.makes.quantity, data.makes.unit),
            *(
                parameter(name, ua.Variant(text, ua.VariantType.String))
                for name, text in data.parameters.items()
            ),
        ],
        "EquipmentRequirements": [{"ID": one} for one in data.equipment],
        "MaterialRequirements": [
            _material(data.makes, PRODUCED),
            *(_material(one, CONSUMED) for one in data.consumes),
        ],
    }
    if data.starts_at is not None:
        found["StartTime"] = to_time(data.starts_at)
    return found


def to_response(data: JobResponseData, index: int) -> dict[str, Any]:
    """Return an ``ISA95JobResponseDataType``."""
    amounts = {
        GOOD: data.good.quantity,
        SCRAP: data.scrap,
        LOST: data.lost,
        TESTED: data.tested,
    }
    unit = data.good.unit
    found: dict[str, Any] = {
        "JobResponseID": data.id,
        "JobOrderID": data.id,
        "JobState": state_entries(data.state, index),
        "JobResponseData": [
            _quantity(name, amount, unit) for name, amount in amounts.items()
        ],
        "PersonnelActuals": [{"ID": one} for one in data.people],
        "EquipmentActuals": [{"ID": one} for one in data.equipment],
        "MaterialActuals": [_material(data.good, PRODUCED)],
    }
    if data.reason:
        found["Description"] = ua.LocalizedText(data.reason)
    if data.begun_at is not None:
        found["StartTime"] = to_time(data.begun_at)
    if data.ended_at is not None:
        found["EndTime"] = to_time(data.ended_at)
    return found


def to_time(at: int) -> datetime:
    """Return microseconds of UTC as a ``DateTime``."""
    return _EPOCH + timedelta(microseconds=at)


def from_time(value: datetime | None) -> int | None:
    """Return a ``DateTime`` as microseconds of UTC; None for none."""
    if value is None or value.year <= _NO_TIME_YEAR:
        return None
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // _MICROSECOND


def made(materials: Sequence[Mapping[str, Any]] | None) -> Decimal | None:
    """Return how much is produced, of requirements or actuals; None if nothing says.

    Raises:
        ValueError: A quantity is no number.
    """
    for one in materials or ():
        use = (one.get("MaterialUse") or "").casefold()
        if use in _MEANS_PRODUCED and one.get(QUANTITY) is not None:
            return amount(one[QUANTITY])
    return None


def parameters_of(found: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """Return the values of an array of ``ISA95ParameterDataType``, by name."""
    return {one["ID"]: one["Value"].Value for one in found or () if one["ID"]}


def amount(value: object) -> Decimal:
    """Return a number, however it is written.

    Raises:
        ValueError: It is none.
    """
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is no number")
    return number


def comment_of(comment: object) -> str:
    """Return what is said in a ``Comment``, in the first language that it is in."""
    for one in comment if isinstance(comment, list) else ():
        if isinstance(one, ua.LocalizedText) and one.Text:
            return str(one.Text)
    return ""


def _quantity(name: str, value: Decimal, unit: str) -> dict[str, Any]:
    return parameter(name, ua.Variant(_text(value), ua.VariantType.String), unit)


def _material(one: OrderedMaterial, use: str) -> dict[str, Any]:
    return {
        "MaterialDefinitionID": one.material,
        "MaterialUse": use,
        "Quantity": _text(one.quantity),
        "EngineeringUnits": engineering_units(one.unit),
    }


def _text(number: Decimal) -> str:
    """Return a ``DecimalString``, without zeros that say nothing."""
    return f"{number.normalize():f}"
