import sys
from pathlib import Path

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.settings import installed_adapters, load_site
from tests.settings.builders import PLANT, changed, write_site


@pytest.fixture
def _broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution whose adapters are none."""
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[mes_engine.adapters]\nwire = no_such_module:ADAPTER\nother = json:loads\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_what_is_installed_is_found_by_name() -> None:
    adapters = installed_adapters()

    assert {"opcua", "modbus"} <= set(adapters)
    assert len(adapters) == len(list(adapters))
    assert adapters["modbus"].name == "modbus"
    assert "profinet" not in adapters


@pytest.mark.usefixtures("_broken")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "wire",
            "the adapter 'wire' cannot be imported: No module named 'no_such_module'",
        ),
        ("other", "json:loads is no adapter 'other'"),
    ],
)
def test_a_broken_adapter_is_a_problem_of_the_link_that_asks_for_it(
    name: str, text: str, tmp_path: Path
) -> None:
    write_site(tmp_path, plant=changed(PLANT, "adapter: wire", f"adapter: {name}"))

    with pytest.raises(SettingsError) as caught:
        load_site(Path("config"), None, environment={}, adapters=installed_adapters())

    assert str(caught.value) == f"config/plant.yaml:30:14: links.cell.adapter: {text}"


@pytest.mark.usefixtures("_broken")
def test_an_adapter_that_nobody_asks_for_is_not_imported() -> None:
    assert "wire" in installed_adapters()
    assert "no_such_module" not in sys.modules
