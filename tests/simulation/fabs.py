"""A fab small enough to be read at a glance, as SMT2020 tables; and where the real is.

Five steps: wet etch on cascading tools, a furnace that takes two or three lots, a
measurement of half of the lots, a bench, and a rinse on the tool that etched the lot.
Part ``p`` goes by route ``r``.
"""

from pathlib import Path

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared/data/smt2020_hvlm"
NOT_HERE = f"the tables of SMT2020 are not here: {REAL}"

_ROUTE = (
    "ROUTE STEP DESC STNFAM PDIST PTIME PTIME2 PTUNITS PTPER BATCHMN BATCHMX SETUP "
    "WHEN STIME STUNITS SVESTN FORSTEP BatchInterval BatchIntUnits PartInterval "
    "PartIntUnits RWKSTEP REWORK RWKTYPE StepPercent STEP_CQT CQT CQTUNITS"
)


def _route(**values: str) -> tuple[str, ...]:
    fixed = {"ROUTE": "r", "PDIST": "uniform", "PTUNITS": "min", "PTIME2": "0"}
    return tuple({**fixed, **values}.get(one, "") for one in _ROUTE.split())


_TOOL = (
    "STNFAM STN RULE FWLRANK LTIME LTUNITS ULTIME ULTUNITS STNCAP STNQTY STNGRP "
    "STNFAMLOC SETUPGRP"
)


def _tool(name: str, tools: str, *, at_once: str = "", area: str = "Wet") -> list[str]:
    values = [name, name, "rule_HotLotFIRST", "rank_FIFO", "1.0", "min", "1.0", "min"]
    return [*values, at_once, tools, area, "Fab", ""]


TABLES: dict[str, list[list[str] | tuple[str, ...]]] = {
    "route.txt": [
        _ROUTE.split(),
        _route(
            STEP="1",
            DESC="etch",
            STNFAM="WE",
            PTIME="1",
            PTPER="per_piece",
            SETUP="acid",
            STIME="5",
            STUNITS="min",
            PartInterval="0.5",
            PartIntUnits="min",
            SVESTN="yes",
            FORSTEP="5",
            STEP_CQT="2",
            CQT="2",
            CQTUNITS="hr",
        ),
        _route(
            STEP="2",
            DESC="furnace",
            STNFAM="Furnace",
            PTIME="240",
            PTPER="per_batch",
            BATCHMN="50",
            BATCHMX="75",
        ),
        _route(
            STEP="3",
            DESC="look",
            STNFAM="Met",
            PTIME="20",
            PTIME2="2",
            PTPER="per_lot",
            StepPercent="50",
            RWKSTEP="1",
            REWORK="10",
            RWKTYPE="lot",
        ),
        _route(STEP="4", DESC="pack", STNFAM="Bench", PTIME="5", PTPER="per_lot"),
        _route(
            STEP="5",
            DESC="rinse",
            STNFAM="WE",
            PTIME="5",
            PTPER="per_lot",
            SETUP="acid",
            STIME="5",
            STUNITS="min",
        ),
    ],
    "part.txt": [
        ["PARTGRP", "PARTFAM", "PART", "ROUTEFILE", "ROUTE"],
        ["Saleable", "f", "p", "route.txt", "r"],
    ],
    "tool.txt.1l": [
        _TOOL.split(),
        _tool("WE", "2.0", at_once="2.0"),
        _tool("Furnace", "1.0", area="Diffusion"),
        _tool("Met", "1.0", area="Metrology"),
        _tool("Bench", "1.0", area="Metrology"),
    ],
    "setup.txt": [
        ["CURSETUP", "NEWSETUP", "STIME", "STUNITS"],
        ["acid", "base", "7", "min"],
    ],
    "setupgrp.txt": [["SETUPGRP", "SETUP", "MINRUN"], ["gas", "base", "7"]],
    "pmcal.txt": [
        [
            *("PMCALNAME", "PMCALTYPE", "MTBPM", "MTBPMUNITS"),
            *("MTTRDIST", "MTTR", "MTTR2", "MTTRUNITS"),
        ],
        ["clean", "mtbpm_by_cal", "7", "day", "uniform", "4", "1", "hr"],
        ["swap", "mtbpm_by_pieces", "500", "pieces", "uniform", "2", "0.5", "hr"],
    ],
    "downcal.txt": [
        [
            *("DOWNCALNAME", "DOWNCALTYPE", "MTTFDIST", "MTTF", "MTTFUNITS"),
            *("MTTRDIST", "MTTR", "MTTRUNITS"),
        ],
        [
            *("BREAK", "mttf_by_cal", "exponential", "10080", "min"),
            *("exponential", "60", "min"),
        ],
    ],
    "attach.txt": [
        ["CALNAME", "CALTYPE", "RESTYPE", "RESNAME", "FOADIST", "FOA", "FOAUNITS"],
        ["clean", "pm", "stnfam", "Furnace", "constant", "3", "day"],
        ["swap", "pm", "stnfam", "WE", "constant", "", ""],
        ["BREAK", "down", "stngrp", "Wet", "exponential", "10080", "min"],
    ],
    "order.txt": [
        [
            *("LOT", "PART", "PRIOR", "PIECES", "START", "RDIST", "REPEAT", "RUNITS"),
            *("RPT#", "LOTSPERRPT", "DUE"),
        ],
        [
            *("Lot", "p", "10", "25", "01/01/18 00:00:00", "constant", "120", "min"),
            *("1000", "1", "01/02/18 00:00:00"),
        ],
    ],
    "fromto.txt": [
        ["FROMLOC", "TOLOC", "DDIST", "DTIME", "DTIME2", "DUNITS"],
        ["Fab", "Fab", "uniform", "7.5", "2.5", "min"],
    ],
    "WIP.txt": [
        ["LOT", "PART", "PRIOR", "PIECES", "START", "CURSTEP", "DUE"],
        ["Init_1", "p", "20", "25", "01/01/18 00:00:00", "2", "01/01/18 12:00:00"],
    ],
}


def write_fab(folder: Path, **changes: tuple[int, str, str]) -> Path:
    """Write the small fab; ``changes``: by table, (line, column, value)."""
    for name, table in TABLES.items():
        rows = [list(row) for row in table]
        if name.split(".")[0] in changes:
            line, column, value = changes[name.split(".")[0]]
            rows[line - 1][rows[0].index(column)] = value
        text = "".join("\t".join(row) + "\n" for row in rows)
        (folder / name).write_text(text)
    return folder
