"""Tools: what each has in it, when it takes the next lot, and when it stands still."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from random import Random

from mes_engine.core.plant import WorkUnit
from mes_engine.core.samples import LinkReport, LinkState, Quality, Sample
from mes_engine.simulation.calendar import Calendar
from mes_engine.simulation.shop import VirtualShop
from mes_engine.simulation.smt2020.fab import LINK, state_tag, tools_of
from mes_engine.simulation.smt2020.lots import Lot
from mes_engine.simulation.smt2020.model import (
    Breakdown,
    Fab,
    Maintenance,
    Operation,
    ToolGroup,
)


class Work:
    """What a tool works on together: one lot, or a batch of them.

    Attributes:
        ends_at: When what is under way is done; a tool that stands still puts it off.
    """

    __slots__ = ("ends_at", "lots", "operation", "tool")

    def __init__(self, tool: "Tool", operation: Operation, lots: list[Lot]) -> None:
        self.tool = tool
        self.operation = operation
        self.lots = lots
        self.ends_at = 0

    @property
    def pieces(self) -> int:
        """How many pieces there are in it."""
        return sum(one.pieces for one in self.lots)


class Tool:
    """One tool.

    Attributes:
        inside: What it works on.
        takes_at: When it takes the next lot, if it has room.
        stands_until: When it works again.
        due: Maintenance that waits for the tool to be empty.
        setup: What it was set up for last; ``ran`` lots have run since.
    """

    __slots__ = (
        *("due", "group", "id", "inside", "ran", "setup", "stands_until", "takes_at"),
        "unit",
    )

    def __init__(self, unit: WorkUnit, group: ToolGroup) -> None:
        self.id = unit.id
        self.unit = unit
        self.group = group
        self.inside: list[Work] = []
        self.takes_at = 0
        self.stands_until = 0
        self.due: list[Maintenance] = []
        self.setup = ""
        self.ran = 0

    def is_free(self, now: int) -> bool:
        """Whether it can take a lot now."""
        return (
            len(self.inside) < self.group.at_once
            and self.takes_at <= now
            and self.stands_until <= now
            and not self.due
        )


def lot_for_setup(
    tool: Tool, least: int, waiting: Mapping[str, Lot], can_go: Callable[[str], bool]
) -> str:
    """Return the job order of the lot for which a tool's setup is kept; empty for none.

    Until a setup has run as many lots as it should at least, those that wait for it go
    first, hot ones before the others; where none waits, the tool may be set up anew.

    Args:
        tool: Set up for something.
        least: How many lots that setup should run.
        waiting: Lots by job order, the longest waiting first.
        can_go: Whether a job order may be loaded now.
    """
    if tool.ran >= least:
        return ""
    fit = [
        (-lot.priority, at, job_order)
        for at, (job_order, lot) in enumerate(waiting.items())
        if lot.operation.setup == tool.setup
        and lot.may_use(tool.id)
        and can_go(job_order)
    ]
    return min(fit)[-1] if fit else ""


class Tools:
    """All tools of the fab, with their breakdowns and their maintenance.

    A tool that stands still tells so by its own tag, as a machine does; the core sees
    it out of service.

    Args:
        call: Told of a tool that may take a lot again.
    """

    def __init__(
        self,
        fab: Fab,
        shop: VirtualShop,
        calendar: Calendar,
        chance: Random,
        call: Callable[[Tool], None],
    ) -> None:
        self._shop = shop
        self._calendar = calendar
        self._chance = chance
        self._call = call
        units = shop.state.site.work_units
        self.of_group: dict[str, list[Tool]] = {
            group.id: [Tool(units[name], group) for name in tools_of(group)]
            for group in fab.tool_groups.values()
        }
        self.breakdowns = 0
        self.maintenance = 0
        self.stood: dict[str, int] = defaultdict(int)
        self._by_pieces: dict[str, list[Maintenance]] = defaultdict(list)
        self._pieces: dict[tuple[str, str], int] = defaultdict(int)
        connected = LinkReport(state=LinkState.CONNECTED, at=calendar.now)
        shop.sense(LINK, connected, at=calendar.now)
        for plan in fab.maintenance:
            self._plan(plan)
        for cause in fab.breakdowns:
            for tools in self.of_group.values():
                if tools[0].group.area == cause.area and not tools[0].group.is_delay:
                    for tool in tools:
                        self._break_later(tool, cause, cause.first.sample(chance))

    def _plan(self, plan: Maintenance) -> None:
        if plan.every_pieces:
            self._by_pieces[plan.tool_group].append(plan)
            return
        for tool in self.of_group[plan.tool_group]:
            self._fall_due_later(tool, plan, plan.first)

    def count(self, tool: Tool, pieces: int) -> None:
        """Count what a tool has worked on, for the maintenance that pieces bring."""
        for plan in self._by_pieces.get(tool.group.id, ()):
            counted = self._pieces[tool.id, plan.id] + pieces
            if counted >= plan.every_pieces:
                counted -= plan.every_pieces
                tool.due.append(plan)
            self._pieces[tool.id, plan.id] = counted

    def maintain(self, tool: Tool) -> None:
        """Begin what maintenance is due, if the tool is empty and works."""
        now = self._calendar.now
        if not tool.due or tool.inside or tool.stands_until > now:
            return
        plan = tool.due.pop(0)
        self.maintenance += 1
        self._stand(tool, plan.repair.sample(self._chance))

    def _fall_due_later(self, tool: Tool, plan: Maintenance, after: int) -> None:
        when = self._calendar.now + after
        self._calendar.at(when, lambda: self._fall_due(tool, plan))

    def _fall_due(self, tool: Tool, plan: Maintenance) -> None:
        self._fall_due_later(tool, plan, plan.every)
        tool.due.append(plan)
        self.maintain(tool)

    def _break_later(self, tool: Tool, cause: Breakdown, after: int) -> None:
        when = self._calendar.now + after
        self._calendar.at(when, lambda: self._break(tool, cause))

    def _break(self, tool: Tool, cause: Breakdown) -> None:
        self.breakdowns += 1
        repair = cause.repair.sample(self._chance)
        self._stand(tool, repair)
        self._break_later(tool, cause, repair + cause.between.sample(self._chance))

    def _stand(self, tool: Tool, us: int) -> None:
        """Let the tool stand still from now; what stands longer counts."""
        now = self._calendar.now
        stood_until = max(tool.stands_until, now)
        until = max(now + us, stood_until)
        if tool.stands_until <= now:
            self._tell(tool, "down")
        self.stood[tool.group.id] += until - stood_until
        tool.takes_at = max(tool.takes_at, now) + until - stood_until
        for work in tool.inside:
            work.ends_at += until - stood_until
        tool.stands_until = until
        self._calendar.at(until, lambda: self._work_again(tool))

    def _work_again(self, tool: Tool) -> None:
        if tool.stands_until > self._calendar.now:
            return  # It has broken down once more meanwhile.
        self._tell(tool, "up")
        self.maintain(tool)
        self._call(tool)

    def _tell(self, tool: Tool, word: str) -> None:
        now = self._calendar.now
        sample = Sample(
            tag=state_tag(tool.id),
            value=word,
            quality=Quality.GOOD,
            source_at=now,
            received_at=now,
        )
        self._shop.sense(LINK, sample, at=now)
