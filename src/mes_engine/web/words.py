"""The words of the pages in the language of whoever reads them.

English is what the source says; ``languages/<code>.json`` has the others, by the
English text. What the engine itself says (why a thing is refused) is English so far.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request

ENGLISH = "en"
COOKIE = "mes_language"
FOLDER = Path(__file__).parent / "languages"


@cache
def languages() -> dict[str, str]:
    """Return the languages that there are, by code: each by its own name."""
    known = {
        path.stem: words_of(path.stem)["English"] for path in FOLDER.glob("*.json")
    }
    return {ENGLISH: "English", **dict(sorted(known.items()))}


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Return the words of a language, by the English text; none for English itself."""
    if language == ENGLISH:
        return {}
    words: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return words


def language_of(request: Request) -> str:
    """Return the language that was chosen, else the first known that is asked for."""
    asked = request.headers.get("accept-language", "")[:200].split(",")
    wanted = [request.cookies.get(COOKIE, "")]
    wanted += [one.partition(";")[0].strip().partition("-")[0].lower() for one in asked]
    return next((one for one in wanted if one in languages()), ENGLISH)


def translated(language: str, text: str, **values: object) -> str:
    """Return ``text`` in a language, with its ``{names}`` filled in.

    Example:
        >>> translated("en", "Waiting at {place}", place="Saws")
        'Waiting at Saws'
    """
    told = words_of(language).get(text, text)
    for name, value in values.items():
        told = told.replace(f"{{{name}}}", str(value))
    return told
