"""The ``mes`` command. What a subcommand needs is imported when it runs."""

from mes_engine.cli.app import main

__all__ = ["main"]
