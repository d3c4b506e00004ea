"""What is written is written once, in the node's own type, and read back."""

import pytest

from mes_adapters.opcua import ADAPTER
from mes_adapters.opcua.source import OpcUaLink
from mes_engine.conformance.hearing import listening
from mes_engine.core.errors import Malformed, Refused, SourceLost
from tests.adapters.opcua.ground import MACHINE, Peers
from tests.adapters.opcua.peer import URI, require_peer


def link_to(port: int) -> OpcUaLink:
    def at(name: str, *, writable: bool) -> object:
        return ADAPTER.tag(ns=URI, id=f"s={MACHINE}.{name}", writable=writable)

    settings = ADAPTER.settings.model_validate(
        {"url": f"opc.tcp://127.0.0.1:{port}/line", "publish_ms": 50}
    )
    tags = {
        "state": at("StateCurrent", writable=True),
        "good": at("GoodCount", writable=False),
    }
    link = ADAPTER.open("line", settings, tags)
    assert isinstance(link, OpcUaLink)
    return link


async def test_a_write_is_verified_or_refused_by_name() -> None:
    require_peer()
    with Peers() as peers:
        peer = peers.start(machines=[{"name": MACHINE}])
        link = link_to(peer.port)
        with pytest.raises(SourceLost):
            await link.write("state", 6)
        async with listening(link) as heard:
            await heard.until(lambda h: h.last("state") == 4)
            done = await link.write("state", 6, expect=4)
            assert (done.value, done.is_verified) == (6, True)
            await heard.until(lambda h: h.last("state") == 6)
            with pytest.raises(Refused, match="holds 6, and not 4"):
                await link.write("state", 7, expect=4)
            for wrong in (-1, 2**32, "x", True):
                with pytest.raises(Malformed):
                    await link.write("state", wrong)
            with pytest.raises(Refused, match="not a tag to be written"):
                await link.write("good", 1)
        assert (await peer.do("truth", machine=MACHINE))["values"]["StateCurrent"] == 6
