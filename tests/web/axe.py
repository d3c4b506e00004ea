"""axe-core, as a wheel brings it: what keeps some people out of a page."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

PACKAGE = "axe_playwright_python"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def axe_source() -> str:
    """Return axe's script; skip where it is not installed, fail where it has to be."""
    found = find_spec(PACKAGE)
    if found is not None and found.origin is not None:
        return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")
    told = f"{PACKAGE} is not installed: it comes with the requirements for tests"
    if os.environ.get("MES_CI") == "1":
        pytest.fail(told)
    pytest.skip(told)


async def violations(page: Page, source: str) -> list[str]:
    """Return what axe finds on the page as it is now, each with where it is."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(source)
    options = {"runOnly": list(RULES), "resultTypes": ["violations"]}
    result: dict[str, Any] = await page.evaluate(
        "(options) => axe.run(document, options)", options
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in result["violations"]
        for node in one["nodes"]
    ]
