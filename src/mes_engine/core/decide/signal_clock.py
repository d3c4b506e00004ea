"""What time alone brings to signals: it is told by the clock's command."""

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.edges import dropped, edge_lasted
from mes_engine.core.decide.handshaking import check_handshakes
from mes_engine.core.decide.machine import bad_lasted
from mes_engine.core.decide.machine_states import heartbeat_frozen, state_lasted
from mes_engine.core.decide.transacting import Execute
from mes_engine.core.signals import SignalWatch, WatchKind
from mes_engine.core.time_windows import CLOCK


def check_signals(draft: Draft, execute: Execute) -> dict[str, str]:
    """Tell everything that time has brought, in the order in which it was due."""
    due = [
        (one.due_at, one.id, one)
        for one in draft.state.signal_watch.find("due", CLOCK)
        if one.due_at is not None and one.due_at <= draft.at
    ]
    for _, _, watch in sorted(due, key=lambda one: one[:2]):
        _lasted(draft, watch, execute)
    return {"changed": str(len(due) + check_handshakes(draft))}


def _lasted(draft: Draft, watch: SignalWatch, execute: Execute) -> None:
    site = draft.state.site
    signal = site.signals.get(watch.tag)
    edge = site.edges.get(watch.id)
    match watch.kind:
        case WatchKind.EDGE if edge is not None:
            edge_lasted(draft, edge, watch, execute)
        case WatchKind.STATE if signal is not None:
            state_lasted(draft, signal, watch)
        case WatchKind.HEARTBEAT if signal is not None:
            heartbeat_frozen(draft, signal, watch)
        case WatchKind.BAD if signal is not None:
            bad_lasted(draft, signal, watch)
        case _:
            draft.emit(f.SignalWatched(watch=dropped(watch)))
