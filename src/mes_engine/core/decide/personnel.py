"""People: who works here, and what they are qualified for."""

from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.means import qualification_need
from mes_engine.core.messages import (
    ExpireQualifications,
    GrantQualification,
    RegisterPerson,
    RevokeQualification,
)
from mes_engine.core.personnel import CLOCK, Person

replace = msgspec.structs.replace


def register_person(draft: Draft, command: RegisterPerson) -> dict[str, str]:
    """Know a person, or correct what is known."""
    known = draft.state.person.get(command.person)
    roles = tuple(dict.fromkeys(command.roles))
    person = Person(
        id=command.person,
        name=command.name,
        roles=roles,
        qualifications=() if known is None else known.qualifications,
    )
    if person != known:
        draft.emit(f.PersonRegistered(person=person))
    return {"person": person.id}


def grant(draft: Draft, command: GrantQualification) -> dict[str, str]:
    """Qualify a person."""
    person, granted = _person(draft, command.person), command.qualification
    if granted.level < 1:
        raise Malformed(f"Level {granted.level} of '{granted.name}' is none.")
    if granted.valid_until is not None and granted.valid_until <= draft.at:
        raise Refused(
            f"'{granted.name}' of {person.id} would have expired already.",
            hint="Give a 'valid_until' that is to come, or none.",
        )
    others = [one for one in person.qualifications if one.name != granted.name]
    _set(draft, person, granted.name, qualifications=(*others, granted))
    return {"person": person.id, "qualification": granted.name}


def revoke(draft: Draft, command: RevokeQualification) -> dict[str, str]:
    """Take a qualification back."""
    person = _person(draft, command.person)
    if person.qualification(command.qualification) is None:
        raise Refused(f"{person.id} has no qualification '{command.qualification}'.")
    if not command.reason.strip():
        raise Malformed("Revoking needs a reason.", hint="Say why in 'reason'.")
    left = tuple(
        one for one in person.qualifications if one.name != command.qualification
    )
    _set(
        draft,
        person,
        command.qualification,
        reason=command.reason,
        qualifications=left,
    )
    return {"person": person.id, "qualification": command.qualification}


def expire(draft: Draft, _: ExpireQualifications) -> dict[str, str]:
    """Note of every qualification whose time has come that it is over."""
    expired = 0
    for person in list(draft.state.person.find("expires", CLOCK)):
        for held in person.qualifications:
            if held.is_over(draft.at) and not held.has_expired:
                now = replace(held, has_expired=True)
                known = _person(draft, person.id)
                others = [one for one in known.qualifications if one != held]
                _set(
                    draft,
                    known,
                    held.name,
                    reason="expired",
                    qualifications=(*others, now),
                )
                expired += 1
    return {"expired": str(expired)}


def _set(
    draft: Draft, person: Person, name: str, *, reason: str = "", **changes: Any
) -> None:
    changed = replace(person, **changes)
    draft.emit(f.PersonQualified(person=changed, reason=reason))
    draft.touch_needing(qualification_need(name))


def _person(draft: Draft, name: str) -> Person:
    person = draft.state.person.get(name)
    if person is None:
        raise NotFound(f"There is no person '{name}'.", hint="Register the person.")
    return person
