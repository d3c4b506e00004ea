"""A small good site on disk, and what is said about it once a line is changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest
from pydantic import BaseModel, ConfigDict, Field

from mes_engine.core.errors import SettingsError
from mes_engine.ports import AdapterSpec, Link
from mes_engine.settings import Site, load_site

PLANT = """\
site: {id: TEST, name: Test plant, zone: Europe/Berlin}
locations:
  finished: STORE
  receiving: DOCK
areas: [machining]
equipment_classes:
  milling: {name: Milling}
  turning: {name: Turning}
work_centers:
  MILLS:
    area: machining
    name: Mills
work_units:
  mill-1:
    work_center: MILLS
    name: Mill 1
    classes: [milling]
    signals:
      good:
        link: cell
        means: good_count
        rollover: 65536
        at: {address: 0, bits: 16}
      state:
        link: cell
        means: state
        at: {address: 1}
links:
  cell:
    adapter: wire
    port: 5020
shifts:
  day: {name: Day, starts: 06:00, ends: 18:00, days: [mon]}
state_maps:
  words:
    RUN: executing
"""

SITE = """\
database:
  url: sqlite:///mes.db
"""

ROUTING = """\
id: bracket
revision: 01
material: BRACKET
unit: C62
steps:
  - id: one
    name: One
    work_center: MILLS
    equipment_class: milling
  - id: two
    name: Two
    work_center: MILLS
    equipment_class: milling
connections:
  - kind: quantity
    source: one
    target: two
    transfer_batch: 5
"""


class WireSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(ge=0, le=65535)
    password: str = Field(default="", max_length=3)
    framing: Literal["tcp", "rtu"] = "tcp"


class WireTag(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    address: int = Field(ge=0)
    bits: int | None = None


def _open(link: str, settings: Any, tags: Mapping[str, Any]) -> Link:
    raise NotImplementedError("settings open nothing")


WIRE = AdapterSpec(name="wire", settings=WireSettings, tag=WireTag, open=_open)
ADAPTERS = {"wire": WIRE}


def write_site(
    directory: Path,
    *,
    plant: str = PLANT,
    site: str = SITE,
    routings: Mapping[str, str] | None = None,
) -> None:
    """Write ``config/`` and ``routings/`` under ``directory``."""
    files = {"config/plant.yaml": plant, "config/site.yaml": site}
    for name, text in (routings or {"bracket.yaml": ROUTING}).items():
        files[f"routings/{name}"] = text
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="", errors="surrogatepass")


def load(environment: Mapping[str, str] | None = None) -> Site:
    """Load the site in the current directory."""
    return load_site(
        Path("config"),
        Path("routings"),
        environment=environment or {},
        adapters=ADAPTERS,
    )


def problems(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the lines that are said about the site in the current directory."""
    with pytest.raises(SettingsError) as caught:
        load(environment)
    return str(caught.value).splitlines()


def changed(text: str, old: str, new: str) -> str:
    """Replace the one place where ``old`` stands."""
    if text.count(old) != 1:
        _ambiguous(old, text.count(old))
    return text.replace(old, new)


def _ambiguous(old: str, count: int) -> NoReturn:
    pytest.fail(f"{old!r} stands {count} times in the file")
