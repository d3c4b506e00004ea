"""Documents: released for work, and withdrawn from it."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import job_orders
from mes_engine.core.decide.draft import Draft
from mes_engine.core.documents import Document
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.means import document_need
from mes_engine.core.messages import ReleaseDocument, WithdrawDocument


def release_document(draft: Draft, command: ReleaseDocument) -> dict[str, str]:
    """Let work be done by a revision; it takes the place of the one before."""
    document = Document(
        id=command.document,
        revision=command.revision,
        title=command.title,
        is_released=True,
        since=draft.at,
        person=draft.person,
    )
    known = draft.state.document.get(document.id)
    is_known = known is not None and known.is_released
    if not is_known or known is None or known.revision != document.revision:
        draft.emit(f.DocumentReleased(document=document))
        draft.touch_needing(document_need(document.id))
    return {"document": document.id, "revision": document.revision}


def withdraw_document(draft: Draft, command: WithdrawDocument) -> dict[str, str]:
    """Let no more work be done by a document, and take off what is loaded by it."""
    known = draft.state.document.get(command.document)
    if known is None:
        raise NotFound(f"There is no document '{command.document}'.")
    if not known.is_released:
        raise Refused(f"{known.id} {known.revision} was withdrawn by {known.person}.")
    if not command.reason.strip():
        raise Malformed("Withdrawing needs a reason.", hint="Say why in 'reason'.")
    withdrawn = msgspec.structs.replace(
        known,
        is_released=False,
        since=draft.at,
        person=draft.person,
        reason=command.reason,
    )
    draft.emit(f.DocumentWithdrawn(document=withdrawn))
    reason = f"{known.id} {known.revision} was withdrawn: {command.reason}"
    for job in draft.state.job_order.find("needs", document_need(known.id)):
        draft.touch(job.id)
        job_orders.take_off(draft, job, reason)
    return {"document": known.id, "revision": known.revision}
