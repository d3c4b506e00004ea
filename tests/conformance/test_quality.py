"""What an adapter says of its quality is held against what is tested of it."""

from importlib.metadata import entry_points

import pytest

from mes_engine.conformance import LinkConformance
from mes_engine.conformance.adapters import quality
from mes_engine.conformance.quality import RULES, Exempt, Level, Quality
from mes_engine.ports import ENTRY_POINT_GROUP
from tests.adapters.modbus import test_conformance as modbus
from tests.adapters.opcua import test_conformance as opcua
from tests.adapters.sparkplug import test_conformance as sparkplug

TESTED: dict[str, tuple[type[LinkConformance], ...]] = {
    "modbus": (modbus.TestAtLibmodbus, modbus.TestAtModbusSerial),
    "opcua": (opcua.TestAtNodeOpcua,),
    "sparkplug": (sparkplug.TestAtTahu,),
}
ALL = dict.fromkeys(RULES, True)


def test_every_adapter_is_held_to_the_rules() -> None:
    assert {one.name for one in entry_points(group=ENTRY_POINT_GROUP)} == {*TESTED}


@pytest.mark.parametrize("name", TESTED)
def test_it_is_certified_at_the_devices_that_it_names(name: str) -> None:
    at = [one.bench for one in TESTED[name] if not one.bench.is_ours]
    assert {bench.maker for bench in at} == {*quality(name).certified}


@pytest.mark.parametrize("name", TESTED)
def test_a_rule_that_it_keeps_is_tested_and_not_left_out(name: str) -> None:
    for tests in TESTED[name]:
        own = [one for one in vars(tests) if one.startswith("test_")]
        assert own == [], "a rule is not to be changed for one adapter"
        if quality(name).keeps("writes_and_reads_back"):
            assert tests.bench.writable is not None


def test_every_rule_of_links_has_its_test() -> None:
    tests = [one for one in vars(LinkConformance) if one.startswith("test_")]
    elsewhere = {"documented", "has_a_device_to_test_with", "certified"}
    for rule in RULES.keys() - elsewhere:
        assert [one for one in tests if one.startswith(f"test_{rule}")], rule


def test_a_claim_needs_its_rules_or_reasons() -> None:
    silver = {name: True for name, level in RULES.items() if level in _up_to("silver")}
    assert list(Quality(level=Level.SILVER, rules=silver).lacking()) == []
    assert len(list(Quality(level=Level.GOLD, rules=silver).lacking())) == 4
    excused = {**silver, "tells_gaps": Exempt(exempt="the device keeps nothing")}
    assert len(list(Quality(level=Level.GOLD, rules=excused).lacking())) == 3
    unnamed = Quality(level=Level.PLATINUM, rules=dict(ALL))
    assert list(unnamed.lacking()) == ["certified: name the devices"]
    strange = Quality(level=Level.BRONZE, rules={**silver, "shines": True})
    assert list(strange.lacking()) == ["shines: there is no such rule"]


def _up_to(name: str) -> list[Level]:
    return list(Level)[: list(Level).index(Level(name)) + 1]
