"""Tools, people and documents."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _asset_set(state: State, fact: f.AssetRegistered | f.AssetChanged) -> None:
    state.physical_asset.put(fact.asset)


def _tool_used(state: State, fact: f.ToolUsed) -> None:
    state.tool_use.put(fact.use)


def _person_set(state: State, fact: f.PersonRegistered | f.PersonQualified) -> None:
    state.person.put(fact.person)


def _document_set(state: State, fact: f.DocumentReleased | f.DocumentWithdrawn) -> None:
    state.document.put(fact.document)


HANDLERS: Handlers = {
    f.AssetRegistered: _asset_set,
    f.AssetChanged: _asset_set,
    f.ToolUsed: _tool_used,
    f.PersonRegistered: _person_set,
    f.PersonQualified: _person_set,
    f.DocumentReleased: _document_set,
    f.DocumentWithdrawn: _document_set,
}
