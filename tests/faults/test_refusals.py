"""What is wrong is refused with its reasons, over the wire, and changes nothing."""

import json
from typing import Any

import httpx
import pytest

from tests.faults.conftest import Shop
from tests.faults.load import BENCH, job_of, order
from tests.faults.people import Body, release_routing

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROBLEM = "application/problem+json"


def chain() -> Body:
    """Return a routing of three steps that hands on piece by piece."""
    steps = ("10", "20", "30")
    return {
        "id": "chain",
        "revision": "A",
        "material": "CHAIN-1",
        "unit": "C62",
        "steps": [
            {
                "id": step,
                "name": f"Step {step}",
                "work_center": "INSPECTION",
                "equipment_class": "inspection",
            }
            for step in steps
        ],
        "connections": [
            {"kind": "quantity", "source": a, "target": b, "transfer_batch": "1"}
            for a, b in (("10", "20"), ("20", "30"))
        ],
    }


async def refused(shop: Shop, path: str, body: Body | None = None) -> dict[str, Any]:
    """Give a command that must be refused; return the problem."""
    answer = await shop.clerk.command(path, body)
    assert answer.status == 409, answer
    return answer.plain()


async def head(shop: Shop) -> int:
    """Return the number of the last fact."""
    return int((await shop.clerk.items("/facts"))[-1]["seq"])


async def test_step_30_waits_for_10_and_20(shop: Shop) -> None:
    await release_routing(shop.clerk, chain())
    await order(shop.clerk, "F-CHAIN", "chain", 5)
    shown = await shop.clerk.get("/work-requests/F-CHAIN")
    assert [one["step"] for one in shown["job_orders"]] == ["10"], "nothing to jump to"

    first = await job_of(shop.clerk, "F-CHAIN", "10")
    for command, body in (("load", {"work_unit": BENCH}), ("begin", None)):
        await shop.clerk.done(f"/job-orders/{first}/{command}", body)
    second = await job_of(shop.clerk, "F-CHAIN", "20")
    assert await refused(
        shop, f"/job-orders/{second}/load", {"work_unit": BENCH}
    ) == waits(second, "load", "10")

    await shop.clerk.done(f"/job-orders/{first}/report", {"good": "2"})
    for command, body in (("load", {"work_unit": BENCH}), ("begin", None)):
        await shop.clerk.done(f"/job-orders/{second}/{command}", body)
    third = await job_of(shop.clerk, "F-CHAIN", "30")
    for trigger, body in (
        ("load", {"work_unit": BENCH}),
        ("begin", None),
        ("report", {"good": "1"}),
        ("complete", None),
    ):
        told = await refused(shop, f"/job-orders/{third}/{trigger}", body)
        assert told == waits(third, trigger, "20")
    shown = await shop.clerk.get(f"/job-orders/{third}")
    assert shown["state"] == "allowed_to_start.waiting"
    assert shown["blocked"] == ["no pieces of F-CHAIN have come from step 20 yet"]
    for job in (first, second):
        await shop.cleared(job)


def waits(job: str, trigger: str, step: str) -> dict[str, Any]:
    """Return how a job order is refused that waits for pieces of ``step``."""
    return {
        "type": "/problems/refused",
        "title": "Not allowed now",
        "status": 409,
        "detail": f"'{trigger}' is not allowed while {job} is "
        "'allowed_to_start.waiting'.",
        "hint": "Allowed now: abort, cancel, revoke_start, update.",
        "unmet": [
            f"upstream_quantity: no pieces of F-CHAIN have come from step {step} yet"
        ],
        "allowed": ["abort", "cancel", "revoke_start", "update"],
    }


async def test_complete_takes_what_was_reported_and_never_the_target(
    shop: Shop,
) -> None:
    job = await shop.begun("F-COMPLETE", 10)
    await shop.clerk.done(f"/job-orders/{job}/report", {"good": "4"})
    told = await refused(shop, f"/job-orders/{job}/complete")
    why = "queued 6, in process 0, suspect 0 C62 not accounted for"
    assert told == {
        "type": "/problems/refused",
        "title": "Not allowed now",
        "status": 409,
        "detail": f"'complete' of {job} is refused: {why}.",
        "hint": "Can be mended by: the operator.",
        "unmet": [f"quantity_accounted: {why}"],
        "allowed": ["abort", "begin_setup", "hold", "pause", "report", "stop"],
    }
    shown = await shop.clerk.get(f"/job-orders/{job}")
    assert (shown["state"], shown["good"]) == ("running.processing", "4")

    missing = {"lost": "1", "scrap": [{"quantity": "2", "reason": "bent"}]}
    body = {"good": "3", "reason": "not found", **missing}
    await shop.clerk.done(f"/job-orders/{job}/report", body)
    await shop.clerk.done(f"/job-orders/{job}/complete")
    shown = await shop.clerk.get(f"/job-orders/{job}")
    assert (shown["good"], shown["scrap"], shown["lost"]) == ("7", "2", "1")


async def test_more_than_is_there_is_refused(shop: Shop) -> None:
    job = await shop.begun("F-MORE", 10)
    told = await refused(shop, f"/job-orders/{job}/report", {"good": "1000000000"})
    assert told["unmet"] == [
        "quantity_accounted: 1000000000 reported, 10 there, 0 more tolerated"
    ]
    assert "report" in told["allowed"]
    assert (await shop.clerk.get(f"/job-orders/{job}"))["good"] == "0"
    await shop.cleared(job)


INVALID = {
    '"-1"': "the quantity -1 is negative",
    "-1": "the quantity -1 is negative",
    "-0.000001": "the quantity -0.000001 is negative",
    "NaN": "the quantity NaN is not a number",
    '"NaN"': "the quantity NaN is not a number",
    "Infinity": "the quantity Infinity is not a number",
    '"-Infinity"': "the quantity -Infinity is not a number",
    "1e30": "the quantity is above the maximum of 1,000,000,000",
    '"1000000001"': "the quantity is above the maximum of 1,000,000,000",
    "1e-7": "the quantity has more than 6 decimals",
    '"abc"': "'abc' is no decimal number",
    '"1,5"': "'1,5' is no decimal number",
    '"0x10"': "'0x10' is no decimal number",
    '"\\u0661"': "'\u0661' is no decimal number",
    '""': "'' is no decimal number",
    "true": "a quantity is a number",
    "null": "a quantity is a number, or a decimal as text",
    "{}": "a quantity is a number, or a decimal as text",
}
MALFORMED = {
    '"0.5"': "The good quantity 0.5 is finer than the unit C62 (piece) allows: at most "
    "0 decimals.",
    '"0"': "The report on {job} has neither quantity nor time.",
}


async def sent(shop: Shop, path: str, content: str, key: str) -> httpx.Response:
    """Send a body as it is."""
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    return await shop.clerk.asked("POST", path, content=content, headers=headers)


async def test_a_quantity_that_is_none_is_refused_and_uses_no_key_up(
    shop: Shop,
) -> None:
    job = await shop.begun("F-AMOUNTS", 10)
    path, key, before = f"/job-orders/{job}/report", "amounts-1", await head(shop)
    for raw, why in INVALID.items():
        answer = await sent(shop, path, f'{{"good": {raw}}}', key)
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json() == {
            "type": "/problems/invalid",
            "title": "The request is not filled in correctly",
            "status": 422,
            "detail": f"#/good: {why}.",
            "errors": [{"pointer": "#/good", "detail": why}],
        }
    for raw, why in MALFORMED.items():
        answer = await sent(shop, path, f'{{"good": {raw}}}', key)
        told = answer.json()
        assert (answer.status_code, told["type"]) == (422, "/problems/malformed")
        assert told["detail"] == why.format(job=job)
    for name in ("scrap", "suspect", "lost", "tested"):
        value = '[{"quantity": -1, "reason": "r"}]' if name == "scrap" else "-1"
        answer = await sent(shop, path, f'{{"{name}": {value}}}', key)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["detail"] == "the quantity -1 is negative"

    assert await head(shop) == before, "a refused value leaves nothing behind"
    answer = await sent(shop, path, '{"good": 1}', key)
    assert answer.status_code == 200
    assert (await shop.clerk.get(f"/job-orders/{job}"))["good"] == "1"
    await shop.cleared(job)


NOT_JSON = ("good=1", '{"good": 1', "\x00", "{'good': 1}", '{"good": "1", "good": "2"}')


async def test_a_body_that_is_not_json_is_refused(shop: Shop) -> None:
    job = await shop.begun("F-JSON", 10)
    path, before = f"/job-orders/{job}/report", await head(shop)
    for raw in (*NOT_JSON, "[" * 40 + "]" * 40):
        answer = await sent(shop, path, raw, "not-json-1")
        assert answer.headers["content-type"] == PROBLEM
        told = answer.json()
        assert (told["status"], told["type"]) == (400, "/problems/not-json"), raw
        assert told["title"] == "The body is not JSON"
    for raw in ("[1]", '"text"', "null", "7", ""):
        answer = await sent(shop, path, raw, "not-json-1")
        told = answer.json()
        assert (told["status"], told["type"]) == (422, "/problems/invalid"), raw
        assert told["errors"][0]["pointer"] == "#"
    answer = await shop.clerk.asked(
        "POST",
        path,
        content=json.dumps({"good": "1"}),
        headers={"Idempotency-Key": "not-json-1", "Content-Type": "text/plain"},
    )
    told = answer.json()
    assert (told["status"], told["type"]) == (415, "/problems/not-json-media")

    assert await head(shop) == before
    await shop.cleared(job)


UNKNOWN = {
    "/job-orders/JO-999999/complete": "There is no job order 'JO-999999'.",
    "/work-requests/nothing/release": "There is no work request 'nothing'.",
    "/work-units/nothing/dispatch": "There is no work unit 'nothing'.",
    "/holds/H-999999/release": "There is no hold 'H-999999'.",
}


async def test_what_is_not_there_is_not_found(shop: Shop) -> None:
    for path, why in UNKNOWN.items():
        answer = await shop.clerk.asked(
            "POST",
            path,
            headers={"Idempotency-Key": f"unknown{path}".replace("/", ".")},
        )
        told = answer.json()
        assert answer.headers["content-type"] == PROBLEM
        assert (told["status"], told["type"]) == (404, "/problems/not-found")
        assert told["detail"] == why
    body = {
        "work_request": "F-UNKNOWN",
        "routing": "nothing",
        "quantity": "5",
        "due_at": "2030-01-01T00:00:00Z",
    }
    answer = await shop.clerk.asked(
        "POST", "/work-requests", json=body, headers={"Idempotency-Key": "unknown-1"}
    )
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no routing 'nothing'."
    for path in ("/job-orders/JO-999999", "/work-requests/F-UNKNOWN"):
        answer = await shop.clerk.asked("GET", path)
        assert (answer.status_code, answer.json()["type"]) == (
            404,
            "/problems/not-found",
        )


async def test_a_command_without_key_or_person_is_refused(shop: Shop) -> None:
    job = await shop.begun("F-HEADERS", 10)
    url = f"{shop.engine.url}/api/v1/job-orders/{job}/report"
    both = {"Idempotency-Key": "headers-1", "X-Person": "Clara"}
    async with httpx.AsyncClient(trust_env=False) as http:
        for missing in both:
            headers = {name: both[name] for name in both if name != missing}
            answer = await http.post(url, json={"good": "1"}, headers=headers)
            assert answer.json() == {
                "type": "/problems/bad-header",
                "title": "A header is missing or unusable",
                "status": 400,
                "detail": f"{missing}: Field required.",
                "errors": [{"header": missing, "detail": "Field required"}],
            }
    assert (await shop.clerk.get(f"/job-orders/{job}"))["good"] == "0"
    await shop.cleared(job)
