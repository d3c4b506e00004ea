"""Holds: what they stop, and when it may go on."""

import pytest

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.runs import HoldMode
from tests.core.situations import (
    JOB,
    a_command,
    held,
    hold,
    loaded,
    processing,
    suspended,
)


def test_a_job_order_newly_under_a_hold_is_held_when_it_is_asked_for() -> None:
    """A hold that was opened while its slot was given up falls on it later."""
    shop = suspended()
    shop.refused(a_command(T.TO_HELD))

    hold(shop)

    assert shop.job("cut").state is S.INTERRUPTED_HELD


def test_a_hold_takes_a_loaded_job_off_the_machine() -> None:
    shop = loaded()

    name = hold(shop)

    job = shop.job("cut")
    assert job.state is S.ALLOWED_WAITING
    assert job.run is None
    assert job.reason == f"no_hold: {name} by Maria: crack"


def test_a_hold_after_the_run_lets_it_go_on_and_nothing_begin() -> None:
    shop = processing()
    hold(shop, HoldMode.AFTER_RUN)

    shop.report("cut", 10)
    shop.complete("cut")

    waiting = loaded()
    hold(waiting, HoldMode.AFTER_RUN)
    assert waiting.job("cut").state is S.ALLOWED_LOADED
    waiting.refused(m.BeginJobOrder(job_order=JOB))


@pytest.mark.parametrize("resumes", [True, False])
def test_a_release_of_a_hold_resumes_only_if_it_says_so(*, resumes: bool) -> None:
    shop = held()

    shop.ok(m.ReleaseHold(hold="H-000001", resumes=resumes))

    after = S.RUNNING_PROCESSING if resumes else S.INTERRUPTED_SUSPENDED
    assert shop.job("cut").state is after
    shop.refused(m.ReleaseHold(hold="H-000001"))
    assert shop.do(m.ReleaseHold(hold="H-9")).outcome is m.Outcome.NOT_FOUND
