"""Job orders per run over HTTP: what comes waits in a pool, each run takes a part."""

from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.site import until
from tests.scenarios.test_corrections_over_http import entries
from tests.scenarios.test_routings_over_http import begun, finish, flows, pieces, run


def a_line(shop: Shop) -> str:
    """Cut sends on five at a time; paint has a job order for each run."""
    ways = [{**flows("cut", "paint"), "transfer_batch": 5}, flows("paint", "pack")]
    paint = {**a_step("paint"), "job_per": "run"}
    return shop.routing("cut", paint, "pack", connections=ways)


def live(shop: Shop, request: str, step: str) -> list[Job]:
    jobs = [job for job in shop.jobs(request) if job.shown["step"] == step]
    return [job for job in jobs if job.shown["ended_at"] is None]


def loaded(pool: Job, quantity: int | None = None) -> Job:
    """Load a part of a pool; return the run's job order."""
    more = {} if quantity is None else {"quantity": str(quantity)}
    path = f"/job-orders/{pool.id}/load"
    told = pool.shop.site.done(path, work_unit="paint-1", **more)["result"]
    return Job(pool.shop, told["job_order"])


def test_runs_of_20_and_15_and_the_rest_as_it_comes(shop: Shop) -> None:
    """25 of 100 have come: a run takes 20, five wait, and ten more come meanwhile."""
    job = shop.make(a_line(shop), quantity=100)
    request = job.request
    cut = begun(shop, request, "cut").done("report", good=25)
    [pool] = live(shop, request, "paint")
    assert (pool.shown["pool"], pool.shown["to_do"]) == ("25", "100")
    path = f"/job-orders/{pool.id}/load"
    many = shop.site.post(path, {"work_unit": "paint-1", "quantity": "26"})
    assert many.status_code == 409
    assert many.json()["unmet"] == ["quantity_there: 26 asked for, 25 there"]

    first = loaded(pool, 20)

    assert first.id != pool.id
    assert (first.shown["planned"], first.shown["pool"]) == ("20", None)
    assert (pool.shown["planned"], pool.shown["pool"]) == ("80", "5")
    waiting = shop.site.get("/work-centers/PAINT/queue", limit=1000)
    shown = {one["id"]: one["pool"] for one in waiting["waiting"]}
    assert shown[pool.id] == "5"
    first.done("begin").done("report", good=20)
    cut.done("report", good=10)
    first.done("complete")
    assert pool.shown["pool"] == "15"
    second = loaded(pool, 15).done("begin").done("report", good=12).done("complete")
    assert (second.shown["planned"], pool.shown["pool"]) == ("12", "3")
    assert pool.shown["planned"] == "68"

    cut.done("report", good=65).done("complete")
    last = loaded(pool)
    assert last.id == pool.id
    last.done("begin").done("report", good=68).done("complete")
    run(shop, request, "pack", 100)
    assert pieces(shop, request) == {"STORE": 100}
    until(lambda: all(one.state == "ended.closed" for one in shop.jobs(request)))
    told = [good for step, good, _ in entries(shop, request) if step == "paint"]
    assert [one for one in told if one != "0"] == ["20", "12", "68"]
    finish(shop, request)


def test_a_continuous_run_ends_when_somebody_says_so(shop: Shop) -> None:
    job = shop.make(a_line(shop), quantity=40)
    request = job.request
    cut = begun(shop, request, "cut").done("report", good=20)
    [pool] = live(shop, request, "paint")
    run_ = loaded(pool).done("begin").done("report", good=15)
    cut.done("report", good=20).done("complete")
    run_.done("report", good=10).done("complete")

    [after] = live(shop, request, "paint")

    assert (after.shown["follows"], after.shown["pool"]) == (run_.id, "15")
    assert run_.shown["planned"] == "25"
    loaded(after).done("begin").done("report", good=15).done("complete")
    run(shop, request, "pack", 40)
    finish(shop, request)


def test_what_was_put_back_waits_in_the_pool(shop: Shop) -> None:
    job = shop.make(a_line(shop), quantity=20)
    begun(shop, job.request, "cut").done("report", good=10)
    [pool] = live(shop, job.request, "paint")
    part = loaded(pool, 6)

    part.done("unload")

    assert part.state == "cancelled"
    assert (pool.shown["pool"], pool.shown["planned"]) == ("10", "20")
