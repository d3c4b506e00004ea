"""The packer's checkweigher over Modbus, as the plant's file has it."""

from functools import partial
from pathlib import Path

from mes_engine.conformance.hearing import Heard, listening
from mes_engine.core.samples import SampleGroup
from mes_engine.runtime.devices import LinkDevices, open_link
from mes_engine.settings import installed_adapters, load_links
from tests.adapters.plant import running_plant

ROOT = Path(__file__).parents[3]


def last(heard: Heard) -> dict[str, object]:
    """Return what the newest group says, by the name of its signal."""
    groups = [one for one in heard.all if isinstance(one, SampleGroup)]
    if not groups:
        return {}
    return {one.tag.partition(".")[2]: one.value for one in groups[-1].samples}


def _asks(key: int, heard: Heard) -> bool:
    return last(heard).get("txn") == key


async def test_a_weight_is_handed_over_and_the_next_one_after_it(
    tmp_path: Path,
) -> None:
    with running_plant(tmp_path, "--speed", "20") as plant:
        adapters = installed_adapters()
        file = load_links(
            ROOT / "config",
            environment={"MES_MODBUS_PORT": str(plant.modbus)},
            adapters=adapters,
        )
        plan = file.links["line"]
        spec = adapters[plan.adapter]
        link = open_link(spec, "line", plan.settings, plan.tags, plan.groups)
        devices = LinkDevices({"line": link})
        async with listening(link) as heard:
            await heard.until(lambda h: last(h).get("request") == 0)
            await plant.press("pack-1", "start", quantity=1000)
            for key in (1, 2):
                await heard.until(partial(_asks, key))
                told = last(heard)
                assert told["request"] == 1
                assert 245 <= int(str(told["grams"])) <= 255
                for tag, value in (("result", 1), ("ack", 1)):
                    result = await devices.write("line", f"pack-1.{tag}", value)
                    assert result.is_verified
                await heard.until(lambda h: last(h).get("request") == 0)
                await devices.write("line", "pack-1.ack", 0)
