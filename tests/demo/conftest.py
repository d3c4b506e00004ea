"""What every test here needs: child processes that start fast."""

from tests.commands import compiled_once

__all__ = ["compiled_once"]
