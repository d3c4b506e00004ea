"""Looking around in a server of another maker, for the list of tags."""

import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.core.errors import NotFound
from tests.adapters.opcua.peer import URI, require_peer, running_peer


async def test_nodes_are_shown_as_a_tag_names_them() -> None:
    require_peer()
    with running_peer(machines=[{"name": "Mill1"}]) as peer:
        url = f"opc.tcp://127.0.0.1:{peer.port}/line"
        settings = ADAPTER.settings.model_validate({"url": url})
        assert ADAPTER.browse is not None

        found = await ADAPTER.browse(settings, "", 2)

        (machine,) = [one for one in found if (one.level, one.name) == (0, "Mill1")]
        assert machine.what == "object"
        (count,) = [one for one in found if one.name == "GoodCount"]
        assert (count.level, count.what, count.data_type) == (1, "variable", "UInt32")
        assert count.at == {"ns": URI, "id": "s=Mill1.GoodCount"}
        assert count.value == "0"
        ADAPTER.tag.model_validate(count.at)
        (reset,) = [one for one in found if one.name == "Reset"]
        assert reset.what == "method"

        path = f"/Objects/{{{URI}}}Mill1"
        below = await ADAPTER.browse(settings, path, 1)
        assert {"GoodCount", "ScrapCount", "Reset"} <= {one.name for one in below}
        with pytest.raises(NotFound, match="has no"):
            await ADAPTER.browse(settings, f"{path}/Nothing", 1)
