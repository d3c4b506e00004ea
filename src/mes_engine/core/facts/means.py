"""Tools, people and documents."""

from mes_engine.core.assets import PhysicalAsset, ToolUse
from mes_engine.core.documents import Document
from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.personnel import Person


class AssetRegistered(BaseFact, frozen=True, kw_only=True, tag="asset_registered"):
    """There is this tool, mould, fixture or gauge."""

    asset: PhysicalAsset


class AssetChanged(BaseFact, frozen=True, kw_only=True, tag="asset_changed"):
    """An asset is elsewhere, claimed or given free, worn, or in another state."""

    asset: PhysicalAsset


class ToolUsed(BaseFact, frozen=True, kw_only=True, tag="tool_used"):
    """A run has a tool from now on, or has it no more."""

    use: ToolUse


class PersonRegistered(BaseFact, frozen=True, kw_only=True, tag="person_registered"):
    """This person works here."""

    person: Person


class PersonQualified(BaseFact, frozen=True, kw_only=True, tag="person_qualified"):
    """A person's qualifications are these now."""

    person: Person
    reason: str = ""


class DocumentReleased(BaseFact, frozen=True, kw_only=True, tag="document_released"):
    """Work may be done by this revision of a document."""

    document: Document


class DocumentWithdrawn(BaseFact, frozen=True, kw_only=True, tag="document_withdrawn"):
    """No work may be done by a document any more."""

    document: Document


MeansFact = (
    AssetRegistered
    | AssetChanged
    | ToolUsed
    | PersonRegistered
    | PersonQualified
    | DocumentReleased
    | DocumentWithdrawn
)
