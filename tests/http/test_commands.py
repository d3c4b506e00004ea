"""The headers of a command, and the digest that tells a retry from another command."""

from urllib.parse import quote

import httpx
import pytest

from tests.http.asking import HEADERS, asking


async def sent(path: str = "/things/a/report", **changed: object) -> httpx.Response:
    body = changed.pop("json", {"good": "1"})
    headers = HEADERS | {
        name.replace("_", "-"): str(value) for name, value in changed.items()
    }
    async with asking() as client:
        return await client.post(path, json=body, headers=headers)


async def digest(path: str = "/things/a/report", **changed: object) -> str:
    answer = await sent(path, **changed)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["digest"])


@pytest.mark.parametrize("missing", ["Idempotency-Key", "X-Person"])
async def test_a_command_without_its_headers_is_a_400(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    async with asking() as client:
        answer = await client.post("/things/a/report", json={}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/bad-header"
    assert answer.json()["errors"] == [{"header": missing, "detail": "Field required"}]


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space!", "slash/slash"])
async def test_a_key_is_of_a_stated_form(key: str) -> None:
    assert (await sent(Idempotency_Key=key)).status_code == 400


@pytest.mark.parametrize("name", ["%00abc", "%20", "a%0Ab", quote("x" * 65), "%ff"])
async def test_a_name_is_printable_text(name: str) -> None:
    answer = await sent(X_Person=name)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["header"] == "X-Person"


async def test_a_name_may_be_any_letters() -> None:
    answer = await sent(X_Person=quote("Łukasz Żółć"))
    assert answer.json()["person"] == "Łukasz Żółć"


async def test_a_retry_has_the_same_digest_whatever_the_order_of_its_members() -> None:
    first = await digest(json={"good": "1", "note": "n"})
    again = await digest(json={"note": "n", "good": "1"}, Idempotency_Key="press-0002")
    assert first == again


async def test_another_body_path_or_person_has_another_digest() -> None:
    digests = {
        await digest(),
        await digest(json={"good": "2"}),
        await digest(json={"good": 1}),
        await digest("/things/b/report"),
        await digest("/things/a/release"),
        await digest(X_Person="Jan"),
    }
    assert len(digests) == 6
