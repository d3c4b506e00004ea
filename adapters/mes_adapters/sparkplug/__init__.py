"""Samples from an edge node that speaks MQTT Sparkplug B."""

from mes_adapters.sparkplug.settings import SparkplugSettings, SparkplugTag, unfit
from mes_adapters.sparkplug.source import SparkplugLink
from mes_engine.ports import AdapterSpec

ADAPTER = AdapterSpec(
    name="sparkplug",
    settings=SparkplugSettings,
    tag=SparkplugTag,
    open=SparkplugLink,
    check=unfit,
)
