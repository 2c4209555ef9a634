"""The OpenAPI document: valid, complete, and true of what is answered."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from app.api.operations import OPERATIONS
from app.context import Context
from app.vocabulary import CaseState
from tests.integration.api.conftest import Program
from tests.integration.api.test_isolation import customer_of
from tests.integration.console.world import World


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def resolve(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_every_operation_is_described_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    described = [each for path in document["paths"].values() for each in path.values()]
    assert {each["operationId"] for each in described} == {each.name for each in OPERATIONS.values()}
    for each in described:
        assert each["summary"]
        assert {"200", "401", "429"} <= each["responses"].keys()
    for reference in references(document):
        assert resolve(document, reference)


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_what_is_answered_is_as_it_is_described(
    document: dict[str, Any], program: Program, context: Context, world: World, now: datetime
) -> None:
    asked = [("list_cases", program.get("/api/v1/cases?limit=100"))]
    for state in CaseState:
        customer = customer_of(context, world, state)
        asked += [
            ("get_case", program.get(f"/api/v1/cases/{world.case_ids[state]}")),
            ("customer_status", program.get(f"/api/v1/customers/{customer}/status")),
            ("entitlement", program.get(f"/api/v1/entitlements/{customer}")),
        ]
    asked.append(("make_embed_token", program.ask("POST", "/api/v1/embed-tokens", json={"customer": "cus_1"})))
    for name, answer in asked:
        assert answer.status_code == 200, name
        check(document, name, answer)
    check(document, "list_cases", program.get("/api/v1/cases?limit=x"))
    assert {name for name, _ in asked} == {each.name for each in OPERATIONS.values()}


def check(document: dict[str, Any], name: str, answer: TestResponse) -> None:
    described = next(
        each for path in document["paths"].values() for each in path.values() if each["operationId"] == name
    )
    response = described["responses"][str(answer.status_code)]
    response = resolve(document, response["$ref"]) if "$ref" in response else response
    schema = response["content"][answer.mimetype]["schema"] | {"components": document["components"]}
    OAS31Validator(schema).validate(answer.json)
