"""What time alone brings to signals: it is told by the clock's command."""

from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.handshaking import check_handshakes
from mes_engine.core.messages import CheckSignals


def check_signals(draft: Draft, _command: CheckSignals) -> dict[str, str]:
    """Tell everything that time has brought."""
    return {"changed": str(check_handshakes(draft))}
