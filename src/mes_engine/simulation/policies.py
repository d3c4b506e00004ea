"""``mes policy compare``: one demand, worked off once under each dispatch rule."""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from mes_engine.core.errors import SettingsError
from mes_engine.core.plant import DispatchRule, Plant, RuleSettings
from mes_engine.core.quantity import ZERO
from mes_engine.core.routing import Routing
from mes_engine.settings.problems import guess
from mes_engine.simulation.calendar import Calendar
from mes_engine.simulation.demand import Demand, components_short
from mes_engine.simulation.floor import Floor
from mes_engine.simulation.measures import Measures, Observer
from mes_engine.simulation.shop import VirtualShop
from mes_engine.simulation.times import StandardTimes

AS_IT_IS = "plant"
"""The policy of leaving each work center the rule that its plant gives it."""

replace = msgspec.structs.replace


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for every work center, or None for those that they have.

    Attributes:
        name: As it was asked for.
    """

    name: str
    rule: DispatchRule | None = None
    settings: RuleSettings = RuleSettings()

    def applied(self, plant: Plant) -> Plant:
        """Return the plant with this policy at every work center."""
        if self.rule is None:
            return plant
        centers = tuple(
            replace(one, rule=self.rule, rule_settings=self.settings)
            for one in plant.work_centers
        )
        return replace(plant, work_centers=centers)


class PolicyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy came to.

    Attributes:
        lot_operations: Steps that were worked, of one lot each.
        commands: How many the core decided.
        facts: How many it wrote.
    """

    policy: str
    measures: Measures
    lot_operations: int
    commands: int
    facts: int


def parse_policy(text: str) -> Policy:
    """Read ``edd``, ``atc:k=3``, ``weighted:edd=0.7,spt=0.3`` or ``plant``.

    Raises:
        SettingsError: It is no policy; says what might have been meant.
    """
    name, _, told = text.partition(":")
    if name == AS_IT_IS and not told:
        return Policy(name=text)
    known = [*DispatchRule, AS_IT_IS]
    if name not in {*DispatchRule}:
        raise SettingsError(
            f"There is no dispatch rule '{name:.80}'{guess(name, known)}",
            hint=f"Known: {', '.join(known)}.",
        )
    rule = DispatchRule(name)
    weights: dict[DispatchRule, Decimal] = {}
    k = RuleSettings().k
    for part in filter(None, told.split(",")):
        key, _, value = part.partition("=")
        amount = _amount(text, value)
        if key == "k":
            k = amount
        elif rule is DispatchRule.WEIGHTED and key in {*DispatchRule} - {rule}:
            weights[DispatchRule(key)] = amount
        else:
            takes = ["k", *(DispatchRule if rule is DispatchRule.WEIGHTED else ())]
            raise SettingsError(
                f"'{text:.80}': {name} takes no '{key}'{guess(key, takes)}"
            )
    if k != RuleSettings().k and DispatchRule.ATC not in {rule, *weights}:
        raise SettingsError(f"'{text:.80}': k says nothing without atc")
    if (rule is DispatchRule.WEIGHTED) != bool(weights):
        raise SettingsError(
            f"'{text:.80}': weighted needs the weights of other rules",
            hint="As in weighted:edd=0.7,setup_min=0.3",
        )
    return Policy(name=text, rule=rule, settings=RuleSettings(k=k, weights=weights))


def _amount(text: str, value: str) -> Decimal:
    try:
        amount = Decimal(value) if re.fullmatch(r"[0-9.]{1,20}", value) else ZERO
    except InvalidOperation:
        amount = ZERO
    if amount <= ZERO:
        raise SettingsError(f"'{text:.80}': '{value:.20}' should be a number above 0")
    return amount


def compare(
    plant: Plant,
    routings: Sequence[Routing],
    demand: Sequence[Demand],
    policies: Iterable[Policy],
    *,
    told: Callable[[str], None] = lambda _: None,
) -> list[PolicyOutcome]:
    """Work the demand off under each policy, by the engine's own core.

    Machines are simulated by the routings' standard times and the plant's changeovers,
    round the clock. People, tools and documents are taken as there; what is bought is
    in stock from the start.

    Args:
        plant: The plant; what its machines tell is not asked for.
        routings: By which the demand is worked; one revision of each.
        demand: Not empty.
        policies: In the order of the answer.
        told: Is given the name of each policy before it is worked.
    """
    outcomes = []
    for policy in policies:
        told(policy.name)
        outcomes.append(_worked(policy, plant, routings, demand))
    return outcomes


def _worked(
    policy: Policy, plant: Plant, routings: Sequence[Routing], demand: Sequence[Demand]
) -> PolicyOutcome:
    begins = min(one.release_at for one in demand)
    machines = replace(policy.applied(plant), signals=())
    shop = VirtualShop(machines, map(_by_machines_alone, routings), at=begins)
    calendar = Calendar(begins)
    floor = Floor(shop, calendar, StandardTimes())
    observer = Observer(_lanes(plant))
    shop.listen(observer.hear)
    for receipt in components_short(demand, {one.id: one for one in routings}):
        shop.ok(receipt, at=begins)
    for one in demand:
        floor.expect(one)
    floor.run()
    return PolicyOutcome(
        policy=policy.name,
        measures=observer.measures(calendar.now),
        lot_operations=floor.lot_operations,
        commands=shop.commands,
        facts=shop.facts,
    )


def _by_machines_alone(routing: Routing) -> Routing:
    steps = tuple(
        replace(one, tools=(), qualification=None, documents=())
        for one in routing.steps
    )
    return replace(routing, steps=steps)


def _lanes(plant: Plant) -> dict[str, int]:
    lanes: dict[str, int] = dict.fromkeys((one.id for one in plant.work_centers), 0)
    for unit in plant.work_units:
        lanes[unit.work_center] += unit.active
    return lanes
