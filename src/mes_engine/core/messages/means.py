"""Tools, people and documents: what work needs besides material and machine."""

from decimal import Decimal

from mes_engine.core.assets import AssetState, LifeUnit
from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.personnel import Qualification
from mes_engine.core.quantity import ZERO


class RegisterAsset(BaseCommand, frozen=True, kw_only=True, tag="register_asset"):
    """Say that there is this tool, and where it is kept; again, to correct it."""

    asset: str
    asset_class: str
    name: str
    crib: str
    life_unit: LifeUnit = LifeUnit.NONE
    life: Decimal = ZERO


class MountTool(BaseCommand, frozen=True, kw_only=True, tag="mount_tool"):
    """Bring a tool to a work unit; what is loaded there and lacks one claims it."""

    asset: str
    work_unit: str


class UnmountTool(BaseCommand, frozen=True, kw_only=True, tag="unmount_tool"):
    """Bring a tool back to its crib."""

    asset: str


class WithdrawTool(BaseCommand, frozen=True, kw_only=True, tag="withdraw_tool"):
    """Let no more work be done with a tool: worn, to be calibrated, or for good."""

    asset: str
    state: AssetState
    reason: str


class ReturnTool(BaseCommand, frozen=True, kw_only=True, tag="return_tool"):
    """Let a tool be worked with again; ``renews_life`` after it was reground."""

    asset: str
    renews_life: bool = False
    reason: str = ""


class RegisterPerson(BaseCommand, frozen=True, kw_only=True, tag="register_person"):
    """Say who works here; again, to correct the name or the roles."""

    person: str
    name: str
    roles: tuple[str, ...] = ()


class GrantQualification(
    BaseCommand, frozen=True, kw_only=True, tag="grant_qualification"
):
    """Qualify a person; another level or time takes the place of the known one."""

    person: str
    qualification: Qualification


class RevokeQualification(
    BaseCommand, frozen=True, kw_only=True, tag="revoke_qualification"
):
    """Take a qualification back."""

    person: str
    qualification: str
    reason: str


class ExpireQualifications(
    BaseCommand, frozen=True, kw_only=True, tag="expire_qualifications"
):
    """Let those qualifications expire whose time has come; sent by the clock."""


class ReleaseDocument(BaseCommand, frozen=True, kw_only=True, tag="release_document"):
    """Let work be done by this revision of a document."""

    document: str
    revision: str
    title: str


class WithdrawDocument(BaseCommand, frozen=True, kw_only=True, tag="withdraw_document"):
    """Let no more work be done by a document: what is loaded comes off its machine."""

    document: str
    reason: str


MeansCommand = (
    RegisterAsset
    | MountTool
    | UnmountTool
    | WithdrawTool
    | ReturnTool
    | RegisterPerson
    | GrantQualification
    | RevokeQualification
    | ExpireQualifications
    | ReleaseDocument
    | WithdrawDocument
)
