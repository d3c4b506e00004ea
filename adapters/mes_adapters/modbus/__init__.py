"""Samples from Modbus TCP devices, by polling. It reads, and never writes."""

from mes_adapters.modbus.settings import ModbusSettings, ModbusTag
from mes_adapters.modbus.source import ModbusLink
from mes_engine.ports import AdapterSpec

ADAPTER = AdapterSpec(
    name="modbus", settings=ModbusSettings, tag=ModbusTag, open=ModbusLink
)
