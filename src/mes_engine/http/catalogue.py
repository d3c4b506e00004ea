"""The kinds of problems that the API answers with, and what to do about each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemKind:
    """One kind of problem.

    Attributes:
        slug: Names it for ever: ``/problems/<slug>``.
        meaning: What happened, and what did not.
        remedy: What the caller does next.
        is_general: Whether it also stands for its status, where nothing more is known.
        is_worth_a_retry: Whether the same request may do better a moment later.
    """

    slug: str
    status: int
    title: str
    meaning: str
    remedy: str
    is_general: bool = False
    is_worth_a_retry: bool = False


_KINDS = (
    ProblemKind(
        slug="refused",
        status=409,
        title="Not allowed now",
        meaning="The command was understood, and the present state does not allow it. "
        "Nothing changed. The answer is kept: the same key is answered the same way.",
        remedy="Read `unmet`: each is a condition that does not hold, and why. "
        "`allowed` lists what would be accepted. Mend the condition, then send the "
        "command again with a new Idempotency-Key.",
        is_general=True,
    ),
    ProblemKind(
        slug="key-reused",
        status=422,
        title="This key belongs to another command",
        meaning="The Idempotency-Key was used before, with another body, path or "
        "person. Nothing changed.",
        remedy="Make a new key for each press of a button; keep it for retries only.",
    ),
    ProblemKind(
        slug="malformed",
        status=422,
        title="No state would allow this value",
        meaning="A value is outside what is possible at all. Nothing changed, and the "
        "key is not used up.",
        remedy="Correct the value that the detail names and send it again.",
    ),
    ProblemKind(
        slug="invalid",
        status=422,
        title="The request is not filled in correctly",
        meaning="One or more members of the body, or parameters, are missing, unknown "
        "or of the wrong form. Nothing changed.",
        remedy="`errors` names each of them: a JSON pointer into the body, or the "
        "parameter.",
        is_general=True,
    ),
    ProblemKind(
        slug="bad-header",
        status=400,
        title="A header is missing or unusable",
        meaning="Every command carries an Idempotency-Key (8 to 128 of A-Z a-z 0-9 "
        ". _ : -) and an X-Person (a name of 1 to 64 characters, percent-encoded "
        "UTF-8 where it is not plain ASCII). Nothing changed.",
        remedy="Send both headers.",
    ),
    ProblemKind(
        slug="not-json",
        status=400,
        title="The body is not JSON",
        meaning="The body could not be read as JSON (RFC 8259). Nothing changed.",
        remedy="Send UTF-8 JSON, without NaN, Infinity or a name twice in an object, "
        "nested at most 32 deep.",
    ),
    ProblemKind(
        slug="bad-request",
        status=400,
        title="The request cannot be read",
        meaning="The request itself is wrong, before its content was looked at.",
        remedy="Read the detail, and mend the request.",
        is_general=True,
    ),
    ProblemKind(
        slug="no-token",
        status=401,
        title="The token is missing or not ours",
        meaning="A gateway names the site's token in its Authorization header. Nothing "
        "was taken.",
        remedy="Set MES_GATEWAY_TOKEN for the gateway, as `gateway.token` has it in "
        "the engine's site.yaml.",
        is_general=True,
    ),
    ProblemKind(
        slug="not-found",
        status=404,
        title="There is no such thing",
        meaning="The thing or the page named does not exist.",
        remedy="Check the name; lists such as /api/v1/job-orders show what there is.",
        is_general=True,
    ),
    ProblemKind(
        slug="method-not-allowed",
        status=405,
        title="This page takes other methods",
        meaning="The path exists, but not with this method.",
        remedy="The Allow header names the methods that it takes.",
        is_general=True,
    ),
    ProblemKind(
        slug="too-slow",
        status=408,
        title="The request took too long to arrive",
        meaning="The body did not arrive within 10 seconds. Nothing changed.",
        remedy="Send it again with the same key.",
        is_general=True,
        is_worth_a_retry=True,
    ),
    ProblemKind(
        slug="too-large",
        status=413,
        title="The body is too large",
        meaning="A body has at most 1 MiB. Nothing changed.",
        remedy="Send less at a time.",
        is_general=True,
    ),
    ProblemKind(
        slug="not-json-media",
        status=415,
        title="The body is not declared as JSON",
        meaning="A body came with another Content-Type than application/json.",
        remedy="Send `Content-Type: application/json`.",
        is_general=True,
    ),
    ProblemKind(
        slug="too-many-headers",
        status=431,
        title="Too many headers",
        meaning="A request has at most 100 headers.",
        remedy="Send fewer.",
        is_general=True,
    ),
    ProblemKind(
        slug="overloaded",
        status=503,
        title="Busy: nothing was taken",
        meaning="The engine's inbox is full, or it is stopping. Nothing changed.",
        remedy="Wait as Retry-After says, then send it again with the same key.",
        is_general=True,
        is_worth_a_retry=True,
    ),
    ProblemKind(
        slug="outcome-unknown",
        status=503,
        title="It may or may not have happened",
        meaning="The answer of the database is missing. The command may have been "
        "carried out.",
        remedy="Send it again with the same key: it happens once, and the answer "
        "says what became of it.",
        is_worth_a_retry=True,
    ),
    ProblemKind(
        slug="unexpected",
        status=500,
        title="An error on our side",
        meaning="Something failed that nobody foresaw. It is in the log, under the "
        "reference.",
        remedy="Send a command again with the same key; it never happens twice. Tell "
        "the plant's IT the reference.",
        is_general=True,
    ),
    ProblemKind(
        slug="other",
        status=400,
        title="The request was not carried out",
        meaning="See the status and the detail.",
        remedy="Read the detail.",
    ),
)

PROBLEMS: dict[str, ProblemKind] = {kind.slug: kind for kind in _KINDS}
"""Every kind of problem, by slug."""
