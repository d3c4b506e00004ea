"""Measured data over HTTP: what is missing is named, and nothing told is ever lost."""

from typing import Any

from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.test_routings_over_http import pieces, run, state_of

THICKNESS: dict[str, Any] = {
    "name": "thickness",
    "unit": "MMT",
    "lower": "9.9",
    "upper": "10.1",
    "is_required": True,
}
SURFACE = {"name": "surface", "kind": "text"}


def measuring(step: str = "cut", *more: dict[str, Any]) -> dict[str, Any]:
    """A step at which a thickness is required, and a surface may be told."""
    return a_step(step) | {"characteristics": [THICKNESS, SURFACE, *more]}


def begun(shop: Shop, quantity: int = 10, **more: Any) -> Job:
    job = shop.make(shop.routing(measuring(), "pack"), quantity=quantity, **more)
    return job.done("load", work_unit="cut-1").done("begin")


def measure(job: Job, value: object, name: str = "thickness", **more: Any) -> Any:
    """Tell a value of a job order that has to be taken."""
    path = f"/job-orders/{job.id}/measurements"
    return job.shop.site.done(path, characteristic=name, value=value, **more)["result"]


def listed(job: Job, **query: Any) -> list[Any]:
    return job.shop.site.items(f"/job-orders/{job.id}/measurements", **query)


def asked(job: Job, name: str = "thickness") -> dict[str, Any]:
    (found,) = [one for one in job.shown["characteristics"] if one["name"] == name]
    assert isinstance(found, dict)
    return found


def test_a_job_order_ends_once_its_required_data_has_been_measured(shop: Shop) -> None:
    job = begun(shop).done("report", good=10)
    assert asked(job) == {
        "name": "thickness",
        "kind": "number",
        "unit": "MMT",
        "lower": "9.9",
        "upper": "10.1",
        "is_required": True,
        "value": None,
        "is_within": None,
        "measurement": None,
        "measured_at": None,
        "is_missing": True,
        "missing_of": [],
    }

    refused = job.press("complete")
    assert refused.status_code == 409
    assert refused.json()["unmet"] == ["required_data: not measured yet: thickness"]
    assert "complete" not in job.allowed
    assert job.state == "running.processing"

    out = measure(job, "10.25")
    assert out["is_within"] == "false"
    assert [asked(job)["value"], asked(job)["is_within"]] == ["10.25", False]
    job.done("complete")
    assert job.state == "ended.completed"


def test_every_value_is_listed_and_the_latest_counts(shop: Shop) -> None:
    job = begun(shop)
    for value in (10, "9.5", 10.05):
        measure(job, value)
    measure(job, "smooth", "surface", remark="by eye")

    values = [(one["value"], one["is_within"]) for one in listed(job)]
    assert values == [("10", True), ("9.5", False), ("10.05", True), ("smooth", True)]
    assert [one["value"] for one in listed(job, characteristic="surface")] == ["smooth"]
    page = shop.site.get(f"/job-orders/{job.id}/measurements", limit=2)
    assert [one["value"] for one in page["items"]] == ["10", "9.5"]
    assert page["next"]
    first = listed(job)[0]
    assert [first["unit"], first["work_unit"], first["person"]] == [
        "MMT",
        "cut-1",
        "Maria",
    ]
    assert asked(job)["value"] == "10.05"
    lot = job.shown["here"]["lots"][0]
    assert len(shop.site.items(f"/lots/{lot}/measurements")) == 4


def test_what_was_measured_wrongly_is_voided_and_never_edited(shop: Shop) -> None:
    job = begun(shop)
    right, wrong = measure(job, "10"), measure(job, "1")

    path = f"/measurements/{wrong['measurement']}/void"
    assert shop.site.post(path, {"reason": ""}).status_code == 422
    voided = shop.site.done(path, reason="slipped")["result"]

    assert voided["counts"] == "10"
    assert asked(job)["value"] == "10"
    told = {one["value"]: one["voided_by"] for one in listed(job)}
    assert told["10"] is None
    assert [told["1"]["reason"], told["1"]["person"]] == ["slipped", "Maria"]
    again = shop.site.post(path, {"reason": "slipped again"})
    assert again.status_code == 409
    assert "was voided by Maria: slipped" in again.json()["detail"]

    shop.site.done(f"/measurements/{right['measurement']}/void", reason="no zero")
    assert asked(job)["is_missing"]
    assert shop.site.post("/measurements/1/void", {"reason": "x"}).status_code == 404


def test_what_is_split_off_falls_back_on_what_was_measured_before_the_split(
    shop: Shop,
) -> None:
    job = begun(shop).done("report", good=10)
    first = measure(job, "10")
    (lot,) = job.shown["here"]["lots"]
    split = {"quantities": [4], "reason": "two boxes", "place": job.shown["visit"]}
    shop.site.done(f"/lots/{lot}/split", **split)
    (child,) = [one for one in job.shown["here"]["lots"] if one != lot]

    late = measure(job, "9.95", lot=child)
    voided = shop.site.done(
        f"/measurements/{late['measurement']}/void", reason="other lot"
    )["result"]
    assert voided["counts"] == "10"
    shop.site.done(f"/measurements/{first['measurement']}/void", reason="no zero")
    refused = job.press("complete")
    assert refused.json()["unmet"] == ["required_data: not measured yet: thickness"]


def test_values_of_another_kind_or_unit_are_refused_clearly(shop: Shop) -> None:
    job = begun(shop)
    path = f"/job-orders/{job.id}/measurements"

    def told(**body: Any) -> tuple[int, str]:
        answer = shop.site.post(path, {"characteristic": "thickness"} | body)
        return answer.status_code, answer.json()["detail"]

    assert told(value=True) == (
        422,
        "'true' is no value of thickness: it is a number, with at most 12 digits on "
        "either side of the point.",
    )
    assert told(value="10", unit="CMT") == (
        422,
        "thickness is measured in MMT, not in CMT.",
    )
    assert told(value="red", characteristic="colour") == (
        409,
        f"Step cut of {job.id} measures no 'colour'.",
    )
    assert told(value="10", gauge="G-404") == (404, "There is no gauge 'G-404'.")
    assert told(value=["10"])[0] == 422
    assert listed(job) == []


def test_a_gauge_is_named_with_what_it_measured(shop: Shop) -> None:
    job = begun(shop)
    gauge = shop.name("GAUGE")
    tool = {"asset_class": "caliper", "name": "Caliper", "crib": "LAB"}
    shop.site.done("/tools", tool=gauge, **tool)

    measure(job, "10", gauge=gauge)

    assert [one["gauge"] for one in listed(job)] == [gauge]


def parting(shop: Shop, **more: Any) -> str:
    """Thick lots are milled, others drilled; of thin ones paint is skipped."""
    paint = a_step("paint") | {
        "is_optional": True,
        "skip_when": "cut.thickness < 9.9",
    }
    ways: list[dict[str, Any]] = [
        {"source": "cut", "target": "mill", "when": "thickness > 10.1"},
        {"source": "cut", "target": "drill", "is_otherwise": True},
    ]
    flows = [("mill", "paint"), ("drill", "paint"), ("paint", "pack")]
    cut = a_step("cut") | {
        "characteristics": [THICKNESS | {"is_required": False}, SURFACE]
    }
    return shop.routing(
        cut,
        "mill",
        "drill",
        paint,
        "pack",
        connections=[
            *({"kind": "alternative", **way} for way in ways),
            *({"kind": "quantity", "source": a, "target": b} for a, b in flows),
        ],
        **more,
    )


def cut_in_lots(shop: Shop, routing: str, *thickness: str | None) -> Job:
    """Cut lots of five, and complete; each has been measured, or has not."""
    quantity = 5 * len(thickness)
    job = shop.make(routing, quantity=quantity, lot_size=5)
    job.done("load", work_unit="cut-1").done("begin").done("report", good=quantity)
    for lot, value in zip(lots_of(job), thickness, strict=True):
        if value is not None:
            measure(job, value, lot=lot)
    return job.done("complete")


def lots_of(job: Job) -> list[str]:
    found = job.shop.site.items("/lots", work_request=job.request)
    return [one["id"] for one in found]


def test_each_lot_takes_the_way_that_its_data_tells(shop: Shop) -> None:
    job = cut_in_lots(shop, parting(shop), "10.2", "9.5", "10", None)

    assert pieces(shop, job.request) == {"mill": 5, "drill": 10, "cut": 5}
    waiting = lots_of(job)[3]
    assert job.shown["awaits"] == [
        {
            "name": "way_decided",
            "is_met": False,
            "why": f"{waiting}: not measured yet: cut.thickness",
            "mender": "whoever measures it, or may choose the way",
        }
    ]
    detail = shop.site.get(f"/work-requests/{job.request}")
    (visit,) = [one for one in detail["visits"] if one["step"] == "cut"]
    assert [one["target"] for one in visit["ways"]] == ["mill", "drill", "drill"]

    measure(job, "11", lot=waiting)
    assert pieces(shop, job.request) == {"mill": 10, "drill": 10}
    assert job.shown["awaits"] == []

    for step, good in (("mill", 10), ("drill", 10), ("paint", 15), ("pack", 20)):
        run(shop, job.request, step, good)
    assert state_of(shop, job.request) == "completed"
    chosen = shop.site.facts(0, "alternative_chosen", "step_skipped")
    ours = [one["fact"] for one in chosen if job.request in one["fact"]["visit"]]
    told = [(one["why"], [saw["value"] for saw in one["saw"]]) for one in ours]
    assert told == [
        ("thickness > 10.1", ["10.2"]),
        ("none of the conditions holds", ["9.5"]),
        ("none of the conditions holds", ["10"]),
        ("thickness > 10.1", ["11"]),
        ("cut.thickness < 9.9", ["9.5"]),
    ]


def test_a_person_chooses_for_a_lot_that_waits_for_its_data(shop: Shop) -> None:
    job = cut_in_lots(shop, parting(shop), None, None)
    path = f"/work-requests/{job.request}/choose-alternative"
    first, second = lots_of(job)

    shop.site.done(path, step="cut", target="mill", lot=second, reason="by eye")

    assert pieces(shop, job.request) == {"cut": 5, "mill": 5}
    again = {"step": "cut", "target": "drill", "lot": second}
    refused = shop.site.post(path, again)
    assert refused.status_code == 409
    assert refused.json()["unmet"] == [f"way_decided: {second} takes 'mill' out of cut"]
    assert first in job.shown["awaits"][0]["why"]
    shop.site.done(path, step="cut", target="drill")
    assert pieces(shop, job.request) == {"drill": 5, "mill": 5}


def test_a_condition_that_cannot_be_read_is_refused_with_its_place(shop: Shop) -> None:
    name = shop.name("R")
    body = {
        "id": name,
        "revision": "A",
        "material": f"M-{name}",
        "unit": "C62",
        "steps": [measuring(), a_step("mill"), a_step("drill")],
        "connections": [
            {
                "kind": "alternative",
                "source": "cut",
                "target": "mill",
                "when": "thickness > 'wide'",
            },
            {
                "kind": "alternative",
                "source": "cut",
                "target": "drill",
                "is_otherwise": True,
            },
        ],
    }

    answer = shop.site.try_put(f"/plm/routings/{name}/revisions/A", body)

    assert answer.status_code == 422
    assert "'thickness' is a number, and is compared with a text" in answer.text


def test_a_genealogy_tells_what_was_measured_on_the_way(shop: Shop) -> None:
    part = shop.routing(measuring("cut"))
    cut = shop.make(part, quantity=10)
    cut.done("load", work_unit="cut-1").done("begin").done("report", good=10)
    gauge = shop.name("GAUGE")
    tool = {"asset_class": "caliper", "name": "Caliper", "crib": "LAB"}
    shop.site.done("/tools", tool=gauge, **tool)
    measure(cut, "10", gauge=gauge)
    wrong = measure(cut, "1")
    void = f"/measurements/{wrong['measurement']}/void"
    shop.site.done(void, reason="slipped")
    cut.done("complete")
    component = {"material": f"M-{part}", "per_piece": 2, "unit": "C62"}
    packing = measuring("pack") | {"consumes": [component]}
    pack = shop.make(shop.routing(packing), quantity=5)
    pack.done("load", work_unit="pack-1").done("begin").done("report", good=5)
    measure(pack, "9.5")
    pack.done("complete")
    (bracket,), (box,) = lots_of(cut), lots_of(pack)

    back = shop.site.get(f"/lots/{box}/genealogy")

    told = [
        (one["lot"], one["value"], one["is_within"], one["gauge"], one["voided_by"])
        for one in back["measurements"]
    ]
    assert told[0] == (bracket, "10", True, gauge, None)
    assert told[1][:4] == (bracket, "1", False, None)
    assert told[1][4]["reason"] == "slipped"
    assert told[2] == (box, "9.5", False, None, None)
    forward = shop.site.get(f"/lots/{bracket}/genealogy", direction="forward")
    assert len(forward["measurements"]) == 3
