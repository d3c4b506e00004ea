"""How the floor is shown: work centers, queues, machines, what was dispatched."""

from msgspec.structs import replace

from mes_engine.core.equipment import Equipment, ItemState, OperationMode
from mes_engine.core.plant import DispatchRule, PostingPolicy, SignalMeaning, WorkUnit
from mes_engine.core.production import UnassignedReason as Reason
from mes_engine.core.samples import LinkState
from mes_engine.http.fields import At, Decimals, View
from mes_engine.web.job_order_views import (
    ConditionView,
    JobOrderDetail,
    QueuedJobOrder,
    RunView,
)
from mes_engine.web.machine_transactions import AlarmView
from mes_engine.web.parts import Parts


class RuleSettingsView(View):
    """What a dispatch rule is told besides its name."""

    k: Decimals
    weights: dict[DispatchRule, Decimals]


class WorkCenterView(View):
    """A group of work units that the ERP plans, and the rule of its queue."""

    id: str
    area: str
    name: str
    rule: DispatchRule
    rule_settings: RuleSettingsView
    posting: PostingPolicy
    work_units: list[str]
    queued: int


class WaitingView(QueuedJobOrder):
    """A job order in a queue; the lowest score goes first, and why it has it."""

    score: Decimals
    why: str


class QueueView(View):
    """What waits at a work center.

    Attributes:
        total: How many wait, whether they are listed or not.
        waiting: The first of them in the rule's order, each with what blocks it.
        set_down: Begun and interrupted, without a place on a work unit.
    """

    work_center: str
    rule: DispatchRule
    total: int
    waiting: list[WaitingView]
    set_down: list[QueuedJobOrder]
    seq: int


class EquipmentView(View):
    """What is known of a machine; ``shown`` is unknown where its link does not tell.

    A link is stale, whatever it told last, while its gateway is not heard of.

    Attributes:
        setup: The setup family that it was last set up for, where changeovers ask.
    """

    work_unit: str
    link: LinkState | None
    link_since: At | None
    item_state: ItemState | None
    word: str
    since: At | None
    shown: str
    setup: str
    mode: OperationMode
    map_version: str

    @classmethod
    def of(cls, parts: Parts, unit: WorkUnit) -> "EquipmentView":
        """Show what is known of ``unit``."""
        known = parts.state.equipment.get(unit.id) or Equipment(work_unit=unit.id)
        is_heard = parts.heard().get(parts.state.site.telling_link(unit.id) or "", True)
        link = known.link if is_heard or known.link is None else LinkState.STALE
        known = replace(known, link=link)
        return cls(
            work_unit=unit.id,
            link=known.link,
            link_since=known.link_since or None,
            item_state=known.item_state,
            word=known.word,
            since=known.since or None,
            shown=known.shown,
            setup=known.setup,
            mode=known.mode,
            map_version=known.map_version,
        )


class SignalView(View):
    """A tag, and the last value that it had."""

    tag: str
    link: str
    means: SignalMeaning
    value: str | None
    at: At | None
    epoch: int
    position: int


class TallyView(View):
    """What the counters brought in: ``counted = booked + unassigned + dismissed``."""

    role: str
    counted: Decimals
    booked: Decimals
    unassigned: Decimals
    dismissed: Decimals


class WorkUnitView(View):
    """A machine or bench; ``now`` is the server's time, to show clocks by."""

    id: str
    name: str
    work_center: str
    classes: list[str]
    active: int
    staged: int
    equipment: EquipmentView
    runs: list[RunView]
    alarms: list[AlarmView]


class WorkUnitDetail(WorkUnitView):
    """A work unit with what is on it, its signals and its counts."""

    job_orders: list[JobOrderDetail]
    signals: list[SignalView]
    tallies: list[TallyView]
    now: At
    seq: int


class UnassignedView(View):
    """Counted pieces that are on no job order, why, and what became of them since."""

    seq: int
    work_unit: str
    tag: str
    role: str
    quantity: Decimals
    reason: Reason
    at: At
    until: At
    job_order: str | None
    assigned: Decimals
    dismissed: Decimals
    left: Decimals


class CandidateView(View):
    """A job order that was looked at; the lowest score goes first.

    Attributes:
        why: What the score was made of.
        unmet: Why it could not be taken.
    """

    job_order: str
    score: Decimals
    why: str
    unmet: list[ConditionView]


class DecisionView(View):
    """What was dispatched to a work unit, and why nothing else was."""

    seq: int
    work_unit: str
    work_center: str
    rule: DispatchRule
    settings: RuleSettingsView
    at: At
    person: str
    candidates: list[CandidateView]
    chosen: str | None
    asked_for: str | None
    loaded_with: list[str]
