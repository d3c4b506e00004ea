"""Samples from an OPC UA server, by subscription."""

from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_adapters.opcua.source import OpcUaLink
from mes_engine.ports import AdapterSpec

ADAPTER = AdapterSpec(
    name="opcua", settings=OpcUaSettings, tag=OpcUaTag, open=OpcUaLink
)
