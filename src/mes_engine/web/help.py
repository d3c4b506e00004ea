"""Pages of help: what each kind of problem means, and the API, without a CDN."""

import asyncio
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from mes_engine.http.catalogue import PROBLEMS
from mes_engine.web.rendering import page

METHODS = ("get", "put", "post", "patch", "delete")


def help_router(app: FastAPI) -> APIRouter:
    """Return the routes of the pages of help."""
    router = APIRouter()

    @router.get("/problems")
    async def list_problems() -> Response:
        """List every kind of problem."""
        return page("problems.html", problems=PROBLEMS.values())

    @router.get("/problems/{slug}")
    async def show_problem(slug: str) -> Response:
        """Say what a kind of problem means, and what to do."""
        if slug not in PROBLEMS:
            raise HTTPException(404, f"There is no kind of problem '{slug[:40]}'.")
        return page("problem.html", problem=PROBLEMS[slug])

    @router.get("/docs")
    async def show_docs() -> Response:
        """Show every operation of the API, from its OpenAPI description."""
        return page("docs.html", **documented(await asyncio.to_thread(app.openapi)))

    @router.get("/openapi.json")
    async def show_openapi() -> Response:
        """Give the OpenAPI description; putting it together takes a second, once."""
        return JSONResponse(await asyncio.to_thread(app.openapi))

    return router


def documented(openapi: dict[str, Any]) -> dict[str, Any]:
    """Return what the page of the API shows of its OpenAPI description."""
    schemas = openapi.get("components", {}).get("schemas", {})
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in openapi["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                tag = next(iter(operation.get("tags", ())), "other")
                groups.setdefault(tag, []).append(
                    {
                        "method": method.upper(),
                        "path": path,
                        "id": operation["operationId"],
                        "told": operation.get("description")
                        or operation.get("summary", ""),
                        "parameters": operation.get("parameters", ()),
                        "body": _body_members(operation, schemas),
                        "statuses": sorted(operation.get("responses", ())),
                    }
                )
    return {"info": openapi["info"], "groups": groups}


def _body_members(
    operation: dict[str, Any], schemas: dict[str, Any]
) -> list[dict[str, Any]]:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            named = schemas[one["$ref"].rsplit("/", 1)[-1]]
            required = named.get("required", ())
            return [
                {
                    "name": name,
                    "is_required": name in required,
                    "type": _type_told(member),
                    "told": member.get("description", ""),
                }
                for name, member in named.get("properties", {}).items()
            ]
    return []


def _type_told(member: dict[str, Any]) -> str:
    if "$ref" in member:
        return str(member["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in member:
        return " or ".join(_type_told(one) for one in member["anyOf"])
    if member.get("type") == "array":
        return f"list of {_type_told(member['items'])}"
    return str(member.get("format") or member.get("type", "any"))
