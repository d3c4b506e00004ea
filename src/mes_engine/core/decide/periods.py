"""Accounting periods: closed, opened again, and what waits for an open one."""

from datetime import date

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.messages import ClosePeriod, ReleasePosting, ReopenPeriod
from mes_engine.core.periods import LEDGER, OPEN, Books, day_after
from mes_engine.core.postings import Posting, PostingState

replace = msgspec.structs.replace


def books_of(draft: Draft) -> Books:
    """Return up to when the books are closed."""
    return draft.state.books.get(LEDGER) or OPEN


def close_period(draft: Draft, command: ClosePeriod) -> dict[str, str]:
    """Close the books up to a day that is over."""
    day, books = _day(command.last_day, command.reason), books_of(draft)
    if books.is_closed(day):
        raise Refused(
            f"The books are closed until {books.closed_until} already.",
            hint="Reopen them to close fewer days.",
            unmet=[f"period_open: {day} is in a closed period"],
        )
    today = draft.state.site.business_date(draft.now)
    if day >= today:
        raise Refused(
            f"The books cannot be closed until {day}: today is {today}.",
            hint="Close a period once it is over.",
            unmet=[f"period_over: {day} is not"],
        )
    return _set(draft, day, command.reason)


def reopen_period(draft: Draft, command: ReopenPeriod) -> dict[str, str]:
    """Open the books again from a day on; what was held for it goes its way."""
    day, books = _day(command.first_day, command.reason), books_of(draft)
    if not books.is_closed(day):
        raise Refused(
            f"The books are open from {books.first_open or 'the beginning'} on.",
            unmet=[f"period_closed: {day} is in an open period"],
        )
    told = _set(draft, day_after(day, -1), command.reason)
    for posting in list(draft.state.posting.values()):
        is_held = posting.state is PostingState.HELD
        if is_held and posting.business_date >= day:
            _release(draft, posting, posting.business_date, command.reason)
    return told


def release_posting(draft: Draft, command: ReleasePosting) -> dict[str, str]:
    """Let a held posting be booked, on the first day of the open period."""
    posting = draft.state.posting.get(command.posting)
    if posting is None:
        raise NotFound(f"There is no posting '{command.posting}'.")
    if not command.reason.strip():
        raise Malformed(f"Releasing {posting.key} needs a reason.", hint="Say why.")
    if posting.state is not PostingState.HELD:
        raise Refused(
            f"Posting {posting.key} is {posting.state}; only a held one is released.",
            unmet=[f"posting_held: {posting.key} is {posting.state}"],
        )
    day = open_day(draft, posting.business_date)
    if day == posting.business_date:  # It is the ledger that has closed it.
        day = open_day(draft, draft.state.site.business_date(draft.now))
    _release(draft, posting, day, command.reason)
    return {
        "posting": posting.key,
        "state": PostingState.PENDING.value,
        "business_date": day,
    }


def open_day(draft: Draft, day: str) -> str:
    """Return the day, or the first that is open if it is not."""
    books = books_of(draft)
    return books.first_open if books.is_closed(day) else day


def why_held(draft: Draft, day: str) -> str:
    """Say why nothing can be booked on a day; empty if it can."""
    books = books_of(draft)
    if not books.is_closed(day):
        return ""
    return (
        f"{day} is in a closed period: the books are closed until {books.closed_until}"
    )


def check_open(draft: Draft, at: int, what: str) -> None:
    """See that what is to be corrected is of a day that is open.

    Raises:
        Refused: It is not, and nobody chose to correct it in the open period.
    """
    if not books_of(draft).closed_until:
        return
    why = why_held(draft, draft.state.site.business_date(at))
    if why and not draft.is_into_open_period:
        raise Refused(
            f"{what} cannot be corrected there: {why}.",
            hint="Say 'into_open_period' to correct it in the period that is open.",
            unmet=[f"period_open: {why}"],
        )


def _release(draft: Draft, posting: Posting, day: str, reason: str) -> None:
    told = reason
    if day != posting.business_date:
        told = f"{reason} (of {posting.business_date})"
    draft.emit(
        f.PostingMoved(
            posting=posting.key,
            state=PostingState.PENDING,
            reference="",
            reason=told,
            at=draft.at,
            business_date=day,
        )
    )


def _set(draft: Draft, closed_until: str, reason: str) -> dict[str, str]:
    books = Books(
        closed_until=closed_until, at=draft.at, person=draft.person, reason=reason
    )
    draft.emit(f.BooksClosed(books=books))
    return {"closed_until": closed_until, "first_open": books.first_open}


def _day(text: str, reason: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Malformed(
            f"'{text}' is no day.", hint="Write it as 2026-11-30."
        ) from None
    if not reason.strip():
        raise Malformed("A period is closed and opened with a reason.", hint="Say why.")
    return day.isoformat()
