"""Whatever is asked, the API answers as its own OpenAPI document says: requests are drawn from that document, some as
it describes them and some not quite, and every answer is held to it.
"""

import json
import re
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from app.api import openapi
from app.context import Context
from app.vocabulary import CaseState
from tests.integration.api.conftest import Program
from tests.integration.api.test_isolation import customer_of
from tests.integration.console.world import World

DOCUMENT = openapi.document("https://recoup.example.com")
OPERATIONS = [(path, method, told) for path, ways in DOCUMENT["paths"].items() for method, told in ways.items()]
OUR_FAULT = {"500", "503"}
# stand-ins for ids that lead somewhere, which only the test knows
CASES = [f"case:{state}" for state in CaseState]
CUSTOMERS = [f"customer:{state}" for state in CaseState]

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
ANYTHING = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", "0", "-1", "101", "1e9", "NaN", "null", "true", "[]", "' or 1=1 --", "\0", "x" * 300, "٣", "cus_1\n", "a/b"]
)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | ANYTHING, lambda node: st.lists(node, max_size=3))
THOROUGH = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def as_described(schema: dict[str, Any]) -> st.SearchStrategy[list[str]]:
    """What a parameter of this schema may be in an address: its texts, one for each time it is given."""
    if "anyOf" in schema:
        schema = next(each for each in schema["anyOf"] if each["type"] != "null")
    if schema["type"] == "array":
        return st.lists(st.sampled_from(schema["items"]["enum"]), min_size=1, max_size=3)
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["maximum"]).map(lambda number: [str(number)])
    if schema.get("format") == "uuid":
        unknown = st.integers(0, 2**128 - 1).map(lambda number: str(UUID(int=number)))
        return (unknown | st.sampled_from(CASES)).map(lambda text: [text])
    texts = WORDS.filter(lambda text: re.search(schema.get("pattern", ""), text) is not None)
    return (texts | st.sampled_from(CUSTOMERS)).map(lambda text: [text])


def parameters(told: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """For each parameter of an operation its texts and whether they are as described; None where it is left out."""
    drawn: dict[str, st.SearchStrategy[Any]] = {
        "parameter_of_nobody": st.sampled_from([None, None, None, (["1"], False)])
    }
    for parameter in told["parameters"]:
        right = as_described(parameter["schema"]).map(lambda texts: (texts, True))
        wrong = ANYTHING.map(lambda text: ([text or "x"], False))
        given_ = st.booleans().flatmap(lambda is_wrong, right=right, wrong=wrong: wrong if is_wrong else right)
        drawn[parameter["name"]] = given_ if parameter["required"] else st.none() | given_
    return st.fixed_dictionaries(drawn)


def address_of(path: str, told: dict[str, Any], drawn: dict[str, Any], known: dict[str, str]) -> str:
    in_path = [each["name"] for each in told["parameters"] if each["in"] == "path"]
    for name in in_path:
        text = drawn[name][0][0]
        path = path.replace(f"{{{name}}}", quote(known.get(text, text), safe=""))
    rest = [(name, one[0]) for name, one in drawn.items() if one and name not in in_path]
    return f"{path}?{urlencode([(name, known.get(text, text)) for name, texts in rest for text in texts])}"


def resolve(node: dict[str, Any]) -> Any:
    found: Any = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def check(told: dict[str, Any], answer: TestResponse) -> None:
    """Status, kind of content and body are among those that the document has for this operation."""
    status = str(answer.status_code)
    assert status in told["responses"].keys() - OUR_FAULT, answer.text
    response = told["responses"][status]
    response = resolve(response) if "$ref" in response else response
    assert answer.mimetype in response["content"]
    schema = response["content"][answer.mimetype]["schema"] | {"components": DOCUMENT["components"]}
    OAS31Validator(schema).validate(answer.json)


READING = st.one_of(
    [st.tuples(st.just(path), st.just(told), parameters(told)) for path, way, told in OPERATIONS if way == "get"]
)
WRITING = st.sampled_from([(path, told) for path, _, told in OPERATIONS if "requestBody" in told])


@pytest.fixture
def known(context: Context, world: World) -> dict[str, str]:
    cases = {f"case:{state}": str(world.case_ids[state]) for state in CaseState}
    return cases | {f"customer:{state}": customer_of(context, world, state) for state in CaseState}


@THOROUGH
@given(asked=READING)
def test_every_address_is_answered_as_the_document_says(
    program: Program, known: dict[str, str], asked: tuple[str, dict[str, Any], dict[str, Any]]
) -> None:
    path, told, drawn = asked
    is_right = all(one[1] for one in drawn.values() if one)
    answer = program.get(address_of(path, told, drawn, known))
    if answer.status_code == 404 and "404" not in told["responses"]:
        assert not is_right  # an address that is none, such as one with a slash in an id
        return
    check(told, answer)
    if is_right and answer.status_code == 400:
        assert [each["where"] for each in answer.json["errors"]] == ["cursor"]  # words that are no cursor of ours
    if drawn["parameter_of_nobody"]:
        assert answer.status_code in (400, 404)


@THOROUGH
@given(asked=WRITING, data=st.data())
def test_every_body_is_taken_or_refused_as_the_document_says(
    program: Program, known: dict[str, str], asked: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    path, told = asked
    schema = resolve(told["requestBody"]["content"]["application/json"]["schema"])
    names = sorted(schema["properties"])
    values = st.sampled_from(["cus_1", "a b", "x" * 300]) | JSON
    wish = st.fixed_dictionaries(dict.fromkeys(names, values))
    body = data.draw(wish | st.dictionaries(st.sampled_from([*names, "x"]), values) | JSON)
    answer = program.ask("POST", path, data=json.dumps(body))
    check(told, answer)
    is_right = OAS31Validator(schema | {"components": DOCUMENT["components"]}).is_valid(body)
    assert (answer.status_code == 200) == is_right, body
