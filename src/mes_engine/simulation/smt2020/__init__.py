"""SMT2020: a published model of a whole wafer fab, read from its own tables."""

from mes_engine.simulation.smt2020.fab import plant_of, routings_of
from mes_engine.simulation.smt2020.model import Fab
from mes_engine.simulation.smt2020.read import read_fab
from mes_engine.simulation.smt2020.run import FabReport, simulate_fab

__all__ = [
    "Fab",
    "FabReport",
    "plant_of",
    "read_fab",
    "routings_of",
    "simulate_fab",
]
