"""The types of carriers: what the plant says of them, and has to go on saying."""

from mes_engine.core.carriers import CarrierType
from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.packing import is_empty
from mes_engine.core.plant import Plant
from mes_engine.core.state import State


def type_of(state: State, name: str) -> CarrierType:
    """Return the type of a carrier.

    Raises:
        NotFound: The plant has none of that id.
    """
    types = {one.id: one for one in state.site.plant.carrier_types}
    if name not in types:
        raise NotFound(
            f"There is no carrier type '{name}'.",
            hint=f"Known: {', '.join(sorted(types)) or 'none'}.",
        )
    return types[name]


def keep_types_in_use(state: State, after: Plant) -> None:
    """See that a plant has the type of each carrier that something is in.

    Raises:
        Refused: It leaves one out.
    """
    types = {one.id for one in after.carrier_types}
    for carrier in sorted(state.carrier.values(), key=lambda one: one.id):
        is_in_use = carrier.carrier is not None or not is_empty(state, carrier.id)
        if carrier.type not in types and not carrier.is_shipped and is_in_use:
            told = f"{carrier.id} is in use"
            raise Refused(
                f"Carrier type {carrier.type} cannot be removed: {told}.",
                hint="Unpack it, or leave the type in the plant.",
                unmet=[f"carrier_empty: {told}"],
            )
