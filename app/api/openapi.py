"""`/api/v1/openapi.json`: the OpenAPI 3.1 document, made from the operations and their models."""

import re
from functools import cache
from typing import Any

import orjson
from flask import Response, current_app, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.blueprint import api
from app.api.operations import OPERATIONS, Operation
from app.api.problems import MIME, TYPES, Problem
from app.context import Context

VERSION = "1.0.0"
REFERENCE = "#/components/schemas/{model}"
ALWAYS = (400, 401, 403, 429, 500, 503)
_IN_PATH = re.compile(r"<(?:(\w+):)?(\w+)>")
_ID = {"type": "string", "pattern": "^[^/]+$"}
_PATH_SCHEMAS: dict[str, dict[str, str]] = {"uuid": {"type": "string", "format": "uuid"}}


@api.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The document itself; no key is needed to read it."""
    context: Context = current_app.extensions["recoup"]
    response = Response(orjson.dumps(document(context.settings.base_url())), mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    return response.make_conditional(request)


@cache
def document(base_url: str) -> dict[str, Any]:
    """The whole document for an API at `base_url`."""
    answers = {(operation.answers, "serialization") for operation in OPERATIONS.values()}
    bodies = {(operation.takes, "validation") for operation in OPERATIONS.values() if operation.takes}
    models: list[Any] = [*answers, *bodies, (Problem, "serialization")]
    _, schemas = models_json_schema(sorted(models, key=lambda one: one[0].__name__), ref_template=REFERENCE)
    paths: dict[str, Any] = {}
    for operation in OPERATIONS.values():
        path = "/api/v1" + _IN_PATH.sub(r"{\2}", operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Recoup",
            "version": VERSION,
            "summary": "Failed payments, what is done about them, and whether access should stay.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "responses": {str(status): _problem(status) for status in TYPES},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of the console: rcp_…"}
            },
        },
    }


def _describe(operation: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": "As asked.",
        "content": {"application/json": {"schema": _reference(operation.answers)}},
    }
    responses: dict[str, Any] = {"200": answer}
    if operation.method == "GET":
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
        responses["304"] = {"description": "Nothing has changed since the ETag in `If-None-Match`."}
    for status in sorted({*ALWAYS, *operation.may_fail}):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.description} Needs the scope `{operation.scope}`.".strip(),
        "parameters": [*_path_parameters(operation), *_query_parameters(operation.asks)],
        "responses": responses,
    }
    if operation.takes:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _reference(operation.takes)}},
        }
    return told


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS.get(kind, _ID)}
        for kind, name in _IN_PATH.findall(operation.rule)
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=REFERENCE)
    inlined = schema.get("$defs", {})
    told = []
    for name, property_ in schema.get("properties", {}).items():
        description = property_.pop("description", None)
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        told.append({**parameter, "description": description, "schema": _inline(property_, inlined)})
    return told


def _inline(schema: Any, known: dict[str, Any]) -> Any:
    """References of a parameter's own schema resolved, so that it stands by itself."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return known[schema["$ref"].rpartition("/")[2]]
        return {name: _inline(value, known) for name, value in schema.items()}
    return [_inline(each, known) for each in schema] if isinstance(schema, list) else schema


def _problem(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": TYPES[status][1] + ".",
        "content": {MIME: {"schema": _reference(Problem)}},
    }
    if status in (429, 503):
        told["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return told
