"""From the engine's answer to an HTTP answer: the same answer gives the same bytes."""

import msgspec
from starlette.responses import Response

from mes_engine.core.messages import Answer, Outcome
from mes_engine.http.problems import problem

_SLUG_OF: dict[Outcome, str] = {
    Outcome.REFUSED: "refused",
    Outcome.KEY_REUSED: "key-reused",
    Outcome.MALFORMED: "malformed",
    Outcome.NOT_FOUND: "not-found",
}

_encoder = msgspec.json.Encoder(order="sorted")


def answered(answer: Answer) -> Response:
    """Return 200 with ``{result, seq}`` if it was accepted; else the problem."""
    if answer.outcome is Outcome.ACCEPTED:
        body = {"result": answer.result, "seq": answer.seq}
        return Response(_encoder.encode(body), media_type="application/json")
    return problem(
        _SLUG_OF[answer.outcome],
        answer.message,
        hint=answer.hint,
        unmet=answer.unmet,
        allowed=answer.allowed,
    )
