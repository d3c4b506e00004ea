"""The socket of the web: one engine has the port, and the next one is told so."""

import pytest

from mes_engine.bootstrap.serving import listening
from mes_engine.core.errors import SettingsError


def test_a_port_is_taken_from_the_moment_it_is_bound() -> None:
    """Two engines that start at the same moment do not both get it."""
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1:{port}: "),
            listening("127.0.0.1", port),
        ):
            pass


def test_a_port_can_be_taken_again_at_once() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
    with listening("127.0.0.1", port) as second:
        assert second.getsockname()[1] == port


def test_the_web_listens_on_this_computer_only() -> None:
    with pytest.raises(SettingsError, match="no sign-in"), listening("0.0.0.0", 0):
        pass
