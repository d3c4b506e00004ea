"""Material."""

from decimal import Decimal

from mes_engine.core.messages.command import BaseCommand


class ReceiveMaterial(BaseCommand, frozen=True, kw_only=True, tag="receive_material"):
    """Take ``quantity`` of a material into stock, as a lot of its own."""

    material: str
    unit: str
    quantity: Decimal
    supplier: str
    supplier_lot: str = ""
    location: str | None = None


MaterialCommand = ReceiveMaterial
