"""The stories about lots, told over HTTP with their quantities."""

from decimal import Decimal
from typing import Any

import httpx

from tests.commands import mes
from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.site import until


def buckets(shop: Shop, request: str, step: str) -> dict[str, int]:
    """What there is, and ever was, of a request at a step; what is nothing left out."""
    found: dict[str, Decimal] = {}
    told = shop.site.get(f"/work-requests/{request}")["positions"]
    for position in told:
        if position["place"] == f"{request}/{step}/1":
            for name, amount in position.items():
                if name in NAMES:
                    found[name] = found.get(name, Decimal(0)) + Decimal(amount)
    return {name: int(amount) for name, amount in found.items() if amount}


NAMES = (
    *("queued", "in_process", "suspect", "out", "started", "found", "produced"),
    *("scrap", "lost", "tested"),
)


def begun(shop: Shop, job: Job) -> Job:
    step = str(job.shown["step"])
    return job.done("load", work_unit=f"{step}-1").done("begin")


def lots(shop: Shop, **query: Any) -> list[str]:
    return [one["id"] for one in shop.site.items("/lots", **query)]


def in_stock(shop: Shop, lot: str) -> dict[str, int]:
    """What there is of a lot in stock, by location."""
    positions = shop.site.get(f"/lots/{lot}")["positions"]
    return {one["place"]: int(one["stock"]) for one in positions if one["stock"] != "0"}


def unmet(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [str(one) for one in answer.json()["unmet"]]


def split(shop: Shop, lot: str, *quantities: int, **more: Any) -> list[str]:
    told = shop.site.done(
        f"/lots/{lot}/split", quantities=list(quantities), reason="boxes", **more
    )
    return str(told["result"]["lots"]).split()


def merge(shop: Shop, *names: str) -> httpx.Response:
    return shop.site.post("/lots/merge", {"lots": list(names), "reason": "one box"})


def test_30_and_20_are_split_and_merged_to_50(shop: Shop) -> None:
    job = begun(shop, shop.make(shop.routing("cut", "mill"), quantity=50))
    [first] = lots(shop, work_request=job.request)
    [second] = split(shop, first, 20)

    merged = merge(shop, first, second)

    assert merged.json()["result"]["quantity"] == "50"
    made = merged.json()["result"]["lot"]
    shown = shop.site.get(f"/lots/{made}")
    assert {(one["source"], one["quantity"]) for one in shown["made_of"]} == {
        (first, "30"),
        (second, "20"),
    }
    ended = {
        one["id"]: one["existence"]
        for one in shop.site.items("/lots", work_request=job.request)
    }
    assert ended == {first: "merged", second: "merged", made: "active"}
    assert buckets(shop, job.request, "cut") == {"queued": 50, "started": 50}
    job.done("report", good=50).done("complete")
    assert buckets(shop, job.request, "mill") == {"queued": 50}


def test_what_cannot_be_split_or_merged_says_why(shop: Shop) -> None:
    routing = shop.routing("cut")
    job, other = (begun(shop, shop.make(routing, quantity=10)) for _ in range(2))
    [lot], [foreign] = (lots(shop, work_request=one.request) for one in (job, other))

    asked = {"quantities": [6, 5], "reason": "boxes"}
    too_many = shop.site.post(f"/lots/{lot}/split", asked)
    unlike = merge(shop, lot, foreign)

    assert unmet(too_many) == ["quantity_there: 11 asked for, 10 there"]
    assert unmet(unlike) == [
        f"same_request: {lot} {job.request}, {foreign} {other.request}",
        f"same_place: {lot} {job.request}/cut/1, {foreign} {other.request}/cut/1",
    ]
    assert shop.site.post("/lots/L-none/split", asked).status_code == 404


def test_lots_of_different_materials_or_states_are_not_merged(shop: Shop) -> None:
    steel, brass = shop.material(10), shop.material(5)
    [first], [second] = wait_for_lots(shop, steel), wait_for_lots(shop, brass)
    assert unmet(merge(shop, first, second)) == [
        f"same_material: {first} {steel}, {second} {brass}"
    ]
    job = begun(shop, shop.make(shop.routing("cut", "mill"), quantity=10))
    [lot] = lots(shop, work_request=job.request)
    [part] = split(shop, lot, 4)
    job.done("report", suspect=4, lot=part, reason="scratch")
    assert unmet(merge(shop, lot, part)) == [
        f"same_bucket: {lot} queued, {part} suspect"
    ]


def test_100_components_are_58_in_stock_and_42_consumed_2_of_them_damaged(
    shop: Shop,
) -> None:
    component = shop.material(100)
    consumes = [{"material": component, "per_piece": 4, "unit": "KGM"}]
    produces = [
        {"material": f"{component}-CHIPS", "per_piece": "0.5", "unit": "KGM"}
        | {"kind": "by_product", "location": "YARD"}
    ]
    step = a_step("pack") | {"consumes": consumes, "produces": produces}
    job = begun(shop, shop.make(shop.routing(step), quantity=10))
    [stock] = lots(shop, material=component)

    def consume(**body: Any) -> httpx.Response:
        return shop.site.post(f"/lots/{stock}/consume", {"job_order": job.id} | body)

    assert consume(quantity=30).is_success
    assert consume(quantity=2, is_damaged=True).status_code == 422
    assert consume(quantity=2, is_damaged=True, reason="bent").is_success
    job.done("report", good=10)
    assert buckets(shop, job.request, "pack") == {"produced": 10, "out": 10}
    job.done("complete")

    [position] = shop.site.get(f"/lots/{stock}")["positions"]
    assert [position["stock"], position["consumed"]] == ["58", "42"]
    edges = shop.site.get(f"/lots/{stock}")["went_into"]
    assert [(one["quantity"], one["kind"]) for one in edges] == [
        ("30", "consumed"),
        ("2", "damaged"),
        ("10", "consumed"),
    ]
    [chips] = lots(shop, material=f"{component}-CHIPS")
    assert in_stock(shop, chips) == {"YARD": 5}
    assert shop.site.get(f"/lots/{chips}")["made_of"][0]["kind"] == "produced"


def test_a_destructive_test_leaves_98_of_100(shop: Shop) -> None:
    job = begun(shop, shop.make(shop.routing("cut"), quantity=100))

    job.done("report", good=98)
    job.done("report", tested=2, reason="tensile test")

    assert buckets(shop, job.request, "cut") == {
        "out": 98,
        "tested": 2,
        "started": 100,
    }
    job.done("complete")


def test_of_10_at_an_outside_supplier_3_are_there_6_back_and_1_lost(
    shop: Shop,
) -> None:
    job = shop.make(shop.routing("paint"), quantity=10)
    job.done("load", work_unit="paint-1").done("begin", in_process=10)

    job.done("report", good=6)
    job.done("report", lost=1, reason="not in the delivery")

    assert buckets(shop, job.request, "paint") == {
        "in_process": 3,
        "out": 6,
        "lost": 1,
        "started": 10,
    }


def test_an_abort_of_10_leaves_6_queued_and_4_suspect_and_then_4_scrap(
    shop: Shop,
) -> None:
    job = shop.make(shop.routing("cut"), quantity=10)
    job.done("load", work_unit="cut-1").done("begin", in_process=4)

    job.done("abort", reason="crash", signature="Maria")

    assert buckets(shop, job.request, "cut") == {
        "queued": 6,
        "suspect": 4,
        "started": 10,
    }
    rest = job.follow_on.done("release")
    begun(shop, rest)
    scrap = [{"quantity": 4, "reason": "bent"}]
    rest.done("report", scrap=scrap, taken_from="suspect")
    assert buckets(shop, job.request, "cut") == {
        "queued": 6,
        "scrap": 4,
        "started": 10,
    }


def test_a_recall_names_what_was_shipped_with_a_suppliers_lot_in_it(
    shop: Shop,
) -> None:
    steel = shop.material()
    theirs = shop.name("HEAT")
    path = f"/scm/receipts/{shop.name('RC')}"
    receipt = {"supplier": "STEELCO", "material": steel, "quantity": 20}
    shop.site.put(path, receipt | {"supplier_lot": theirs})
    [heat] = wait_for_lots(shop, steel)
    part = shop.routing(a_step("cut") | {"consumes": [component(steel, 1, "KGM")]})
    made = begun(shop, shop.make(part, quantity=10))
    made.done("report", good=10).done("complete")
    [bracket] = lots(shop, material=f"M-{part}")
    unit = shop.routing(
        a_step("pack") | {"consumes": [component(f"M-{part}", 2, "C62")]}
    )
    packed = begun(shop, shop.make(unit, quantity=5))
    packed.done("report", good=5).done("complete")
    [box] = lots(shop, material=f"M-{unit}")
    [sent, kept] = split(shop, box, 2, 3)
    shop.site.done(f"/lots/{sent}/ship", reason="DN-4711")

    told = shop.site.get("/recall", supplier_lot=theirs)

    assert [one["lot"]["id"] for one in told["received"]] == [heat]
    [shipped] = told["shipped"]
    assert (shipped["lot"]["id"], shipped["shipped"], shipped["depth"]) == (
        sent,
        "2",
        3,
    )
    assert shipped["shipments"][0]["reason"] == "DN-4711"
    where = {one["lot"]["id"]: one["in_stock"] for one in told["others"]}
    assert where == {bracket: "0", box: "0", kept: "3"}
    assert shop.site.get("/recall", supplier_lot="none")["received"] == []

    back = shop.site.get(f"/lots/{sent}/genealogy")
    assert [(one["source"], one["depth"]) for one in back["edges"]] == [
        (box, 1),
        (bracket, 2),
        (heat, 3),
    ]
    work = {(one["lot"], one["step"], one["work_unit"]) for one in back["work"]}
    assert {(bracket, "cut", "cut-1"), (box, "pack", "pack-1")} <= work
    assert {one["person"] for one in back["work"]} == {"Maria"}
    forward = shop.site.get(f"/lots/{heat}/genealogy", direction="forward", depth=1)
    assert [one["target"] for one in forward["edges"]] == [bracket]
    assert forward["is_cut"] is True
    assert shop.site.get(f"/lots/{kept}/genealogy", direction="forward")["edges"] == []


def put_back(shop: Shop, lot: str) -> httpx.Response:
    return shop.site.post(f"/lots/{lot}/reverse", {"reason": "a slip"})


def test_a_split_and_a_merge_are_taken_back_and_a_recall_follows_neither(
    shop: Shop,
) -> None:
    """Ten bars: four are split off by mistake, and put back; so is a merge."""
    steel = shop.material(10)
    [bars] = wait_for_lots(shop, steel)
    [mistaken] = split(shop, bars, 4)

    assert put_back(shop, mistaken).is_success

    shown = shop.site.get(f"/lots/{mistaken}")
    assert shown["lot"]["existence"] == "voided"
    made, undone = shown["made_of"]
    assert (undone["reverses"], undone["quantity"]) == (made["seq"], made["quantity"])
    assert in_stock(shop, bars) == {"DOCK": 10}
    recalled = shop.site.get(f"/lots/{bars}/genealogy", direction="forward")
    assert recalled["edges"] == []
    assert unmet(put_back(shop, mistaken)) == [f"not_reversed: {mistaken} is voided"]
    assert unmet(put_back(shop, bars)) == [f"regrouped: {bars} was received"]

    [part] = split(shop, bars, 3)
    merged = merge(shop, bars, part).json()["result"]["lot"]
    assert put_back(shop, merged).is_success
    assert in_stock(shop, bars) | in_stock(shop, part) == {"DOCK": 3}
    assert in_stock(shop, bars) == {"DOCK": 7}
    shop.site.done(f"/lots/{part}/ship", reason="DN-1")
    assert unmet(put_back(shop, part)) == ["untouched: 3 KGM of it are shipped at DOCK"]
    found = mes("verify", "--json", "--database", shop.site.database_url)
    assert found.plain["problems"] == []


def test_a_split_at_a_step_is_taken_back_unless_the_child_was_worked_on(
    shop: Shop,
) -> None:
    job = begun(shop, shop.make(shop.routing("cut", "mill"), quantity=10))
    [lot] = lots(shop, work_request=job.request)
    first, second = split(shop, lot, 3, 2)
    job.done("report", good=3, lot=first)

    assert (
        unmet(put_back(shop, first))
        == [f"untouched: 3 C62 of it are out at {job.request}/cut/1"]
        or "mill" in unmet(put_back(shop, first))[0]
    )
    assert put_back(shop, second).is_success
    job.done("report", good=7, lot=lot).done("complete")
    assert buckets(shop, job.request, "mill") == {"queued": 10}


def component(material: str, per_piece: int, unit: str) -> dict[str, Any]:
    return {"material": material, "per_piece": per_piece, "unit": unit}


def wait_for_lots(shop: Shop, material: str) -> list[str]:
    until(lambda: lots(shop, material=material))
    return lots(shop, material=material)
