"""Problem documents (RFC 9457): how every error is answered, and how that stands in a service's OpenAPI."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Unreadable request",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    408: "Too slow",
    409: "Refused",
    413: "Too large",
    422: "Invalid request",
    429: "Too many requests",
    500: "Our fault",
    503: "Not now",
}


class Problem(BaseModel):
    """Why a request was not carried out, and the way out."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, details: Mapping[str, object] | None = None
) -> JSONResponse:
    """A problem document; `details` are what a program may want to read besides the sentence."""
    said = Problem(type="about:blank", title=TITLES.get(status, "Request failed"), status=status, detail=detail)
    return JSONResponse({**said.model_dump(), **(details or {})}, status, headers, media_type=MEDIA_TYPE)


def declared() -> dict[int | str, dict[str, Any]]:
    """The problems that any route may answer with, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": title, "content": content} for status, title in TITLES.items()}


def describe(openapi: dict[str, Any], key_header: str) -> dict[str, Any]:
    """An OpenAPI document with what FastAPI cannot see: problems, and the header of idempotency keys."""
    openapi.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    key = {"name": key_header, "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
    key["description"] = "The same key with the same request gets the first answer again."
    for methods in openapi["paths"].values():
        if "post" in methods:
            methods["post"]["parameters"] = [*methods["post"].get("parameters", []), key]
    return openapi
