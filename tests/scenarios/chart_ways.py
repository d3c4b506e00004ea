"""Ways to bring a job order somewhere, and what can then be done, over HTTP alone."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.scenarios.shop import Job, Shop

Way = Callable[[Shop], Job]
Deed = Callable[[Job], httpx.Response]


def press(trigger: str, **body: Any) -> Deed:
    """Send a command to the job order."""
    return lambda job: job.press(trigger, **body)


def hold(mode: str = "stop_now", scope: str = "job_order") -> Deed:
    """Open a hold on the job order."""
    return lambda job: job.hold(mode, scope)


def release_hold(*, resumes: bool = False) -> Deed:
    """Release the hold on the job order."""
    return lambda job: job.release_hold(resumes=resumes)


def release_request(job: Job) -> httpx.Response:
    """Release the request that the job order is of."""
    return job.shop.site.post(f"/work-requests/{job.request}/release")


def then(way: Way, *deeds: Deed) -> Way:
    """Go on from where ``way`` leads to."""

    def go_on(shop: Shop) -> Job:
        job = way(shop)
        for deed in deeds:
            answer = deed(job)
            assert answer.is_success, answer.text
        return job

    return go_on


LOAD, STAGE = press("load", work_unit="cut-1"), press("load", work_unit="narrow-1")
BEGIN, BEGIN_SETUP = press("begin"), press("begin_setup")
PAUSE = press("pause", reason="break")
HOLD = press("hold", reason="drawing")
REPORT_ALL = press("report", good=10)
AFTER_RUN = hold("after_run")


def planned(shop: Shop) -> Job:
    """A job order of a request that is not released, and that releases none."""
    return shop.plan(shop.simple(), releases_job_orders=False)


def allowed(shop: Shop) -> Job:
    """A job order that is in the queue and lacks nothing."""
    return shop.make(shop.simple())


def unbooked(shop: Shop) -> Job:
    """The same, where the ledger's books are closed to its request."""
    return shop.make(shop.simple(), is_booked=False)


permitted = then(planned, release_request)
blocked = then(allowed, hold())
loaded = then(allowed, LOAD)
setup = then(loaded, BEGIN_SETUP)
processing = then(loaded, BEGIN)
held = then(processing, HOLD)
suspended = then(processing, PAUSE)
completed = then(unbooked, LOAD, BEGIN, REPORT_ALL, press("complete"))


def short_of_material(shop: Shop) -> Job:
    """A job order in the queue, whose material is not there."""
    return shop.make(shop.metal(shop.material()))


def receive_material(job: Job) -> httpx.Response:
    """Have SCM receive what the job order lacks; wait until the engine has it."""
    shop = job.shop
    routing = job.shown["routing"]
    revision = shop.site.get(f"/plm/routings/{routing}/revisions/A")
    [component] = revision["body"]["steps"][0]["consumes"]
    return shop.receive(component["material"], 10)


def with_a_rival(shop: Shop) -> Job:
    """A job order in the queue, with material that another one might take."""
    routing = shop.metal(shop.material(10))
    job = shop.make(routing)
    shop.make(routing).done("load", work_unit="cut-2")
    return job


def begin_the_rival(job: Job) -> httpx.Response:
    """Let the other job order take the material."""
    jobs = job.shop.site.get("/work-units/cut-2")["job_orders"]
    routing = job.shown["routing"]
    [rival] = [one["id"] for one in jobs if one["routing"] == routing]
    return Job(job.shop, rival).press("begin")


def over_produced(shop: Shop) -> Job:
    """A running job order that made eleven pieces of material for ten."""
    routing = shop.metal(shop.material(10), over_tolerance="0.1")
    job = shop.make(routing).done("load", work_unit="cut-1").done("begin")
    return job.done("report", good=11)


def beside_a_full_bench(shop: Shop) -> Job:
    """A job order in the queue of a bench that has no place free."""
    staged_behind(shop)
    return shop.make(shop.simple("narrow"))


def staged_behind(shop: Shop) -> Job:
    """A job order that is staged while another has the bench."""
    routing = shop.simple("narrow")
    first, second = shop.make(routing), shop.make(routing)
    first.done("load", work_unit="narrow-1")
    return second.done("load", work_unit="narrow-1")


def stopped_at_once(shop: Shop) -> Job:
    """A completed job order of which there is nothing to post, not even a second."""
    job = allowed(shop).done("load", work_unit="cut-1")
    at = job.shown["stored_at"]
    job.done("begin", occurred_at=at)
    return job.done("stop", remainder="queue", reason="order", occurred_at=at)


def remainder(rest: str, *deeds: Deed, in_process: int = 0) -> Way:
    """The follow-on of a job order that was stopped with pieces left.

    Args:
        rest: ``follow_on`` may start; ``queue`` waits for its release.
        deeds: What is done with the follow-on.
        in_process: Pieces that had gone in when it was stopped.
    """

    def stop(shop: Shop) -> Job:
        job = loaded(shop).done("begin", in_process=in_process)
        return job.done("stop", remainder=rest, reason="order").follow_on

    return then(stop, *deeds)
