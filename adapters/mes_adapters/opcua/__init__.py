"""Samples from an OPC UA server, by subscription; and a server of our own."""

from collections.abc import Sequence

from mes_adapters.opcua.planning import plan
from mes_adapters.opcua.probing import probe
from mes_adapters.opcua.serving.settings import OpcUaServerSettings
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_adapters.opcua.source import OpcUaLink
from mes_adapters.opcua.together import apart
from mes_engine.ports import AdapterSpec, BrowsedNode, Floor, ServerSpec


async def _serve(name: str, settings: OpcUaServerSettings, floor: Floor) -> None:
    # Only where one is served: asyncua's server is large.
    from mes_adapters.opcua.serving.server import serve  # noqa: PLC0415

    await serve(name, settings, floor)


async def _browse(
    settings: OpcUaSettings, root: str, depth: int
) -> Sequence[BrowsedNode]:
    from mes_adapters.opcua.looking import browse  # noqa: PLC0415

    return await browse(settings, root, depth)


def _runs_jobs(settings: OpcUaSettings) -> bool:
    return settings.jobs is not None


def _events(settings: OpcUaSettings) -> dict[str, tuple[str, ...]]:
    return {name: tuple(one.fields) for name, one in settings.events.items()}


def _methods(settings: OpcUaSettings) -> tuple[str, ...]:
    return tuple(settings.methods)


ADAPTER = AdapterSpec(
    name="opcua",
    settings=OpcUaSettings,
    tag=OpcUaTag,
    open=OpcUaLink,
    check_groups=apart,
    runs_jobs=_runs_jobs,
    plan=plan,
    events=_events,
    methods=_methods,
    probe=probe,
    browse=_browse,
    server=ServerSpec(settings=OpcUaServerSettings, serve=_serve),
)
