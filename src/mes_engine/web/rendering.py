"""Pages made of templates: HTML is escaped unless a template says otherwise."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

TEMPLATES = Path(__file__).parent / "templates"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, **shown: Any) -> HTMLResponse:
    """Return the page that ``template`` makes of what is shown."""
    made = _environment.get_template(template)
    return HTMLResponse(made.render(shown), headers={"Cache-Control": "no-cache"})
