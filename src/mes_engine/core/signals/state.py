"""State words of machines, and what they mean: PackML's, and a plant's own.

PackML is ISA-TR88.00.02: ``StateCurrent`` has 17 states, ``UnitModeCurrent`` tells in
which mode the unit is. A map has a version, which is kept with what it said.
"""

from mes_engine.core.equipment import PACKML, OperationMode

PACKML_VERSION = "TR88.00.02-2022"

STATE_MAPS: dict[str, dict[str, str]] = {"packml": PACKML}
"""The maps of state words that every plant has; a plant's own are added to them."""

_MODE = OperationMode
MODE_MAPS: dict[str, dict[str, str]] = {
    "packml": {
        "0": _MODE.NONE.value,  # Invalid
        "1": _MODE.PROCESSING.value,  # Production
        "2": _MODE.MAINTENANCE.value,  # Maintenance
        "3": _MODE.SETUP.value,  # Manual
    }
}
"""The same of unit modes."""

VERSIONS: dict[str, str] = {"packml": PACKML_VERSION}
