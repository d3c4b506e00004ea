"""Samples from Modbus devices, by polling; over TCP, serial lines, and both. Writes."""

from mes_adapters.modbus.plan import apart, told, unfit
from mes_adapters.modbus.probing import probe
from mes_adapters.modbus.pulses import unseen
from mes_adapters.modbus.settings import ModbusSettings
from mes_adapters.modbus.source import ModbusLink
from mes_adapters.modbus.tags import ModbusTag
from mes_engine.ports import AdapterSpec

ADAPTER = AdapterSpec(
    name="modbus",
    settings=ModbusSettings,
    tag=ModbusTag,
    open=ModbusLink,
    check=unfit,
    plan=told,
    check_groups=apart,
    check_pulses=unseen,
    probe=probe,
)
