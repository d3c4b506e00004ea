"""Postings as the ledger is sent them."""

from decimal import Decimal
from typing import Any

import msgspec

from mes_engine.core.postings import Posting, PostingKind
from tests.modules.floor import NOW

replace = msgspec.structs.replace


def a_posting(seq: int = 1, *, stream: str = "WR-1", **other: Any) -> Posting:
    fields: dict[str, Any] = {
        "key": f"{stream}:{seq}",
        "stream": stream,
        "stream_seq": seq,
        "kind": PostingKind.CONFIRM,
        "job_order": f"{stream}/10/1",
        "step": "10",
        "work_center": "SAWS",
        "material": "BRACKET",
        "unit": "C62",
        "good": Decimal(10),
        "scrap": Decimal(1),
        "setup_s": Decimal("12.5"),
        "processing_s": Decimal("33.000001"),
        "is_final": False,
        "occurred_at": NOW,
        "business_date": "2026-09-21",
    }
    return Posting(**fields | other)


def a_reversal(of: Posting, seq: int) -> Posting:
    return replace(
        of,
        key=f"{of.stream}:{seq}",
        stream_seq=seq,
        kind=PostingKind.REVERSE,
        reverses=of.key,
    )
