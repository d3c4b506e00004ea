"""A typed, read-only face on the ``transitions`` library.

One unbound machine is built per chart, once: it is the chart's definition, for checks,
diagrams and buttons. A table compiled from that same machine answers on the hot path;
a property test holds the two to each other. Charts are flat, with dotted leaf names.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from transitions import EventData, Machine

StateT = TypeVar("StateT", bound=StrEnum)
TriggerT = TypeVar("TriggerT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Row(Generic[StateT, TriggerT]):
    """``trigger`` moves ``source`` to ``dest``, provided every guard holds.

    Guards are names: what they mean is the business of whoever asks the chart.
    """

    trigger: TriggerT
    source: StateT
    dest: StateT
    guards: tuple[str, ...] = ()


class StateChart(Generic[StateT, TriggerT]):
    """The states a thing can be in and the only ways to move between them."""

    def __init__(
        self,
        *,
        states: type[StateT],
        triggers: type[TriggerT],
        rows: Iterable[Row[StateT, TriggerT]],
    ) -> None:
        declared = tuple(rows)
        self.machine = Machine(
            model=None,
            states=[state.value for state in states],
            transitions=[_as_transition(row) for row in declared],
            initial=None,
            auto_transitions=False,
            send_event=True,
        )
        guards = {(row.source, row.trigger): row.guards for row in declared}
        # Compiled from the machine, not from the rows: the library is the definition.
        self._table: dict[tuple[StateT, TriggerT], Row[StateT, TriggerT]] = {}
        for name, event in self.machine.events.items():
            for source, found in event.transitions.items():
                state, trigger = states(source), triggers(name)
                self._table[state, trigger] = Row(
                    trigger, state, states(str(found[0].dest)), guards[state, trigger]
                )

    @property
    def rows(self) -> tuple[Row[StateT, TriggerT], ...]:
        """Every way to move, as declared."""
        return tuple(self._table.values())

    def row(self, state: StateT, trigger: TriggerT) -> Row[StateT, TriggerT] | None:
        """Return what ``trigger`` does in ``state``; None where it is not allowed."""
        return self._table.get((state, trigger))

    def triggers(self, state: StateT) -> tuple[TriggerT, ...]:
        """Return the triggers that ``state`` accepts, guards aside, by name."""
        return tuple(
            sorted(trigger for source, trigger in self._table if source == state)
        )

    def after(
        self, state: StateT, trigger: TriggerT, holds: Callable[[str], bool]
    ) -> StateT | None:
        """Fire ``trigger`` on the library's own machine: the table's reference.

        Args:
            state: Where the thing stands.
            trigger: What is asked of it.
            holds: Whether the guard of this name holds.

        Returns:
            The next state; None where a guard does not hold.

        Raises:
            transitions.MachineError: The chart has no such row.
        """
        model = _Model(state.value)
        moved = self.machine.events[trigger.value].trigger(model, holds=holds)
        return type(state)(model.state) if moved else None


class _Model:
    """What ``transitions`` reads the state from and writes it to, for one call."""

    def __init__(self, state: str) -> None:
        self.state = state


def _as_transition(row: Row[Any, Any]) -> dict[str, object]:
    return {
        "trigger": row.trigger.value,
        "source": row.source.value,
        "dest": row.dest.value,
        "conditions": [_condition(guard) for guard in row.guards],
    }


def _condition(guard: str) -> Callable[[EventData], bool]:
    return lambda event: bool(event.kwargs["holds"](guard))
