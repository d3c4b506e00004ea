"""What every adapter's folder has, its settings and its sample: no device needed."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, ClassVar

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from mes_engine.conformance.quality import Quality
from mes_engine.ports import ENTRY_POINT_GROUP, AdapterSpec

FILES = frozenset(
    {
        *("__init__.py", "settings.py", "mapping.py", "source.py"),
        *("sample.yaml", "quality.yaml", "README.md"),
    }
)


class AdapterConformance:
    """Tests of one adapter, by the name of its entry point."""

    name: ClassVar[str]

    def test_a_folder_has_what_every_adapter_has(self) -> None:
        """Who knows one adapter finds his way in the next."""
        assert {path.name for path in folder(self.name).iterdir()} >= FILES

    def test_an_entry_point_names_it(self) -> None:
        """The word in ``config/`` is the adapter's own name."""
        assert spec(self.name).name == self.name

    def test_a_sample_can_be_opened_as_it_stands(self) -> None:
        """Opening does no I/O, so it needs no device."""
        links, tags = sample(self.name)
        for link_id, link in links.items():
            there = {tag: at for tag, (owner, at) in tags.items() if owner == link_id}
            assert there, link_id
            spec(self.name).open(link_id, link, there)

    def test_a_sample_fits_together(self) -> None:
        """What is written for people to copy has no problem of its own."""
        links, tags = sample(self.name)
        check = spec(self.name).check
        if check is None:
            pytest.skip("the adapter has nothing to check")
        for link_id, link in links.items():
            there = {tag: at for tag, (owner, at) in tags.items() if owner == link_id}
            assert list(check(link, there)) == []

    def test_an_unknown_key_is_refused(self) -> None:
        """A key that is spelled wrong must not be passed over."""
        for model in (spec(self.name).settings, spec(self.name).tag):
            with pytest.raises(ValidationError) as refused:
                model.model_validate({"adress": 1})
            kinds = {error["type"]: error["loc"] for error in refused.value.errors()}
            assert kinds.get("extra_forbidden") == ("adress",)

    def test_a_readme_tells_every_setting(self) -> None:
        """A setting that nobody knows of is never used."""
        text = (folder(self.name) / "README.md").read_text("utf-8")
        models: tuple[type[BaseModel], ...] = (
            spec(self.name).settings,
            spec(self.name).tag,
        )
        for model in models:
            for key in model.model_fields:
                assert f"`{key}`" in text, key

    def test_its_quality_is_what_it_says(self) -> None:
        """Each rule of its level, and of those below, is kept or has an excuse."""
        assert list(quality(self.name).lacking()) == []


@cache
def spec(name: str) -> AdapterSpec:
    """Return an adapter that is installed."""
    (point,) = entry_points(group=ENTRY_POINT_GROUP, name=name)
    loaded = point.load()
    assert isinstance(loaded, AdapterSpec)
    return loaded


def folder(name: str) -> Traversable:
    """Return where an adapter's files are."""
    (point,) = entry_points(group=ENTRY_POINT_GROUP, name=name)
    return files(point.module)


def quality(name: str) -> Quality:
    """Return what an adapter says of its own quality."""
    text = (folder(name) / "quality.yaml").read_text("utf-8")
    return Quality.model_validate(yaml.safe_load(text))


def sample(name: str) -> tuple[Mapping[str, Any], Mapping[str, tuple[str, Any]]]:
    """Return an adapter's sample: links by id; by tag, whose it is and its ``at``."""
    given = yaml.safe_load((folder(name) / "sample.yaml").read_text("utf-8"))
    links = {}
    for link_id, link in given["links"].items():
        assert link.pop("adapter") == name
        links[link_id] = spec(name).settings.model_validate(link)
    return links, dict(_tags(name, given))


def _tags(name: str, given: Any) -> Iterator[tuple[str, tuple[str, Any]]]:
    for unit, entry in given["work_units"].items():
        for signal, one in entry["signals"].items():
            at = spec(name).tag.model_validate(one["at"])
            yield f"{unit}.{signal}", (one["link"], at)
