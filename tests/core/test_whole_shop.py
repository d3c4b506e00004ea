"""The whole shop, driven at random; the thorough run is ``make test-slow``."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core.whole_floor import WholeFloor
from tests.core.whole_shop import WholeShop

USUAL = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_whatever_is_done_no_law_is_broken() -> None:
    run_state_machine_as_test(WholeShop, settings=USUAL)


@pytest.mark.timeout(300)
def test_nor_on_the_whole_floor() -> None:
    run_state_machine_as_test(WholeFloor, settings=USUAL)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_is_done_a_thousand_times_no_law_is_broken() -> None:
    thorough = settings(USUAL, max_examples=2000, stateful_step_count=60)
    run_state_machine_as_test(WholeShop, settings=thorough)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nor_a_thousand_times_on_the_whole_floor() -> None:
    thorough = settings(USUAL, max_examples=2000, stateful_step_count=60)
    run_state_machine_as_test(WholeFloor, settings=thorough)
