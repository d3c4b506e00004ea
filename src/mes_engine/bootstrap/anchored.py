"""Say in the anchors that the journal was put back to an earlier moment."""

from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from mes_engine.core.errors import Malformed, Refused
from mes_engine.storage.chain import Head, keyring, read_or_make_keys
from mes_engine.storage.chain.anchors import (
    Anchor,
    AnchorKind,
    AnchorLog,
    read_anchors,
    write_anchor,
)
from mes_engine.storage.database import Database
from mes_engine.storage.journal import MAIN, chain_head


async def acknowledge_restored(
    database_url: str,
    *,
    key_file: Path,
    anchor_file: Path,
    person: str,
    reason: str,
    at: int,
    seq: int | None = None,
) -> Anchor:
    """Write that the journal was put back, so that what came after is not looked for.

    Args:
        database_url: The database, as it was put back.
        key_file: The keys of its chain.
        anchor_file: Where its head was written.
        person: Who says so.
        reason: Why.
        at: The time.
        seq: To which fact, which has to be the last of a commit; None for that of the
            last anchor that the journal still has.

    Raises:
        Malformed: Nobody says it, or nothing.
        Refused: Every anchor is in the journal: nothing was put back.
    """
    if not person.strip() or not reason.strip():
        raise Malformed(
            "Somebody has to say it, and why.", hint="Say --person and --reason."
        )
    keys = read_or_make_keys(key_file)[0]
    log = read_anchors([anchor_file], keyring(keys))
    database = Database.open(database_url)
    try:
        head = await database.read(partial(_put_back_to, log=log, seq=seq))
    finally:
        await database.close()
    return write_anchor(
        anchor_file,
        keys[-1],
        head,
        partition=MAIN,
        at=at,
        kind=AnchorKind.RESTORED,
        person=person.strip(),
        reason=reason.strip(),
    )


def _put_back_to(connection: Connection, log: AnchorLog, seq: int | None) -> Head:
    """Return the head that the journal was put back to."""
    if seq is not None:
        head = chain_head(connection, MAIN, upto=seq)
        if head.seq != seq:
            raise Refused(f"No commit of the journal ends at fact {seq}.")
        return head
    standing: list[Anchor] = []
    for anchor in log.anchors:
        if anchor.kind is AnchorKind.RESTORED:
            standing = [one for one in standing if one.seq <= anchor.seq]
        standing.append(anchor)
    held = [one for one in standing if _is_held(connection, one)]
    lost = [one for one in standing if one not in held]
    if not lost and log.last >= chain_head(connection, MAIN).anchors:
        raise Refused(
            "Everything that was anchored is in the journal: nothing was put back.",
            hint="Name the file of the anchors as journal.anchor_file in site.yaml.",
        )
    if lost:
        seq = min(one.seq for one in lost)
        held = [one for one in held if one.number < lost[0].number and one.seq < seq]
    return chain_head(connection, MAIN, upto=max((one.seq for one in held), default=0))


def _is_held(connection: Connection, anchor: Anchor) -> bool:
    head = chain_head(connection, MAIN, upto=anchor.seq)
    return (head.seq, head.digest) == (anchor.seq, anchor.digest)
