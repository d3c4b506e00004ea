"""What carriers are asked."""

from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.runs import Lane


class CarrierCommand(BaseCommand, frozen=True, kw_only=True):
    """A command to one carrier."""

    carrier: str


class RegisterCarrier(
    CarrierCommand, frozen=True, kw_only=True, tag="register_carrier"
):
    """Say that there is this carrier, empty; again, that it came back.

    Attributes:
        location: Where it stands, if that is known.
    """

    carrier_type: str
    location: str = ""


class PackCarrier(CarrierCommand, frozen=True, kw_only=True, tag="pack_carrier"):
    """Put lots, serials and other carriers into a carrier: all of them, or none."""

    contents: tuple[str, ...]
    reason: str = ""


class UnpackCarrier(CarrierCommand, frozen=True, kw_only=True, tag="unpack_carrier"):
    """Take contents out of a carrier; everything that is directly in it, if not said.

    Carriers in it stay packed.
    """

    contents: tuple[str, ...] = ()
    reason: str = ""


class MoveCarrier(CarrierCommand, frozen=True, kw_only=True, tag="move_carrier"):
    """Put a carrier elsewhere in stock, with all in it; an empty one anywhere."""

    to_location: str
    reason: str = ""


class ShipCarrier(CarrierCommand, frozen=True, kw_only=True, tag="ship_carrier"):
    """Send a carrier out of the plant, with everything in it.

    Attributes:
        reason: What says so: a delivery note.
    """

    reason: str


class LoadCarrier(CarrierCommand, frozen=True, kw_only=True, tag="load_carrier"):
    """Load what is to be worked at a work unit of a carrier's lots, in one run."""

    work_unit: str
    lane: Lane | None = None


CarriersCommand = (
    RegisterCarrier
    | PackCarrier
    | UnpackCarrier
    | MoveCarrier
    | ShipCarrier
    | LoadCarrier
)
