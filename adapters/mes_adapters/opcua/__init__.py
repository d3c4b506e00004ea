"""Samples from an OPC UA server, by subscription; and a server of our own."""

from mes_adapters.opcua.probing import probe
from mes_adapters.opcua.serving.settings import OpcUaServerSettings
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_adapters.opcua.source import OpcUaLink
from mes_engine.ports import AdapterSpec, Floor, ServerSpec


async def _serve(name: str, settings: OpcUaServerSettings, floor: Floor) -> None:
    # Only where one is served: asyncua's server is large.
    from mes_adapters.opcua.serving.server import serve  # noqa: PLC0415

    await serve(name, settings, floor)


ADAPTER = AdapterSpec(
    name="opcua",
    settings=OpcUaSettings,
    tag=OpcUaTag,
    open=OpcUaLink,
    probe=probe,
    server=ServerSpec(settings=OpcUaServerSettings, serve=_serve),
)
