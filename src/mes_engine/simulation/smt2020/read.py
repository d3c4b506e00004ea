"""Read a folder of SMT2020 tables; every problem is told at once, by file and line."""

from collections.abc import Iterable
from pathlib import Path

from mes_engine.settings.problems import Problems
from mes_engine.simulation.smt2020.model import (
    Breakdown,
    Fab,
    InProcess,
    Maintenance,
    Operation,
    Per,
    Release,
    Shape,
    Spread,
    ToolGroup,
)
from mes_engine.simulation.smt2020.tables import Row, read_rows

ROUTE_COLUMNS = (
    *("ROUTE", "STEP", "DESC", "STNFAM", "PDIST", "PTIME", "PTIME2", "PTUNITS"),
    *("PTPER", "BATCHMN", "BATCHMX", "SETUP", "STIME", "STUNITS", "SVESTN", "FORSTEP"),
    *("BatchInterval", "BatchIntUnits", "PartInterval", "PartIntUnits", "RWKSTEP"),
    *("REWORK", "StepPercent", "STEP_CQT", "CQT", "CQTUNITS"),
)
TOOL_COLUMNS = (
    *("STNFAM", "STNGRP", "STNQTY", "STNCAP", "LTIME", "LTUNITS"),
    *("ULTIME", "ULTUNITS", "STNFAMLOC", "SETUPGRP"),
)
ATTACH_COLUMNS = (
    *("CALNAME", "CALTYPE", "RESTYPE", "RESNAME", "FOADIST", "FOA", "FOAUNITS"),
)
ORDER_COLUMNS = (
    *("LOT", "PART", "PRIOR", "PIECES", "START", "RDIST", "REPEAT", "RUNITS"),
    *("RPT#", "LOTSPERRPT", "DUE"),
)
REPAIR = ("MTTRDIST", "MTTR", "MTTRUNITS")


def read_fab(folder: Path, *, warm_start: str | None = "WIP.txt") -> Fab:
    """Return the fab that the tables of ``folder`` describe.

    Args:
        folder: Where the tables are.
        warm_start: The one of the lots in process at the start; None for an empty fab.

    Raises:
        SettingsError: What is wrong, a line a problem: file, line, column.
    """
    problems = Problems()
    fab = _Reader(folder, problems).fab(warm_start)
    problems.raise_any()
    return fab


class _Reader:
    """Reads table after table, each held against those before it."""

    def __init__(self, folder: Path, problems: Problems) -> None:
        self._folder = folder
        self._problems = problems

    def fab(self, warm_start: str | None) -> Fab:
        groups = {one.id: one for one in map(_tool_group, self._rows_of_tools())}
        areas = {one.area for one in groups.values()}
        part_routes: dict[str, str] = {}
        routes: dict[str, tuple[Operation, ...]] = {}
        for row in self._rows("part.txt", ("PART", "ROUTEFILE", "ROUTE")):
            route = row.text("ROUTE")
            part_routes[row.text("PART")] = route
            if route not in routes:
                routes[route] = self._route(row.text("ROUTEFILE"), route, groups)
        releases = tuple(self._releases(part_routes))
        return Fab(
            start=min((one.first for one in releases), default=0),
            part_routes=part_routes,
            routes=routes,
            tool_groups=groups,
            changeovers=self._changeovers(),
            minimum_runs={
                row.text("SETUP"): row.whole("MINRUN")
                for row in self._rows("setupgrp.txt", ("SETUP", "MINRUN"))
            },
            maintenance=tuple(self._maintenance(groups)),
            breakdowns=tuple(self._breakdowns(areas)),
            releases=releases,
            in_process=tuple(self._in_process(warm_start, part_routes, routes)),
            transport=self._transport(),
        )

    def _rows(self, file: str, columns: Iterable[str]) -> list[Row]:
        return list(read_rows(self._folder / file, columns, self._problems))

    def _rows_of_tools(self) -> list[Row]:
        rows = self._rows("tool.txt.1l", TOOL_COLUMNS)
        return _without_repeats(rows, "STNFAM")

    def _route(
        self, file: str, route: str, groups: dict[str, ToolGroup]
    ) -> tuple[Operation, ...]:
        rows = [
            row for row in self._rows(file, ROUTE_COLUMNS) if row.text("ROUTE") == route
        ]
        rows = _without_repeats(rows, "STEP")
        numbers = {row.text("STEP"): index for index, row in enumerate(rows)}
        for index, row in enumerate(rows):
            row.named("STNFAM", groups)
            for column in ("FORSTEP", "STEP_CQT", "RWKSTEP"):
                if row.text(column):
                    other = numbers.get(row.named(column, numbers), index)
                    where = "before" if column == "RWKSTEP" else "after"
                    if other == index or (other < index) is not (where == "before"):
                        row.wrong(column, f"the step has to come {where} this one")
        return tuple(map(_operation, rows))

    def _changeovers(self) -> dict[tuple[str, str], int]:
        columns = ("CURSETUP", "NEWSETUP", "STIME", "STUNITS")
        return {
            (row.text("CURSETUP"), row.text("NEWSETUP")): row.time("STIME", "STUNITS")
            for row in self._rows("setup.txt", columns)
        }

    def _attached(self, kind: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self._rows("attach.txt", ATTACH_COLUMNS):
            if row.named("CALTYPE", ("pm", "down")) == kind:
                found.setdefault(row.text("CALNAME"), []).append(row)
        return found

    def _maintenance(self, groups: dict[str, ToolGroup]) -> Iterable[Maintenance]:
        attached = self._attached("pm")
        columns = ("PMCALNAME", "PMCALTYPE", "MTBPM", "MTBPMUNITS", *REPAIR, "MTTR2")
        rows = self._rows("pmcal.txt", columns)
        _all_known(attached, {row.text("PMCALNAME") for row in rows})
        for row in rows:
            kind = row.named("PMCALTYPE", ("mtbpm_by_cal", "mtbpm_by_pieces"))
            is_calendar = kind == "mtbpm_by_cal"
            every = row.time("MTBPM", "MTBPMUNITS") if is_calendar else 0
            pieces = 0 if is_calendar else row.whole("MTBPM")
            if not (every or pieces):
                row.wrong("MTBPM", "maintenance cannot be due all the time")
            for to in attached.get(row.text("PMCALNAME"), ()):
                to.named("RESTYPE", ("stnfam",))
                yield Maintenance(
                    id=row.text("PMCALNAME"),
                    tool_group=to.named("RESNAME", groups),
                    first=to.time("FOA", "FOAUNITS") if is_calendar else 0,
                    every=every,
                    every_pieces=pieces,
                    repair=row.spread(*REPAIR, width="MTTR2"),
                )

    def _breakdowns(self, areas: set[str]) -> Iterable[Breakdown]:
        attached = self._attached("down")
        columns = ("DOWNCALNAME", "DOWNCALTYPE", "MTTFDIST", "MTTF", "MTTFUNITS")
        rows = self._rows("downcal.txt", (*columns, *REPAIR))
        _all_known(attached, {row.text("DOWNCALNAME") for row in rows})
        for row in rows:
            row.named("DOWNCALTYPE", ("mttf_by_cal",))
            for to in attached.get(row.text("DOWNCALNAME"), ()):
                to.named("RESTYPE", ("stngrp",))
                yield Breakdown(
                    id=row.text("DOWNCALNAME"),
                    area=to.named("RESNAME", areas),
                    first=to.spread("FOADIST", "FOA", "FOAUNITS"),
                    between=row.spread("MTTFDIST", "MTTF", "MTTFUNITS"),
                    repair=row.spread(*REPAIR),
                )

    def _releases(self, parts: Iterable[str]) -> Iterable[Release]:
        for row in self._rows("order.txt", ORDER_COLUMNS):
            spread = row.spread("RDIST", "REPEAT", "RUNITS")
            if spread.shape is not Shape.CONSTANT or not spread.mean:
                row.wrong("RDIST", "lots are started at a constant interval above 0")
            if row.whole("LOTSPERRPT") != 1:
                row.wrong("LOTSPERRPT", "one lot is started at a time")
            yield Release(
                id=row.text("LOT"),
                part=row.named("PART", parts),
                priority=row.whole("PRIOR"),
                pieces=row.whole("PIECES"),
                first=row.moment("START"),
                due=row.moment("DUE"),
                every=spread.mean,
                most=row.whole("RPT#"),
            )

    def _in_process(
        self,
        file: str | None,
        part_routes: dict[str, str],
        routes: dict[str, tuple[Operation, ...]],
    ) -> Iterable[InProcess]:
        if file is None:
            return
        steps = {
            part: {one.id for one in routes[route]}
            for part, route in part_routes.items()
        }
        columns = ("LOT", "PART", "PRIOR", "PIECES", "CURSTEP", "DUE")
        for row in _without_repeats(self._rows(file, columns), "LOT"):
            part = row.named("PART", part_routes)
            yield InProcess(
                id=row.text("LOT"),
                part=part,
                priority=row.whole("PRIOR"),
                pieces=row.whole("PIECES"),
                due=row.moment("DUE"),
                step=row.named("CURSTEP", steps.get(part, ())),
            )

    def _transport(self) -> Spread:
        rows = self._rows("fromto.txt", ("DDIST", "DTIME", "DTIME2", "DUNITS"))
        spreads = [
            row.spread("DDIST", "DTIME", "DUNITS", width="DTIME2") for row in rows
        ]
        return spreads[0] if spreads else Spread(Shape.CONSTANT, 0)


def _tool_group(row: Row) -> ToolGroup:
    tools = row.whole("STNQTY")
    at_once = row.whole("STNCAP", default=1)
    if not (tools and at_once):
        row.wrong("STNQTY", "a group has at least one tool, with room for a lot")
    return ToolGroup(
        id=row.text("STNFAM"),
        area=row.text("STNGRP"),
        tools=tools,
        at_once=at_once,
        load=row.time("LTIME", "LTUNITS"),
        unload=row.time("ULTIME", "ULTUNITS"),
        setup_group=row.text("SETUPGRP"),
        is_delay=row.named("STNFAMLOC", ("Fab", "Delay")) == "Delay",
    )


def _operation(row: Row) -> Operation:
    per = row.one_of("PTPER", Per)
    least, most = (row.whole(one, default=0) for one in ("BATCHMN", "BATCHMX"))
    if (per is Per.BATCH) is not bool(most) or least > most:
        row.wrong("BATCHMX", "a batch, and only a batch, has a least and a most")
    intervals = {
        Per.PIECE: row.time("PartInterval", "PartIntUnits", default=0),
        Per.LOT: row.time("BatchInterval", "BatchIntUnits", default=0),
        Per.BATCH: 0,
    }
    keeps = row.text("FORSTEP") if row.text("SVESTN") == "yes" else ""
    rework, window = row.text("RWKSTEP"), row.text("STEP_CQT")
    return Operation(
        id=row.text("STEP"),
        name=row.text("DESC"),
        tool_group=row.text("STNFAM"),
        processing=row.spread("PDIST", "PTIME", "PTUNITS", width="PTIME2"),
        per=per,
        interval=intervals[per],
        batch_least=least,
        batch_most=most,
        setup=row.text("SETUP"),
        setup_time=row.time("STIME", "STUNITS") if row.text("STIME") else None,
        keeps_tool_for=keeps,
        sampled=row.share("StepPercent", default=100),
        rework=row.share("REWORK", default=0) if rework else 0.0,
        rework_from=rework,
        window_to=window,
        window=row.time("CQT", "CQTUNITS") if window else 0,
    )


def _without_repeats(rows: list[Row], column: str) -> list[Row]:
    first: dict[str, Row] = {}
    for row in rows:
        name = row.text(column)
        if not name:
            row.wrong(column, "it needs a name")
        elif name in first:
            row.wrong(column, f"'{name}' is in line {first[name].line} already")
        first.setdefault(name, row)
    return list(first.values())


def _all_known(attached: dict[str, list[Row]], known: set[str]) -> None:
    for rows in attached.values():
        for row in rows:
            row.named("CALNAME", known)
