"""What the engine may have a link do besides writing, by the method's name."""

from typing import Any, TypeVar

import msgspec

from mes_engine.core.errors import Malformed
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_calls import Given
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.gateway.doing import Callee
from mes_engine.ports import JobMachines, MachineMethods
from mes_engine.wire import ASK_JOB, CALL_METHOD

T = TypeVar("T")


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of ``ask_job``."""

    verb: JobVerb
    order: JobOrderData


class _Called(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of ``call_method``."""

    method: str
    arguments: dict[str, Given]


def calls_of(machines: JobMachines, methods: MachineMethods) -> dict[str, Callee]:
    """Return what can be called over the links that run here."""

    async def ask_job(link: str, arguments: Any) -> dict[str, Any]:
        asked = _read(ASK_JOB, arguments, _Asked)
        answer = await machines.ask_job(link, asked.verb, asked.order)
        return {"status": answer.status, "problem": answer.problem}

    async def call_method(link: str, arguments: Any) -> dict[str, Any]:
        asked = _read(CALL_METHOD, arguments, _Called)
        return await methods.call_method(link, asked.method, asked.arguments)

    return {ASK_JOB: ask_job, CALL_METHOD: call_method}


def _read(method: str, arguments: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as error:
        text = f"'{method}' was asked what it cannot be: {error}."
        raise Malformed(text) from error
