"""Builders of what the tests hand in; a test names only what it is about."""

from decimal import Decimal
from itertools import count

from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import Command, Commanded, Sensed, WithdrawRouting
from mes_engine.core.postings import Posting, PostingKind
from mes_engine.core.requests import WorkRequest
from mes_engine.core.samples import LinkReport, Quality, Sample

NOW = 1_790_000_000_000_000


def clock() -> int:
    return NOW


def a_request(name: str) -> WorkRequest:
    return WorkRequest(
        id=name,
        material="bracket",
        unit="C62",
        quantity=Decimal(10),
        routing="bracket",
        revision="A",
        due_at=NOW,
        priority=0,
        demand="",
        created_at=NOW,
    )


def a_job_order(request: str) -> JobOrder:
    return JobOrder(
        id=f"job of {request}",
        number=1,
        request=request,
        visit=f"{request}/10/1",
        step="10",
        routing="bracket",
        revision="A",
        work_center="mill",
        equipment_class="milling",
        unit="C62",
        planned=Decimal(10),
        due_at=NOW,
        priority=0,
        stored_at=NOW,
    )


def a_posting(stream: str, n: int) -> Posting:
    return Posting(
        key=f"{stream}-{n}",
        stream=stream,
        stream_seq=n,
        kind=PostingKind.CONFIRM,
        job_order=f"job of {stream}",
        step="10",
        work_center="mill",
        material="bracket",
        unit="C62",
        good=Decimal(1),
        scrap=Decimal(0),
        setup_s=Decimal(0),
        processing_s=Decimal(60),
        is_final=False,
        occurred_at=NOW,
        business_date="2026-09-21",
    )


_keys = count(1)


def a_command(
    name: str | Command = "one", *, key: str = "", digest: str = "d"
) -> Commanded:
    command = name if isinstance(name, Command) else as_command(name)
    return Commanded(
        origin="terminal",
        key=key or f"k{next(_keys)}",
        digest=digest,
        person="Ada",
        at=NOW,
        command=command,
    )


def as_command(name: str) -> Command:
    return WithdrawRouting(routing=name, revision="A")


def a_sample(tag: str = "m1.good", value: int = 1) -> Sample:
    return Sample(
        tag=tag, value=value, quality=Quality.GOOD, source_at=NOW, received_at=NOW
    )


def sensed(
    n: int, tag: str = "m1.good", *, epoch: int = 1, source: str = "plc"
) -> Sensed:
    report: Sample | LinkReport = a_sample(tag, n)
    return Sensed(source=source, epoch=epoch, n=n, report=report)
