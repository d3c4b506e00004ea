"""The work of one test on a shared site: nothing of it is another test's."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.scenarios.site import UNBOOKED, Site, until

DUE = "2030-01-01T00:00:00Z"
SUPPLIER = "STEELCO"
OVER = {"ended.completed", "ended.closed", "aborted", "cancelled"}


class Job:
    """A job order, as a terminal sees it."""

    def __init__(self, shop: "Shop", id_: str) -> None:
        self.shop = shop
        self.id = id_

    def press(self, trigger: str, **body: Any) -> httpx.Response:
        """Send a command to it."""
        return self.shop.site.post(f"/job-orders/{self.id}/{trigger}", body or None)

    def done(self, trigger: str, **body: Any) -> "Job":
        """Send a command to it that has to be accepted."""
        answer = self.press(trigger, **body)
        assert answer.is_success, answer.text
        return self

    @property
    def shown(self) -> dict[str, Any]:
        """Everything that is shown of it."""
        detail: dict[str, Any] = self.shop.site.get(f"/job-orders/{self.id}")
        return detail

    @property
    def state(self) -> str:
        return str(self.shown["state"])

    @property
    def request(self) -> str:
        return str(self.shown["work_request"])

    @property
    def allowed(self) -> list[str]:
        """The triggers that would be accepted now."""
        shown = self.shown["triggers"]
        return [one["trigger"] for one in shown if one["is_allowed"]]

    @property
    def unmet(self) -> list[str]:
        """The conditions of readiness that do not hold."""
        return [one["name"] for one in self.shown["conditions"] if not one["is_met"]]

    def hold(self, mode: str = "stop_now", scope: str = "job_order") -> httpx.Response:
        """Open a hold on it, or on its whole request."""
        target = self.id if scope == "job_order" else self.request
        hold = {"scope": scope, "target": target, "reason": "drawing", "mode": mode}
        return self.shop.site.post("/holds", hold)

    def release_hold(self, *, resumes: bool = False) -> httpx.Response:
        """Release the one hold that is open on it."""
        [hold] = self.shop.site.items("/holds", target=self.id, is_open=True)
        path = f"/holds/{hold['id']}/release"
        return self.shop.site.post(path, {"resumes": resumes})

    @property
    def follow_on(self) -> "Job":
        """The job order that does the rest of this one."""
        jobs = self.shop.jobs(self.request)
        return next(job for job in jobs if job.shown["follows"] == self.id)


class Shop:
    """Work requests, routings and materials under names of their own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._requests: list[str] = []

    def name(self, kind: str) -> str:
        """Return a name that nothing else has."""
        return f"{kind}-{next(self.site.numbers):05}"

    def plan(
        self, routing: str, *, quantity: int = 10, is_booked: bool = True, **more: Any
    ) -> Job:
        """Plan a work request; return its first job order."""
        request = self.name("WR" if is_booked else UNBOOKED)
        answer = self.site.done(
            "/work-requests",
            work_request=request,
            routing=routing,
            quantity=quantity,
            due_at=DUE,
            **more,
        )
        self._requests.append(request)
        return Job(self, answer["result"]["job_order"])

    def release(self, job: Job) -> Job:
        """Release the request of a job order."""
        self.site.done(f"/work-requests/{job.request}/release")
        return job

    def make(self, routing: str, **more: Any) -> Job:
        """Plan a work request and release it; return its first job order."""
        return self.release(self.plan(routing, **more))

    def jobs(self, request: str) -> list[Job]:
        """Return the job orders of a request."""
        shown = self.site.items("/job-orders", work_request=request)
        return [Job(self, one["id"]) for one in shown]

    def at(self, request: str, step: str) -> Job:
        """Return the newest job order of a request at a step."""
        jobs = [job for job in self.jobs(request) if job.shown["step"] == step]
        return jobs[-1]

    def routing(
        self,
        *steps: str | Mapping[str, Any],
        connections: Sequence[Mapping[str, Any]] | None = None,
        **more: Any,
    ) -> str:
        """Release a routing in PLM, and wait until the engine works by it.

        A step is named after the work center; it makes nothing but that name needed.
        """
        name = self.name("R")
        body = {
            "id": name,
            "revision": "A",
            "material": f"M-{name}",
            "unit": "C62",
            "steps": [a_step(one) for one in steps],
            **more,
        }
        if connections is not None:
            body["connections"] = list(connections)
        self.release_revision(body)
        return name

    def simple(self, step: str = "cut") -> str:
        """Return a routing of this one step, which needs nothing."""
        known = self.site.routings
        if step not in known:
            known[step] = self.routing(step)
        return known[step]

    def release_revision(self, body: Mapping[str, Any]) -> None:
        """Have PLM release a revision, and wait until it is effective."""
        path = f"/plm/routings/{body['id']}/revisions/{body['revision']}"
        self.site.put(path, body)
        self.site.done(f"{path}/release")
        until(lambda: self.site.get(path)["effective"])

    def material(self, quantity: int = 0) -> str:
        """Name a material that is bought by the kilogram, and receive some."""
        name = self.name("STEEL")
        self.site.put(f"/scm/suppliers/{SUPPLIER}", {"name": "Steel Company"})
        self.site.put(f"/scm/materials/{name}", {"unit": "KGM", "name": "Steel"})
        if quantity:
            self.receive(name, quantity)
        return name

    def receive(self, material: str, quantity: int) -> httpx.Response:
        """Have SCM receive material, and wait until the engine has it in stock."""
        path = f"/scm/receipts/{self.name('RC')}"
        receipt = {"supplier": SUPPLIER, "material": material, "quantity": quantity}
        answer = self.site.put(path, receipt)
        until(lambda: self.site.get(path)["lot"])
        return answer

    def metal(self, material: str, **more: Any) -> str:
        """Release a routing whose one step takes a kilogram for each piece."""
        consumes = [{"material": material, "per_piece": 1, "unit": "KGM"}]
        step = a_step("cut") | {"consumes": consumes}
        return self.routing(step, **more)

    def clear(self) -> None:
        """Let go of every place on a bench that this test still has."""
        for request in self._requests:
            for one in self.site.items("/job-orders", work_request=request):
                if one["state"] not in OVER:
                    Job(self, one["id"]).done("abort", reason="over", signature="M")


def a_step(step: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a step of a routing; of a name alone, the work center's."""
    if not isinstance(step, str):
        return dict(step)
    return {
        "id": step,
        "name": step,
        "work_center": step.upper(),
        "equipment_class": step,
    }
