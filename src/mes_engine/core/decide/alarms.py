"""Alarms: raised once, cleared once."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.alarms import Alarm
from mes_engine.core.decide.draft import Draft

OURS = 500
"""The severity of what we find ourselves: medium, as of OPC UA events."""


def raise_alarm(
    draft: Draft,
    name: str,
    work_unit: str,
    *,
    code: str,
    text: str,
    severity: int = OURS,
) -> None:
    """Let people know of something; again only if it is told in other words."""
    known = draft.state.alarm.get(name)
    if known is not None and known.is_open and (known.code, known.text) == (code, text):
        return
    draft.emit(
        f.AlarmRaised(
            alarm=Alarm(
                id=name,
                work_unit=work_unit,
                code=code,
                severity=severity,
                text=text,
                raised_at=draft.at,
            )
        )
    )


def clear_alarm(draft: Draft, name: str) -> None:
    """Let people know that it is no longer so, if they knew of it."""
    known = draft.state.alarm.get(name)
    if known is not None and known.is_open:
        cleared = msgspec.structs.replace(known, cleared_at=draft.at)
        draft.emit(f.AlarmCleared(alarm=cleared))
