"""Pages made of templates: HTML is escaped unless a template says otherwise."""

from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from mes_engine.web.words import ENGLISH, languages, translated, words_of

TEMPLATES = Path(__file__).parent / "templates"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, *, language: str = ENGLISH, **shown: Any) -> HTMLResponse:
    """Return the page that ``template`` makes of what is shown, in a language."""
    made = _environment.get_template(template)
    body = made.render(
        shown,
        language=language,
        languages=languages(),
        words=words_of(language),
        t=partial(translated, language),
    )
    headers = {
        "Cache-Control": "no-cache",
        "Content-Language": language,
        "Vary": "Accept-Language, Cookie",
    }
    return HTMLResponse(body, headers=headers)
