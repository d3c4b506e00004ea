"""Tools, people and documents of one test, over HTTP, under names of their own."""

from typing import Any

import httpx

from tests.scenarios.shop import Job, Shop, a_step


class Means:
    """A routing of one step that names one of each, and what it names.

    Attributes:
        tool: Of a class that nothing else has.
        person: Who is qualified: Maria, who presses every button, unless ``of_other``.
    """

    def __init__(self, shop: Shop, *, of_other: bool = False, **tool: Any) -> None:
        self.shop, self.site = shop, shop.site
        self.asset_class, self.tool = shop.name("END-MILL"), shop.name("T")
        self.qualification, self.document = shop.name("milling"), shop.name("WI")
        self.person = shop.name("Jo") if of_other else "Maria"
        self.register_tool(self.tool, **tool)
        self.site.done("/people", person=self.person, name=self.person)
        self.grant()
        self.release_document("A")
        step = a_step("cut") | {
            "tools": [self.asset_class],
            "qualification": {"name": self.qualification, "level": 2},
            "documents": [self.document],
        }
        self.routing = shop.routing(step)

    def make(self, quantity: int = 10, **more: Any) -> Job:
        """Plan a work request by the routing and release it."""
        return self.shop.make(self.routing, quantity=quantity, **more)

    def register_tool(self, tool: str, **more: Any) -> None:
        """Register a tool of the class."""
        fields = {"asset_class": self.asset_class, "name": "End mill", "crib": "C-1"}
        self.site.done("/tools", tool=tool, **fields, **more)

    def grant(self, level: int = 2) -> None:
        """Qualify the person."""
        path = f"/people/{self.person}/qualifications"
        self.site.done(path, name=self.qualification, level=level)

    def revoke(self) -> httpx.Response:
        """Take the qualification back."""
        path = f"/people/{self.person}/qualifications/{self.qualification}/revoke"
        return self.site.post(path, {"reason": "audit"})

    def wear(self) -> httpx.Response:
        """Say that the tool is worn."""
        body = {"state": "worn", "reason": "chipped"}
        return self.site.post(f"/tools/{self.tool}/withdraw", body)

    def release_document(self, revision: str) -> httpx.Response:
        """Release a revision of the document."""
        body = {"revision": revision, "title": "Milling"}
        return self.site.post(f"/documents/{self.document}/release", body)

    def withdraw_document(self) -> httpx.Response:
        """Withdraw the document."""
        body = {"reason": "wrong radius"}
        return self.site.post(f"/documents/{self.document}/withdraw", body)

    @property
    def shown_tool(self) -> dict[str, Any]:
        """What is shown of the tool."""
        tools = self.site.items("/tools", asset_class=self.asset_class)
        return next(one for one in tools if one["id"] == self.tool)
