"""The whole shop, driven at random; the thorough run is ``make test-slow``."""

import ast
import inspect
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from mes_engine.core import messages as m
from tests.core import (
    correcting,
    whole_books,
    whole_carriers,
    whole_commands,
    whole_floor,
    whole_people,
    whole_shop,
    whole_signals,
)
from tests.core.whole_commands import NOT_SENT
from tests.core.whole_engine import WholeEngine
from tests.core.whole_shop import WholeShop

COMMANDS = frozenset(get_args(m.Command))
MACHINES = (
    *(whole_shop, whole_floor, whole_books, whole_signals, whole_carriers),
    *(whole_commands, whole_people),
    correcting,
)

USUAL = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_every_command_there_is_is_sent_or_has_a_reason_not_to_be() -> None:
    named = {
        node.attr
        for module in MACHINES
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "m"
    }
    left_out = {one for one in COMMANDS if one.__name__ not in named}

    assert left_out == set(NOT_SENT)
    assert all(NOT_SENT.values())


def test_whatever_is_done_no_law_is_broken() -> None:
    run_state_machine_as_test(WholeShop, settings=USUAL)


@pytest.mark.timeout(300)
def test_nor_with_every_command_there_is() -> None:
    run_state_machine_as_test(WholeEngine, settings=USUAL)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_is_done_a_thousand_times_no_law_is_broken() -> None:
    thorough = settings(USUAL, max_examples=2000, stateful_step_count=60)
    run_state_machine_as_test(WholeShop, settings=thorough)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nor_a_thousand_times_with_every_command_there_is() -> None:
    thorough = settings(USUAL, max_examples=2000, stateful_step_count=60)
    run_state_machine_as_test(WholeEngine, settings=thorough)

    answers = WholeEngine.answers
    never = {one for one in COMMANDS if not answers[one, m.Outcome.ACCEPTED]}
    assert never == set(NOT_SENT)
    print(f"{sum(answers.values())} commands answered: {dict(answers)}")  # noqa: T201
