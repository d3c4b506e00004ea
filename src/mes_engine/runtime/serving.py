"""Keep what an adapter serves running, whatever becomes of it: nothing else stops."""

import structlog

from mes_engine.core.errors import SourceLost, SourceMisconfigured
from mes_engine.ports import Floor, ServerSpec
from mes_engine.runtime.pace import BackOff

log = structlog.stdlib.get_logger()

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


async def keep_serving(
    name: str,
    server: ServerSpec,
    settings: object,
    floor: Floor,
    *,
    back_off: BackOff | None = None,
) -> None:
    """Serve again and again; return only if a person has to change the settings.

    Args:
        name: The server's id in ``site.yaml``.
        server: What to run.
        settings: Checked by it.
        floor: The engine, as it may use it.
        back_off: The pauses between two tries.
    """
    pause = back_off or BackOff(first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
    with structlog.contextvars.bound_contextvars(server=name):
        while True:
            try:
                await server.serve(name, settings, floor)
            except SourceMisconfigured as wrong:
                log.error("server_misconfigured", reason=str(wrong))
                return
            except SourceLost as lost:
                log.warning("server_lost", reason=str(lost))
            except Exception:
                log.exception("server_failed")
            await pause.wait()
