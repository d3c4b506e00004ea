"""What every command carries in its headers, and the message that is made of it."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header, Request
from fastapi.exceptions import RequestValidationError

from mes_engine.core.messages import Command, Commanded
from mes_engine.http.bodies import ExactRequest

ORIGIN = "http"
MAX_NAME = 64
MAX_PERSON_HEADER = 600
KEY_PATTERN = r"^[A-Za-z0-9._:-]{8,128}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends a command, under which key, and the digest of what was sent."""

    person: str
    key: str
    digest: str

    def commanded(self, command: Command, *, at: int) -> Commanded:
        """Return ``command`` as the engine takes it."""
        return Commanded(
            origin=ORIGIN,
            key=self.key,
            digest=self.digest,
            person=self.person,
            at=at,
            command=command,
        )


def person_named(
    sent: Annotated[
        str,
        Header(
            alias="X-Person",
            min_length=1,
            max_length=MAX_PERSON_HEADER,
            description="The person's name; percent-encoded where it is not ASCII.",
            examples=["Maria"],
        ),
    ],
) -> str:
    """Return the name of the person who acts.

    Raises:
        RequestValidationError: It is empty, too long, or not printable text.
    """
    try:
        raw = sent.encode("latin-1").decode()
        name = unicodedata.normalize("NFC", unquote(raw, errors="strict")).strip()
    except UnicodeError:
        name = ""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise RequestValidationError(
            [
                {
                    "type": "value_error",
                    "loc": ("header", "X-Person"),
                    "msg": f"a name is 1 to {MAX_NAME} printable characters",
                    "input": None,
                }
            ]
        )
    return name


Person = Annotated[str, Depends(person_named)]


async def sender_of(
    request: Request,
    person: Person,
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            pattern=KEY_PATTERN,
            description="Made when the button was pressed; the same for every retry.",
            examples=["0d9f2c0f7a8e4c1b"],
        ),
    ],
) -> Sender:
    """Return who sends this command, by its headers."""
    exact = request if isinstance(request, ExactRequest) else _exact(request)
    body = await exact.json()
    return Sender(
        person=person,
        key=key,
        digest=digest_of(
            method=request.method, path=request.url.path, person=person, body=body
        ),
    )


CommandSender = Annotated[Sender, Depends(sender_of)]


def digest_of(*, method: str, path: str, person: str, body: object) -> str:
    """Return what tells this command from another under the same key.

    The body counts as it was read: neither the order of its members nor its white
    space matters.
    """
    canonical = json.dumps(
        [method, path, person, body],
        sort_keys=True,
        separators=(",", ":"),
        default=str,
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _exact(request: Request) -> ExactRequest:
    exact = ExactRequest(request.scope, request.receive)
    if hasattr(request, "_body"):
        exact._body = request._body  # noqa: SLF001 - what FastAPI has read is spent
    return exact
