"""A real browser for a test: Debian's Chromium, headless, that asks nobody but us."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Request, async_playwright, expect

PATIENCE_MS = 20_000
"""For a page on a machine that has other things to do."""

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def require_browser() -> None:
    """Skip where there is no Chromium; fail where there has to be one."""
    if CHROMIUM.exists():
        return
    if os.environ.get("MES_CI") == "1":
        pytest.fail(f"{CHROMIUM} is not installed: apt-get install chromium")
    pytest.skip(f"{CHROMIUM} is not installed")


expect.set_options(timeout=PATIENCE_MS)


class Visit:
    """One page that is open, and what it asked for.

    Attributes:
        requested: The addresses that it asked for.
        errors: What it threw or complained of.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requested: list[str] = []
        self.errors: list[str] = []
        page.context.on("request", self._on_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _on_request(self, request: Request) -> None:
        self.requested.append(request.url)

    def hosts(self) -> set[str]:
        """Return the hosts that were asked."""
        return {urlsplit(url).netloc for url in self.requested}


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Run a browser; one for many visits, as its start takes seconds."""
    require_browser()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser, address: str, **options: Any
) -> AsyncIterator[Visit]:
    """Open ``address`` as a visitor of its own: no cookie or storage is shared."""
    context = await browser.new_context(**{"locale": "en-GB"} | options)
    try:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        visit = Visit(page)
        await page.goto(address, wait_until="domcontentloaded")
        yield visit
    finally:
        await context.close()
