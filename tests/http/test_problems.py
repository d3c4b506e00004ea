"""Every error is a problem+json that says what, why, and what to do."""

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from mes_engine.core.messages import Answer, Outcome
from mes_engine.http.answers import answered
from mes_engine.http.catalogue import PROBLEMS
from mes_engine.http.problems import MEDIA_TYPE, install_problem_handlers, problem
from mes_engine.ports import StoreUnavailable
from tests.http.asking import HEADERS, asking


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("refused", 409),
        ("key-reused", 422),
        ("malformed", 422),
        ("not-found", 404),
        ("overloaded", 503),
        ("outcome-unknown", 503),
    ],
)
async def test_a_deliberate_error_has_its_status_and_a_page_of_help(
    how: str, status: int
) -> None:
    async with asking() as client:
        answer = await client.get(f"/things/fail/{how}")
    body = answer.json()
    assert answer.status_code == status == body["status"]
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert body["type"] == f"/problems/{how}"
    assert body["detail"]
    assert ("retry-after" in answer.headers) is (status == 503)


async def test_a_refusal_names_the_unmet_conditions_and_what_is_allowed() -> None:
    async with asking() as client:
        body = (await client.get("/things/fail/refused")).json()
    assert body == {
        "type": "/problems/refused",
        "title": "Not allowed now",
        "status": 409,
        "detail": "JO-1 cannot be loaded.",
        "hint": "Release it.",
        "unmet": ["no_hold: H-1 by Jan"],
        "allowed": ["release"],
    }


@pytest.mark.parametrize("how", ["bug", "source-lost"])
async def test_an_unforeseen_error_shows_a_reference_and_nothing_else(
    how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with asking() as client:
        answer = await client.get(f"/things/fail/{how}")
    body = answer.json()
    assert answer.status_code == 500
    assert set(body) == {"type", "title", "status", "detail", "reference"}
    assert "hunter2" not in answer.text
    assert body["reference"] in capsys.readouterr().out


async def test_pages_and_methods_that_do_not_exist_are_problems_too() -> None:
    async with asking() as client:
        lost = await client.get("/nowhere")
        wrong = await client.get("/things/a/report")
    assert (lost.status_code, lost.json()["type"]) == (404, "/problems/not-found")
    assert wrong.json()["type"] == "/problems/method-not-allowed"
    assert wrong.headers["allow"] == "POST"


async def test_each_invalid_member_is_named_by_its_pointer() -> None:
    async with asking() as client:
        answer = await client.post(
            "/things/a/report", json={"good": "x", "colour": 1}, headers=HEADERS
        )
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "#/good", "detail": "'x' is no decimal number"},
        {"pointer": "#/colour", "detail": "Extra inputs are not permitted"},
    ]


async def test_an_invalid_path_or_parameter_is_named() -> None:
    async with asking() as client:
        answer = await client.post("/things/a b/release", headers=HEADERS)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "thing"


def test_the_same_answer_gives_the_same_bytes() -> None:
    first = Answer(
        outcome=Outcome.ACCEPTED, result={"state": "x", "job_order": "JO-1"}, seq=7
    )
    again = Answer(
        outcome=Outcome.ACCEPTED, result={"job_order": "JO-1", "state": "x"}, seq=7
    )
    assert answered(first).body == answered(again).body
    assert answered(first).status_code == 200


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.REFUSED, 409),
        (Outcome.KEY_REUSED, 422),
        (Outcome.MALFORMED, 422),
        (Outcome.NOT_FOUND, 404),
    ],
)
def test_every_other_outcome_is_a_problem(outcome: Outcome, status: int) -> None:
    answer = answered(Answer(outcome=outcome, message="No."))
    assert answer.status_code == status
    assert answer.media_type == MEDIA_TYPE


def test_every_kind_of_problem_says_what_to_do() -> None:
    for slug, kind in PROBLEMS.items():
        assert kind.slug == slug
        assert kind.remedy.endswith(".")
        assert problem(slug, "It.").status_code == kind.status


async def test_a_database_that_does_not_answer_is_worth_a_retry() -> None:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/stock")
    async def stock() -> None:
        raise StoreUnavailable("disk I/O error")

    async with AsyncClient(
        transport=ASGITransport(app), base_url="http://test"
    ) as client:
        answer = await client.get("/stock")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert "disk I/O error" in answer.json()["detail"]
