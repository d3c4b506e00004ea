"""Reasons: what a plant lets people choose from where they have to say why.

A terminal offers them; a command takes any text, as an adapter or an ERP may have words
of its own.
"""

from collections.abc import Mapping
from enum import StrEnum


class ReasonKind(StrEnum):
    """What a person gives a reason for."""

    PAUSE = "pause"
    STOP = "stop"
    SCRAP = "scrap"
    REWORK = "rework"
    HOLD = "hold"
    SPLIT = "split"
    SERIAL = "serial"
    DEVIATION = "deviation"
    WAIVER = "waiver"
    DAMAGE = "damage"
    ASSIGNMENT = "assignment"
    DISMISSAL = "dismissal"
    TAKE_BACK = "take_back"


Reasons = Mapping[ReasonKind, tuple[str, ...]]

_K = ReasonKind

USUAL: Reasons = {
    _K.PAUSE: ("No material", "Tool", "Quality", "Machine fault", "Break", "Other"),
    _K.STOP: ("Plan changed", "Machine fault", "No material", "Quality", "Other"),
    _K.SCRAP: ("Dimension", "Surface", "Material fault", "Setup piece", "Other"),
    _K.REWORK: ("Dimension", "Surface", "Burr", "Other"),
    _K.HOLD: ("Quality", "Drawing", "Material", "Customer", "Other"),
    _K.SPLIT: ("Part goes ahead", "Two machines", "Sorted out", "Other"),
    _K.SERIAL: ("Labels printed", "Marked", "Customer asks", "Other"),
    _K.DEVIATION: ("Machine down", "Not needed", "Trial", "Other"),
    _K.WAIVER: ("Checked, and good", "Cooled", "Other"),
    _K.DAMAGE: ("Dropped", "Faulty", "Other"),
    _K.ASSIGNMENT: ("Made before loading", "Forgot to begin", "Other"),
    _K.DISMISSAL: ("Test stroke", "Counter fault", "Other"),
    _K.TAKE_BACK: ("Miscounted", "Wrong job", "Wrong reason", "Pressed twice"),
}
"""What is offered where a plant declares nothing else."""


def reasons_of(declared: Reasons) -> dict[ReasonKind, tuple[str, ...]]:
    """Return the reasons of every kind: those declared, else the usual ones."""
    return {kind: declared.get(kind, USUAL[kind]) for kind in ReasonKind}
