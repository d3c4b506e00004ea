"""Tools over HTTP: where they are, what is left of their lives, who has them."""

from fastapi import APIRouter, Response

from mes_engine.core import messages as m
from mes_engine.core.assets import AssetState, LifeUnit, PhysicalAsset
from mes_engine.core.quantity import ZERO
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import Amount, Decimals, Id, Reason, Text, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, of_cursor
from mes_engine.web.command_bodies import Occurred, Word, carried_out, posts
from mes_engine.web.history import is_one, page, table_of
from mes_engine.web.parts import Parts


class ToolView(View):
    """A tool, mould, fixture or gauge; in its crib while ``work_unit`` is null."""

    id: str
    asset_class: str
    name: str
    crib: str
    life_unit: LifeUnit
    life: Decimals
    used: Decimals
    state: AssetState
    work_unit: str | None
    run: str | None
    reason: str


class RegisterToolBody(Occurred):
    """Which tool it is, where it is kept, and how long it lasts."""

    tool: Id
    asset_class: Id
    name: Reason
    crib: Id
    life_unit: Word[LifeUnit] = LifeUnit.NONE
    life: Amount = ZERO


class MountBody(Occurred):
    """Where it is mounted."""

    work_unit: Id


class WithdrawToolBody(Occurred):
    """In which state it is now, and why."""

    state: Word[AssetState]
    reason: Reason


class ReturnToolBody(Occurred):
    """Whether its life begins again, as after it was reground."""

    renews_life: bool = False
    reason: Text = ""


def tools_router(parts: Parts) -> APIRouter:
    """Return the routes of tools."""
    router = api_router(prefix="/tools", tags=["tools"])
    post = posts(router)

    @router.get("")
    async def list_tools(
        asset_class: Id | None = None,
        state: AssetState | None = None,
        work_unit: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[ToolView]:
        """List the tools, by id."""
        columns = table_of("physical_asset").c
        return await page(
            parts.database,
            "physical_asset",
            columns.id > ("" if cursor is None else of_cursor(cursor)),
            *is_one(columns.asset_class, asset_class),
            *is_one(columns.state, state),
            *is_one(columns.work_unit, work_unit),
            partition=parts.state.partition,
            by=columns.id,
            key=_id,
            shown=ToolView.model_validate,
            limit=limit,
        )

    @post("")
    async def register_tool(body: RegisterToolBody, sender: CommandSender) -> Response:
        """Say that there is this tool; again, to correct it."""
        command = m.RegisterAsset(
            asset=body.tool,
            asset_class=body.asset_class,
            name=body.name,
            crib=body.crib,
            life_unit=body.life_unit,
            life=body.life,
        )
        return await carried_out(parts, sender, command, body)

    @post("/{tool}/mount")
    async def mount_tool(tool: Id, body: MountBody, sender: CommandSender) -> Response:
        """Bring it to a work unit; what is loaded there and lacks one claims it."""
        command = m.MountTool(asset=tool, work_unit=body.work_unit)
        return await carried_out(parts, sender, command, body)

    @post("/{tool}/unmount")
    async def unmount_tool(
        tool: Id, sender: CommandSender, body: Occurred | None = None
    ) -> Response:
        """Bring it back to its crib."""
        return await carried_out(parts, sender, m.UnmountTool(asset=tool), body)

    @post("/{tool}/withdraw")
    async def withdraw_tool(
        tool: Id, body: WithdrawToolBody, sender: CommandSender
    ) -> Response:
        """Let no more work be begun with it: worn, in calibration, or for good."""
        command = m.WithdrawTool(asset=tool, state=body.state, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    @post("/{tool}/return")
    async def return_tool(
        tool: Id, sender: CommandSender, body: ReturnToolBody | None = None
    ) -> Response:
        """Let it be worked with again."""
        command = m.ReturnTool(
            asset=tool,
            renews_life=body is not None and body.renews_life,
            reason="" if body is None else body.reason,
        )
        return await carried_out(parts, sender, command, body)

    return router


def _id(asset: PhysicalAsset) -> str:
    return asset.id
