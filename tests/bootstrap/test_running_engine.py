"""The engine on its database, as every command runs it."""

from pathlib import Path

import pytest

from mes_engine.bootstrap import running_engine
from mes_engine.core.errors import SettingsError


async def test_an_error_beside_the_engine_is_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the plant does not fit"):
        async with running_engine(f"sqlite:///{tmp_path / 'mes.db'}"):
            raise SettingsError("the plant does not fit")
