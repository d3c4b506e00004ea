"""Serial numbers of the plant's own, told over HTTP with their quantities."""

from typing import Any

import httpx

from tests.commands import mes
from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.test_lots_over_http import begun, buckets, lots, unmet


def serialise(shop: Shop, lot: str, *serials: str, **more: Any) -> httpx.Response:
    body = {"serials": list(serials), "reason": "labels"} | more
    return shop.site.post(f"/lots/{lot}/serialise", body)


def named(shop: Shop, answer: httpx.Response) -> list[str]:
    assert answer.is_success, answer.text
    return str(answer.json()["result"]["serials"]).split()


def a_job(shop: Shop, quantity: int) -> tuple[Job, str]:
    """A job order that is begun, and the lot that it works on."""
    job = begun(shop, shop.make(shop.routing("cut", "pack"), quantity=quantity))
    [lot] = lots(shop, work_request=job.request)
    return job, lot


def test_5_pieces_get_serials_and_each_is_reported_scrapped_and_held_by_its_own(
    shop: Shop,
) -> None:
    job, lot = a_job(shop, 5)
    serials = [shop.name("SN") for _ in range(5)]

    assert named(shop, serialise(shop, lot, *serials)) == serials
    one, two, three, *_ = serials

    job.done("report", good=1, lot=one)
    job.done("report", scrap=[{"quantity": 1, "reason": "crack"}], lot=two)
    hold = {"scope": "lot", "target": three, "reason": "look"}
    assert shop.site.post("/holds", hold).is_success
    assert buckets(shop, job.request, "cut") == {
        "queued": 3,
        "out": 1,
        "scrap": 1,
        "started": 5,
    }
    shown = shop.site.get(f"/lots/{two}")
    assert (shown["lot"]["serial"], shown["lot"]["parent"]) == (two, lot)
    [at] = shown["positions"]
    assert (at["scrap"], at["queued"]) == ("1", "0")
    [listed] = shop.site.items("/lots", serial=one)
    assert listed["serial"] == one
    code = shop.site.get(f"/codes/{one}")
    assert (code["kind"], code["job_orders"]) == ("lot", [job.id])
    assert (code["code"], code["title"].endswith(f" {one}")) == (listed["id"], True)


def test_a_serial_is_given_once_and_malformed_ones_say_where(shop: Shop) -> None:
    _, lot = a_job(shop, 4)
    serial = shop.name("SN")
    [made] = named(shop, serialise(shop, lot, serial))
    [first] = shop.site.items("/lots", serial=made)

    clash = serialise(shop, lot, shop.name("SN"), serial)
    material = first["material"]

    assert unmet(clash) == [f"serial_free: {serial} of {material} is lot {first['id']}"]
    bad = serialise(shop, lot, "AB C")
    assert (bad.status_code, "position 3" in bad.json()["detail"]) == (422, True)
    none = serialise(shop, lot)
    assert unmet(none) == [f"serial_pattern: {material} has none"]
    assert shop.site._http.get("/lots/SN-none").status_code == 404  # noqa: SLF001


def test_a_material_with_a_pattern_numbers_its_pieces_and_a_number_is_not_reused(
    shop: Shop,
) -> None:
    routing = shop.routing("cut", material="NUMBERED")
    job = begun(shop, shop.make(routing, quantity=5))
    [lot] = lots(shop, work_request=job.request)

    first = named(shop, serialise(shop, lot, quantity=2))
    number = int(first[1][-4:])
    by_hand = f"{first[1][:-4]}{number + 1:04}"
    serialise(shop, lot, by_hand)
    then = named(shop, serialise(shop, lot))

    assert [int(one[-4:]) for one in (*first, *then)] == [
        *(number - 1, number, number + 2, number + 3),
    ]
    scrap = [{"quantity": 1, "reason": "crack"}]
    for serial in (*first, by_hand, *then):
        job.done("report", scrap=scrap, lot=serial)
    again = begun(shop, shop.make(routing, quantity=1))
    [other] = lots(shop, work_request=again.request)
    assert serialise(shop, other, by_hand).status_code == 409
    assert int(named(shop, serialise(shop, other))[0][-4:]) == number + 4
    again.done("report", good=1)


def test_the_serials_that_would_be_given_are_listed_before_and_none_is_used_up(
    shop: Shop,
) -> None:
    job = begun(shop, shop.make(shop.routing("cut", material="NUMBERED"), quantity=3))
    [lot] = lots(shop, work_request=job.request)
    path, body = f"/lots/{lot}/serialise/preview", {"reason": "labels"}

    def listed(**more: Any) -> list[Any]:
        answer = shop.site.post(path, body | more)
        assert answer.is_success, answer.text
        told = [one for one in answer.json()["effects"] if one["on"] == "lot"]
        assert {(one["what"], one["before"]) for one in told} == {("serial", None)}
        return [one["after"] for one in told]

    first = listed()
    assert len(set(first)) == 3
    assert listed(quantity=2) == first[:2]
    assert lots(shop, work_request=job.request) == [lot]
    number = int(first[0][-4:])
    by_hand = [f"{first[0][:-4]}{number + 1:04}", shop.name("SN")]
    assert listed(serials=by_hand) == by_hand
    named(shop, serialise(shop, lot, *by_hand))
    assert unmet(shop.site.post(path, body | {"serials": by_hand[:1]})) == [
        f"serial_free: {by_hand[0]} of NUMBERED is lot "
        f"{shop.site.items('/lots', serial=by_hand[0])[0]['id']}"
    ]
    assert listed() == [first[0]]
    assert named(shop, serialise(shop, lot)) == [first[0]]


def test_serials_are_traced_and_recalled_and_shipped_by_serial(shop: Shop) -> None:
    """Two units of one lid each, known by serial: the recall names the unit sent."""
    lids = shop.routing("cut")
    made = begun(shop, shop.make(lids, quantity=2))
    [lot] = lots(shop, work_request=made.request)
    lid, other = (shop.name("LID") for _ in range(2))
    named(shop, serialise(shop, lot, lid, other))
    made.done("report", good=2).done("complete")
    component = {"material": f"M-{lids}", "per_piece": 1, "unit": "C62"}
    units = shop.routing(a_step("pack") | {"consumes": [component]})
    job = begun(shop, shop.make(units, quantity=2))
    [whole] = lots(shop, work_request=job.request)
    unit, spare = (shop.name("UNIT") for _ in range(2))
    named(shop, serialise(shop, whole, unit, spare))
    for part, into in ((lid, unit), (other, spare)):
        body = {"job_order": job.id, "quantity": 1, "into": into}
        answer = shop.site.post(f"/lots/{part}/consume", body)
        assert answer.is_success, answer.text
    job.done("report", good=2).done("complete")
    shop.site.done(f"/lots/{unit}/ship", reason="DN-9")

    back = shop.site.get(f"/lots/{unit}/genealogy")
    serials = {one["id"]: one["serial"] for one in back["lots"]}
    assert {serials[one["source"]] for one in back["edges"]} == {lid, ""}
    forward = shop.site.get(f"/lots/{lid}/genealogy", direction="forward")
    assert [serials[one["target"]] for one in forward["edges"]] == [unit]
    assert shop.site.get(f"/lots/{unit}")["lot"]["existence"] == "shipped"
    told = mes("genealogy", unit, "--database", shop.site.database_url)
    assert f" {lid} -> " in told.out
    found = mes("verify", "--json", "--database", shop.site.database_url)
    assert found.plain["problems"] == []
