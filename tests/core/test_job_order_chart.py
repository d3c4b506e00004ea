"""The chart of the job order is the table of ``domain.md``, row by row."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import MachineError

from mes_engine.core.job_order import END_STATES, JOB_ORDER_CHART
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T

STATES = {
    "not_allowed_to_start": ("waiting", "ready"),
    "allowed_to_start": ("waiting", "ready", "loaded"),
    "running": ("setup", "processing"),
    "interrupted": ("held", "suspended"),
    "ended": ("completed", "closed"),
    "aborted": (),
    "cancelled": (),
}
BEFORE_ENDED = ("not_allowed_to_start.*", "allowed_to_start.*", "running.*")
ITSELF = "itself"

# trigger, from, to: as the table of the domain has them.
TABLE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "preconditions_met",
        ("not_allowed_to_start.waiting",),
        "not_allowed_to_start.ready",
    ),
    ("preconditions_met", ("allowed_to_start.waiting",), "allowed_to_start.ready"),
    (
        "preconditions_lost",
        ("not_allowed_to_start.ready",),
        "not_allowed_to_start.waiting",
    ),
    ("preconditions_lost", ("allowed_to_start.ready",), "allowed_to_start.waiting"),
    ("release", ("not_allowed_to_start.waiting",), "allowed_to_start.waiting"),
    ("release", ("not_allowed_to_start.ready",), "allowed_to_start.ready"),
    ("revoke_start", ("allowed_to_start.waiting",), "not_allowed_to_start.waiting"),
    (
        "revoke_start",
        ("allowed_to_start.ready", "allowed_to_start.loaded"),
        "not_allowed_to_start.ready",
    ),
    ("load", ("allowed_to_start.ready",), "allowed_to_start.loaded"),
    ("unload", ("allowed_to_start.loaded",), "allowed_to_start.ready"),
    (
        "begin_setup",
        ("allowed_to_start.loaded", "running.processing"),
        "running.setup",
    ),
    ("begin", ("allowed_to_start.loaded", "running.setup"), "running.processing"),
    ("report", ("running.*", "interrupted.*"), ITSELF),
    ("pause", ("running.*",), "interrupted.suspended"),
    ("hold", ("running.*",), "interrupted.held"),
    ("to_held", ("interrupted.suspended",), "interrupted.held"),
    ("to_suspended", ("interrupted.held",), "interrupted.suspended"),
    ("move_to", ("allowed_to_start.loaded", "interrupted.*"), ITSELF),
    ("resume", ("interrupted.*",), "running.processing"),
    ("complete", ("running.*",), "ended.completed"),
    ("stop", ("running.*", "interrupted.*"), "ended.completed"),
    ("close", ("ended.completed",), "ended.closed"),
    ("abort", (*BEFORE_ENDED, "interrupted.*"), "aborted"),
    ("cancel", ("not_allowed_to_start.*", "allowed_to_start.*"), "cancelled"),
    ("update", ("not_allowed_to_start.*", "allowed_to_start.*"), ITSELF),
)
GUARDS = sorted({guard for row in JOB_ORDER_CHART.rows for guard in row.guards})


def leaves(name: str) -> Iterator[str]:
    top, _, leaf = name.partition(".")
    yield from (f"{top}.{one}" for one in STATES[top]) if leaf == "*" else (name,)


def written() -> set[tuple[str, str, str]]:
    return {
        (trigger, state, state if to == ITSELF else to)
        for trigger, sources, to in TABLE
        for source in sources
        for state in leaves(source)
    }


def test_the_states_are_those_of_the_domain() -> None:
    told = {f"{top}.{one}" for top, subs in STATES.items() for one in subs}
    told |= {top for top, subs in STATES.items() if not subs}

    assert {state.value for state in S} == told


def test_every_row_of_the_domain_is_in_the_chart_and_none_more() -> None:
    declared = {
        (row.trigger.value, row.source.value, row.dest.value)
        for row in JOB_ORDER_CHART.rows
    }

    assert declared == written()
    assert {row.trigger for row in JOB_ORDER_CHART.rows} == set(T)


def test_nothing_leaves_an_end_state_but_completed_to_closed() -> None:
    leaving = {
        (row.source, row.trigger, row.dest)
        for row in JOB_ORDER_CHART.rows
        if row.source in END_STATES
    }

    assert leaving == {(S.ENDED_COMPLETED, T.CLOSE, S.ENDED_CLOSED)}


@given(
    state=st.sampled_from(S),
    trigger=st.sampled_from(T),
    held=st.sets(st.sampled_from(GUARDS)),
)
def test_the_table_does_what_the_library_does(
    state: S, trigger: T, held: set[str]
) -> None:
    """For every state, trigger and outcome of the guards."""
    row = JOB_ORDER_CHART.row(state, trigger)
    if row is None:
        with pytest.raises(MachineError):
            JOB_ORDER_CHART.after(state, trigger, held.__contains__)
        return

    after = JOB_ORDER_CHART.after(state, trigger, held.__contains__)

    assert after is (row.dest if held.issuperset(row.guards) else None)


@pytest.mark.parametrize("state", S)
def test_the_triggers_of_a_state_are_those_of_its_rows_by_name(state: S) -> None:
    of_rows = sorted(row.trigger for row in JOB_ORDER_CHART.rows if row.source is state)

    assert list(JOB_ORDER_CHART.triggers(state)) == of_rows
    library = JOB_ORDER_CHART.machine.get_triggers(state.value)
    assert sorted(library) == [trigger.value for trigger in of_rows]
