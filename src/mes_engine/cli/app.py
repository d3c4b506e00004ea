"""The command line: what can be said, and what each exit code means.

Exit codes: 0 ok, 1 refused or not reconciled, 2 usage, 3 settings, 4 unreachable.
"""

from enum import StrEnum
from typing import Annotated

import typer

from mes_engine.cli import (
    adapters,
    aside,
    backup,
    browsed,
    data,
    demo,
    gateway,
    genealogy,
    policy,
    probing,
    signals,
    simulate,
    site,
    verifying,
)
from mes_engine.cli.output import AsJson, failing_well, show

app = typer.Typer(
    name="mes",
    help="The MES engine: from a signal on a machine to the ERP's ledger.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help comes up in half the time
    add_completion=False,
)
database = typer.Typer(help="The database's schema.", no_args_is_help=True)
routing = typer.Typer(help="Routings, as their files say.", no_args_is_help=True)
app.add_typer(database, name="db")
policies = typer.Typer(help="Dispatch rules, compared.", no_args_is_help=True)
app.add_typer(routing, name="routing")
app.add_typer(policies, name="policy")
devices = typer.Typer(
    help="Adapters, and what they ask devices for.", no_args_is_help=True
)
app.add_typer(devices, name="adapters")
refused = typer.Typer(
    help="Reports of a gateway that the engine refused.", no_args_is_help=True
)
app.add_typer(refused, name="set-aside")
anchors = typer.Typer(
    help="The journal's head, as it is kept outside the database.",
    no_args_is_help=True,
)
app.add_typer(anchors, name="anchor")

app.command("demo")(demo.demo)
app.command("run")(site.run)
app.command("gateway")(gateway.gateway)
app.command("check")(site.check)
routing.command("show")(site.show_routing)
database.command("upgrade")(data.upgrade_database)
database.command("status")(data.database_status)
app.command("verify")(verifying.verify_database)
anchors.command("restored")(verifying.anchor_restored)
app.command("backup")(backup.back_up)
app.command("restore")(backup.restore)
app.command("genealogy")(genealogy.show_genealogy)
app.command("replay")(data.replay_log)
app.command("replay-signals")(signals.replay_signals)
app.command("simulate")(simulate.simulate)
refused.command("list")(aside.list_reports)
refused.command("put-back")(aside.put_back)
refused.command("drop")(aside.drop)
devices.command("plan")(adapters.plan_adapters)
devices.command("probe")(probing.probe_adapters)
devices.command("browse")(browsed.browse_adapter)
policies.command("compare")(policy.compare_policies)


@app.command("version")
def version(*, as_json: AsJson = False) -> None:
    """Say which version this is."""
    from importlib.metadata import version as installed

    found = installed("mes-engine")
    show({"version": found}, as_json=as_json, told=f"mes-engine {found}")


class LogLevel(StrEnum):
    """How much is said on standard error."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@app.callback()
def every(
    *,
    log_level: Annotated[
        LogLevel,
        typer.Option(case_sensitive=False, help="How much to say on standard error."),
    ] = LogLevel.WARNING,
) -> None:
    """Run before every subcommand."""
    from mes_engine.log import configure_logging

    configure_logging(level=log_level.value)


def main() -> None:
    """Run the command line."""
    with failing_well():
        app()
