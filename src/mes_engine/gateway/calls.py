"""What the engine may have a link do besides writing, by the method's name."""

from typing import Any

import msgspec

from mes_engine.core.errors import Malformed
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.gateway.doing import Callee
from mes_engine.ports import JobMachines
from mes_engine.wire import ASK_JOB


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of ``ask_job``."""

    verb: JobVerb
    order: JobOrderData


def calls_of(machines: JobMachines) -> dict[str, Callee]:
    """Return what can be called over the links that run here."""

    async def ask_job(link: str, arguments: Any) -> dict[str, Any]:
        try:
            asked = msgspec.convert(arguments, _Asked)
        except msgspec.ValidationError as error:
            raise Malformed(f"'{ASK_JOB}' was asked what it cannot be: {error}.") from (
                error
            )
        answer = await machines.ask_job(link, asked.verb, asked.order)
        return {"status": answer.status, "problem": answer.problem}

    return {ASK_JOB: ask_job}
