"""Every adapter folder has the same files, and its sample is one that works."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

import mes_adapters
from mes_engine.ports import ENTRY_POINT_GROUP, AdapterSpec

FOLDER = Path(mes_adapters.__file__).parent
ADAPTERS = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


@pytest.fixture(params=("modbus", "opcua", "sparkplug"))
def spec(request: pytest.FixtureRequest) -> AdapterSpec:
    loaded = ADAPTERS[request.param].load()
    assert isinstance(loaded, AdapterSpec)
    assert loaded.name == request.param
    return loaded


def test_a_folder_has_what_every_adapter_has(spec: AdapterSpec) -> None:
    there = {path.name for path in (FOLDER / spec.name).iterdir()}
    assert there >= {
        *("__init__.py", "settings.py", "mapping.py", "source.py"),
        *("sample.yaml", "README.md"),
    }


def test_a_sample_can_be_opened_as_it_stands(spec: AdapterSpec) -> None:
    sample = yaml.safe_load((FOLDER / spec.name / "sample.yaml").read_text())
    ((link_id, link),) = sample["links"].items()
    assert link.pop("adapter") == spec.name
    tags = {
        f"{unit}.{name}": spec.tag.model_validate(signal["at"])
        for unit, entry in sample["work_units"].items()
        for name, signal in entry["signals"].items()
        if signal["link"] == link_id
    }
    assert len(tags) >= 3
    spec.open(link_id, spec.settings.model_validate(link), tags)


def test_a_readme_tells_every_setting(spec: AdapterSpec) -> None:
    text = (FOLDER / spec.name / "README.md").read_text()
    for name in (*spec.settings.model_fields, *spec.tag.model_fields):
        assert f"`{name}`" in text, name
