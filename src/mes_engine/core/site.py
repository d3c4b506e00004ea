"""The plant with its parts by id, made once for each plant that is applied."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mes_engine.core.errors import NotFound
from mes_engine.core.machine_rules import EdgeRule, EventRule
from mes_engine.core.plant import (
    BatchRule,
    EquipmentClass,
    Plant,
    Signal,
    SignalMeaning,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.signals.state import MODE_MAPS, STATE_MAPS, VERSIONS

_MINUTE_US = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime(1, 1, 3, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST = (datetime(9999, 12, 29, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


class Site:
    """A plant's parts, found by id.

    Attributes:
        units_of: The work units of each work center.
        signals_of_link: The signals that each link brings.
        edges: By id; ``edges_of_tag`` by the tag whose level they are of.
        kept_values: The tags of plain values that are kept, as a rule asks for them.
        events_of: By link and type of the message.
        handshakes: By id; ``handshake_of_request`` by the tag of their request.
        job_machines: How work units serve job orders, by id of those that do.
        has_wip_limits: Whether any area or work center limits its work in progress.
    """

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.work_centers = {one.id: one for one in plant.work_centers}
        self.work_units = {one.id: one for one in plant.work_units}
        self.signals = {one.tag: one for one in plant.signals}
        self.units_of: dict[str, list[WorkUnit]] = defaultdict(list)
        for unit in plant.work_units:
            self.units_of[unit.work_center].append(unit)
        self._capable: dict[tuple[str, str], list[WorkUnit]] = defaultdict(list)
        for unit in plant.work_units:
            for name in dict.fromkeys(unit.classes):
                self._capable[unit.work_center, name].append(unit)
        self._class_changeovers = _changeovers(plant.classes)
        self._unit_changeovers = _changeovers(plant.work_units)
        self.signals_of_link: dict[str, list[Signal]] = defaultdict(list)
        for signal in plant.signals:
            self.signals_of_link[signal.link].append(signal)
        self.handshakes = {one.id: one for one in plant.handshakes}
        self.job_machines = {
            one.id: one.jobs for one in plant.work_units if one.jobs is not None
        }
        self.handshake_of_request = {one.request: one for one in plant.handshakes}
        self.edges = {one.id: one for one in plant.edges}
        self.edges_of_tag: dict[str, list[EdgeRule]] = defaultdict(list)
        for edge in plant.edges:
            self.edges_of_tag[edge.tag].append(edge)
        self.kept_values = {tag for one in plant.edges for tag in one.payload.values()}
        self.events_of: dict[tuple[str, str], list[EventRule]] = defaultdict(list)
        for event in plant.events:
            self.events_of[event.link, event.event].append(event)
        self._batch_of = {one.id: one.batch for one in plant.classes}
        self.has_wip_limits = bool(plant.wip_limits) or any(
            one.kanban is not None for one in plant.work_centers
        )
        self._maps = {**STATE_MAPS, **plant.state_maps}
        self._modes = {**MODE_MAPS, **plant.mode_maps}
        self._versions = {**VERSIONS, **plant.map_versions}
        self._zone = ZoneInfo(plant.zone)

    def work_center(self, name: str) -> WorkCenter:
        """Return the work center.

        Raises:
            NotFound: There is none of that id.
        """
        try:
            return self.work_centers[name]
        except KeyError:
            raise NotFound(f"There is no work center '{name}'.") from None

    def work_unit(self, name: str) -> WorkUnit:
        """Return the work unit.

        Raises:
            NotFound: There is none of that id.
        """
        try:
            return self.work_units[name]
        except KeyError:
            raise NotFound(
                f"There is no work unit '{name}'.",
                hint=f"Known: {', '.join(sorted(self.work_units))}.",
            ) from None

    def units_served_over(self, link: str) -> list[str]:
        """Return the work units whose machine serves job orders over the link."""
        return [name for name, one in self.job_machines.items() if one.link == link]

    def capable_units(self, work_center: str, equipment_class: str) -> list[WorkUnit]:
        """Return the units of the work center that have the class."""
        return self._capable.get((work_center, equipment_class), [])

    def has_changeovers(self, unit: WorkUnit) -> bool:
        """Whether the unit's setup depends on what it was set up for before."""
        if unit.id in self._unit_changeovers:
            return True
        return any(name in self._class_changeovers for name in unit.classes)

    def changeover_us(
        self, unit: WorkUnit, equipment_class: str, source: str, target: str
    ) -> int | None:
        """Return what a changeover takes, in microseconds.

        The unit's own list goes before that of the class. Within one family it takes
        nothing, unless listed.

        Returns:
            None where the families are not listed, or nothing is.
        """
        own = self._unit_changeovers.get(unit.id, {})
        shared = self._class_changeovers.get(equipment_class, {})
        pair = (source, target)
        if pair in own or pair in shared:
            return own[pair] if pair in own else shared[pair]
        return 0 if (own or shared) and source == target else None

    def batch_rule(self, unit: WorkUnit) -> BatchRule | None:
        """Return how ``unit`` takes several job orders at once; None if it does not."""
        rules = (unit.batch, *(self._batch_of.get(one) for one in unit.classes))
        return next((one for one in rules if one is not None), None)

    def telling_link(self, work_unit: str) -> str | None:
        """Return the link that tells the unit's state; of counts, if none does."""
        signals = [one for one in self.plant.signals if one.work_unit == work_unit]
        signals.sort(key=lambda one: one.means is not SignalMeaning.STATE)
        return signals[0].link if signals else None

    def item_state(self, signal: Signal, word: str) -> str | None:
        """Return what a state word means; None for a word that the map has not."""
        return self._maps.get(signal.state_map, {}).get(word)

    def operation_mode(self, signal: Signal, word: str) -> str | None:
        """Return what a mode means; None for one that the map has not."""
        return self._modes.get(signal.state_map, {}).get(word)

    def map_version(self, name: str) -> str:
        """Return the version of a map; empty where it has none."""
        return self._versions.get(name, "")

    def business_date(self, at: int) -> str:
        """Return the plant's day (ISO) that the time belongs to.

        A shift that passes midnight belongs, whole, to the day on which it began.

        Args:
            at: Microseconds of UTC.
        """
        # A device may say any time: one beyond the calendar is brought to its edge.
        within = timedelta(microseconds=min(max(at, _FIRST), _LAST))
        local = (_EPOCH + within).astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        yesterday = local.date() - timedelta(days=1)
        for shift in self.plant.shifts:
            is_last_night = shift.ends <= shift.starts and minute < shift.ends
            if is_last_night and yesterday.isoweekday() in shift.days:
                return yesterday.isoformat()
        return local.date().isoformat()


def _changeovers(
    ones: Iterable[EquipmentClass | WorkUnit],
) -> dict[str, dict[tuple[str, str], int]]:
    """Return the changeovers of those that have any, in microseconds."""
    return {
        one.id: {
            (pair.source, pair.target): int(pair.minutes * _MINUTE_US)
            for pair in one.changeovers
        }
        for one in ones
        if one.changeovers
    }
