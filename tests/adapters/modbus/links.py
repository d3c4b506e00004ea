"""Links as the tests of this folder open them: quick, with tags in short."""

from typing import Any

from mes_adapters.modbus import ADAPTER
from mes_engine.ports import Link

QUICK = {"poll_s": 0.03, "timeout_s": 0.3, "quiet_s": 0.3, "busy_wait_s": 0.01}


def open_link(url: str, tags: dict[str, dict[str, Any]], **settings: Any) -> Link:
    """Return a quick link; tags are holding u16 unless they say."""
    return ADAPTER.open(
        "press",
        ADAPTER.settings.model_validate({"url": url, **QUICK, **settings}),
        {
            tag: ADAPTER.tag.model_validate({"table": "holding", "type": "u16", **at})
            for tag, at in tags.items()
        },
    )
