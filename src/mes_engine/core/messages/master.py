"""What may be made and where."""

from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.plant import Plant
from mes_engine.core.routing import Routing


class ApplyPlant(BaseCommand, frozen=True, kw_only=True, tag="apply_plant"):
    """Make ``plant`` the plant that the engine works with."""

    plant: Plant


class ReleaseRouting(BaseCommand, frozen=True, kw_only=True, tag="release_routing"):
    """Allow work by this revision of a routing."""

    routing: Routing


class WithdrawRouting(BaseCommand, frozen=True, kw_only=True, tag="withdraw_routing"):
    """Store no more work by this revision; what is stored keeps it."""

    routing: str
    revision: str


MasterCommand = ApplyPlant | ReleaseRouting | WithdrawRouting
