"""The adapters that are installed, found by entry point and imported when asked for."""

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from mes_engine.core.errors import SettingsError
from mes_engine.ports import ENTRY_POINT_GROUP, AdapterSpec


class _Installed(Mapping[str, AdapterSpec]):
    """Importing one adapter costs up to a second, so only those in use are."""

    def __init__(self, points: Mapping[str, EntryPoint]) -> None:
        self._points = points

    def __getitem__(self, name: str) -> AdapterSpec:
        point = self._points[name]
        try:
            spec = point.load()
        except (ImportError, AttributeError) as error:
            text = f"the adapter '{name}' cannot be imported: {error}"
            raise SettingsError(text) from error
        if not isinstance(spec, AdapterSpec) or spec.name != name:
            raise SettingsError(f"{point.value} is no adapter '{name}'")
        return spec

    def __contains__(self, name: object) -> bool:
        return name in self._points

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)


def installed_adapters() -> Mapping[str, AdapterSpec]:
    """Return every installed adapter by name; reading one imports it.

    Reading one that is broken raises ``SettingsError``.
    """
    points = entry_points(group=ENTRY_POINT_GROUP)
    return _Installed({point.name: point for point in points})
