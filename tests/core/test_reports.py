"""Reports: amounts and reasons that no state would allow, and times."""

from decimal import Decimal

import pytest

from mes_engine.core import messages as m
from mes_engine.core.runs import HoldScope
from tests.core.situations import JOB, processing


@pytest.mark.parametrize(
    "report",
    [
        m.ReportQuantity(job_order=JOB),
        m.ReportQuantity(job_order=JOB, good=Decimal(-1)),
        m.ReportQuantity(job_order=JOB, good=Decimal("NaN")),
        m.ReportQuantity(job_order=JOB, good=Decimal("sNaN")),
        m.ReportQuantity(job_order=JOB, good=Decimal("Infinity")),
        m.ReportQuantity(job_order=JOB, good=Decimal("0.5")),
        m.ReportQuantity(job_order=JOB, good=Decimal("1E+10")),
        m.ReportQuantity(job_order=JOB, good=Decimal("-0")),
        m.ReportQuantity(job_order=JOB, lost=Decimal(1)),
        m.ReportQuantity(job_order=JOB, tested=Decimal(1)),
        m.ReportQuantity(job_order=JOB, suspect=Decimal(1), reason=" "),
        m.ReportQuantity(job_order=JOB, setup_s=Decimal(-1)),
        m.ReportQuantity(job_order=JOB, down_s=Decimal("0.0000001")),
        m.ReportQuantity(
            job_order=JOB, scrap=(m.Scrapped(quantity=Decimal(1), reason=" "),)
        ),
        m.ReportQuantity(
            job_order=JOB, scrap=(m.Scrapped(quantity=Decimal(-1), reason="x"),)
        ),
        m.PauseJobOrder(job_order=JOB, reason=" "),
        m.StopJobOrder(job_order=JOB, remainder=m.Remainder.SCRAP, reason=""),
        m.AbortJobOrder(job_order=JOB, reason=""),
        m.AbortJobOrder(job_order=JOB, reason="crash", in_process=Decimal("NaN")),
        m.OpenHold(scope=HoldScope.JOB_ORDER, target=JOB, reason=" "),
    ],
)
def test_what_no_state_would_allow_is_malformed_and_not_kept(
    report: m.Command,
) -> None:
    shop = processing()

    shop.malformed(report)

    assert shop.at_step("cut") == {"queued": 10, "started": 10}


def test_reported_times_add_to_those_of_the_clock() -> None:
    shop = processing()

    shop.report(
        "cut", 1, setup_s=Decimal("1.5"), processing_s=Decimal(2), down_s=Decimal(3)
    )

    job = shop.job("cut")
    assert [job.setup_us, job.processing_us, job.down_us] == [
        1_500_000,
        2_000_000,
        3_000_000,
    ]
