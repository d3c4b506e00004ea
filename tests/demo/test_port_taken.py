"""A demo whose port is taken says so, and leaves no process behind."""

import json
import os
import socket
from pathlib import Path

import pytest

from tests.commands import SITE, mes


@pytest.mark.timeout(120)
def test_the_reason_is_told_and_the_plant_has_ended(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = mes(
            *("demo", "--port", str(port), *SITE), folder=tmp_path, timeout_s=100
        )

    assert said.code == 4
    told = " ".join(said.out.split())
    assert f"The web cannot listen on 127.0.0.1:{port}: " in told
    assert "Traceback" not in said.out + said.err
    plant = json.loads((tmp_path / ".demo/plant-ports.json").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(plant["pid"], 0)
