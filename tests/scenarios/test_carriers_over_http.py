"""Carriers: packed, held, loaded and shipped whole, told over HTTP with quantities."""

from typing import Any

import httpx
import pytest

from tests.commands import mes
from tests.scenarios.shop import Shop, a_step
from tests.scenarios.test_lots_over_http import (
    begun,
    component,
    in_stock,
    lots,
    split,
    unmet,
    wait_for_lots,
)


@pytest.fixture
def pallet(shop: Shop) -> str:
    return a_carrier(shop, "pallet")


def a_carrier(shop: Shop, kind: str) -> str:
    name = shop.name(kind.upper())
    shop.site.done("/carriers", carrier=name, carrier_type=kind)
    return name


def made(shop: Shop, quantity: int = 10) -> str:
    """A lot of so many pieces in stock."""
    job = begun(shop, shop.make(shop.simple("cut"), quantity=quantity))
    job.done("report", good=quantity).done("complete")
    [lot] = lots(shop, work_request=job.request)
    return lot


def pack(shop: Shop, carrier: str, *contents: str) -> httpx.Response:
    return shop.site.post(f"/carriers/{carrier}/pack", {"contents": list(contents)})


def shown(shop: Shop, carrier: str) -> dict[str, Any]:
    """What is in a carrier: the lots, with what they are in, and the carriers."""
    detail = shop.site.get(f"/carriers/{carrier}")
    return {
        "lots": {one["lot"]["id"]: one["packed_in"] for one in detail["lots"]},
        "carriers": {one["id"]: one["carrier"] for one in detail["carriers"]},
        "is_shipped": detail["carrier"]["is_shipped"],
    }


def sound(shop: Shop) -> bool:
    found = mes("verify", "--json", "--database", shop.site.database_url)
    return bool(found.plain["problems"] == [])


def test_an_empty_carrier_is_where_it_was_put_and_where_it_was_emptied(
    shop: Shop, pallet: str
) -> None:
    site = shop.site

    def places(name: str) -> list[str]:
        code = site.get(f"/codes/{name}")["places"]
        told: list[str] = site.get(f"/carriers/{name}")["places"]
        assert code == told
        return told

    assert places(pallet) == []
    site.done(f"/carriers/{pallet}/move", to_location="YARD")
    assert places(pallet) == ["YARD"]
    lot = made(shop)
    assert pack(shop, pallet, lot).is_success
    assert places(pallet) == ["STORE"]
    site.done(f"/carriers/{pallet}/move", to_location="HALL-2")
    site.done(f"/carriers/{pallet}/unpack")
    assert places(pallet) == ["HALL-2"]
    again = site.post(f"/carriers/{pallet}/move", {"to_location": "HALL-2"})
    assert again.status_code == 409
    tray = shop.name("TRAY")
    site.done("/carriers", carrier=tray, carrier_type="tray", location="DOCK")
    assert places(tray) == ["DOCK"]
    [listed] = [one for one in site.items("/carriers") if one["id"] == tray]
    assert listed["location"] == "DOCK"
    assert sound(shop)


def test_lots_go_into_a_tray_on_a_pallet_and_come_out_with_their_quantities(
    shop: Shop, pallet: str
) -> None:
    tray = a_carrier(shop, "tray")
    lot = made(shop)
    first, second = split(shop, lot, 4, 6)

    assert pack(shop, tray, first, second).is_success
    assert pack(shop, pallet, tray).is_success

    assert shown(shop, pallet) == {
        "lots": {first: tray, second: tray},
        "carriers": {tray: pallet},
        "is_shipped": False,
    }
    assert shop.site.get(f"/lots/{first}")["lot"]["carrier"] == tray
    twice = pack(shop, pallet, first)
    assert f"not_packed: {first} is in {tray}" in unmet(twice)
    code = shop.site.get(f"/codes/{pallet}")
    assert (code["kind"], code["title"], code["places"]) == (
        "carrier",
        "pallet",
        ["STORE"],
    )
    shop.site.done(f"/carriers/{pallet}/unpack")
    shop.site.done(f"/carriers/{tray}/unpack", contents=[first])
    assert shown(shop, tray)["lots"] == {second: tray}
    shop.site.done(f"/carriers/{tray}/unpack")
    assert [in_stock(shop, one) for one in (first, second)] == [
        {"STORE": 4},
        {"STORE": 6},
    ]
    events = shop.site.get(f"/lots/{first}/genealogy")["packing"]
    assert [(one["action"], one["carrier"], one["person"]) for one in events] == [
        ("add", tray, "Maria"),
        ("delete", tray, "Maria"),
    ]
    assert sound(shop)


def test_a_tray_takes_10_pieces_of_one_material_and_a_pallet_3_things(
    shop: Shop, pallet: str
) -> None:
    tray = a_carrier(shop, "tray")
    lot, other = made(shop, 8), made(shop, 3)
    assert unmet(pack(shop, tray, lot, other)) == [
        f"capacity: {tray} takes 10 pieces, not 11"
    ]
    assert pack(shop, tray, lot).is_success
    different = shop.routing("cut")
    job = begun(shop, shop.make(different, quantity=1))
    job.done("report", good=1).done("complete")
    [foreign] = lots(shop, work_request=job.request)
    [mixed] = unmet(pack(shop, tray, foreign))
    assert mixed.startswith(f"one_material: {tray} would hold ")
    four = [made(shop, 1) for _ in range(4)]
    assert unmet(pack(shop, pallet, *four)) == [
        f"capacity: {pallet} has 3 positions, 0 taken, 4 more wanted"
    ]
    wrong = shop.site.post(
        "/carriers", {"carrier": "376104250021234563", "carrier_type": "pallet"}
    )
    assert (wrong.status_code, "9 would be right" in wrong.json()["detail"]) == (
        422,
        True,
    )


def test_a_hold_on_a_pallet_holds_what_is_in_it_and_nothing_of_it_is_shipped(
    shop: Shop, pallet: str
) -> None:
    one, two = made(shop, 4), made(shop, 6)
    pack(shop, pallet, one, two)
    hold = {"scope": "carrier", "target": pallet, "reason": "wet"}
    held = shop.site.post("/holds", hold).json()["result"]["hold"]

    [*told] = unmet(
        shop.site.post(f"/carriers/{pallet}/ship", {"reason": "DN-1"}),
    )
    alone = shop.site.post(f"/lots/{one}/ship", {"reason": "DN-1"})

    assert [line.partition(": H-")[0] for line in told] == [
        f"lot_not_held: {name}" for name in (one, two)
    ]
    assert f"lot_not_held: {held} on {pallet}" in unmet(alone)[0]
    assert "no_hold" in unmet(shop.site.post(f"/carriers/{pallet}/unpack"))[0]
    assert [in_stock(shop, name) for name in (one, two)] == [
        {"STORE": 4},
        {"STORE": 6},
    ]
    shop.site.done(f"/holds/{held}/release")
    assert unmet(shop.site.post(f"/lots/{one}/ship", {"reason": "DN-1"})) == [
        f"not_packed: {one} is in {pallet}"
    ]
    shop.site.done(f"/carriers/{pallet}/move", to_location="GATE")
    assert in_stock(shop, one) | in_stock(shop, two) == {"GATE": 6}
    sent = shop.site.done(f"/carriers/{pallet}/ship", reason="DN-1")["result"]
    assert sent["shipped"].split() == sorted([one, two])
    assert in_stock(shop, one) == in_stock(shop, two) == {}


def test_a_recall_names_the_pallets_on_which_a_suppliers_lot_was_shipped(
    shop: Shop, pallet: str
) -> None:
    """Ten brackets of one heat: four leave in a tray on a pallet, two alone."""
    steel, theirs = shop.material(), shop.name("HEAT")
    shop.site.put(
        f"/scm/receipts/{shop.name('RC')}",
        {
            "supplier": "STEELCO",
            "material": steel,
            "quantity": 20,
            "supplier_lot": theirs,
        },
    )
    wait_for_lots(shop, steel)
    routing = shop.routing(a_step("cut") | {"consumes": [component(steel, 1, "KGM")]})
    job = begun(shop, shop.make(routing, quantity=10))
    job.done("report", good=10).done("complete")
    [lot] = lots(shop, material=f"M-{routing}")
    carried, alone, _ = split(shop, lot, 4, 2, 1)
    tray = a_carrier(shop, "tray")
    pack(shop, tray, carried)
    pack(shop, pallet, tray)
    shop.site.done(f"/carriers/{pallet}/ship", reason="DN-7")
    shop.site.done(f"/lots/{alone}/ship", reason="DN-8")

    told = shop.site.get("/recall", supplier_lot=theirs)

    shipped = {one["lot"]["id"]: one for one in told["shipped"]}
    assert {name: one["shipped"] for name, one in shipped.items()} == {
        carried: "4",
        alone: "2",
    }
    [event] = shipped[carried]["shipped_in"]
    assert (event["carrier"], event["outermost"], event["reason"]) == (
        tray,
        pallet,
        "DN-7",
    )
    assert shipped[alone]["shipped_in"] == []
    assert shown(shop, pallet) == {
        "lots": {carried: tray},
        "carriers": {tray: pallet},
        "is_shipped": True,
    }
    out = mes("genealogy", pallet, "--database", shop.site.database_url).out
    assert f"{pallet} holds {tray}, {carried}" in out
    assert f"  {carried} shipped in {tray} on {pallet}, by Maria, " in out
    shop.site.done("/carriers", carrier=pallet, carrier_type="pallet")
    assert shown(shop, pallet)["lots"] == {}
    later = shop.site.get("/recall", supplier_lot=theirs)["shipped"]
    assert {one["lot"]["id"] for one in later} == {carried, alone}
    assert sound(shop)


def test_a_scanned_carrier_is_loaded_where_its_lot_is_waited_for(
    shop: Shop, pallet: str
) -> None:
    first = a_step("cut") | {"job_per": "lot"}
    second = a_step("mill") | {"job_per": "lot"}
    job = begun(shop, shop.make(shop.routing(first, second), quantity=5))
    job.done("report", good=5).done("complete")
    [lot] = lots(shop, work_request=job.request)
    assert pack(shop, pallet, lot).is_success
    waiting = shop.at(job.request, "mill")
    code = shop.site.get(f"/codes/{pallet}")
    assert (code["kind"], code["job_orders"]) == ("carrier", [waiting.id])

    elsewhere = shop.site.post(f"/carriers/{pallet}/load", {"work_unit": "pack-1"})
    loaded = shop.site.done(f"/carriers/{pallet}/load", work_unit="mill-1")["result"]

    assert unmet(elsewhere) == [f"work_unit_suitable: {lot} waits at step mill (MILL)"]
    assert loaded["job_order"] == waiting.id
    waiting.done("begin").done("report", good=5).done("complete")
    assert in_stock(shop, lot) == {"STORE": 5}
    assert shown(shop, pallet)["lots"] == {lot: pallet}
