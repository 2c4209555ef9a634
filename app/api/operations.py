"""What the API can be asked, in one table: each operation with its scope, what it takes and what it answers.

The routes, the checks of what comes in and the OpenAPI document are all made from it, so they cannot say different
things. Knows no operation's business.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.datastructures import MultiDict

from app.api.problems import FieldProblem, Refused, invalid
from app.vocabulary import ApiScope

View = Callable[..., BaseModel]


@dataclass(frozen=True)
class Operation:
    """One thing to ask. `asks` are the parameters in the address, `takes` is the body, both checked before `view`."""

    name: str
    rule: str
    method: str
    scope: ApiScope
    answers: type[BaseModel]
    asks: type[BaseModel] | None
    takes: type[BaseModel] | None
    may_fail: tuple[int, ...]
    max_age: int
    view: View

    @property
    def summary(self) -> str:
        return self._doc[0].rstrip(".")

    @property
    def description(self) -> str:
        return " ".join(" ".join(self._doc[1:]).split())

    @property
    def _doc(self) -> list[str]:
        return (self.view.__doc__ or self.name).strip().split("\n")


OPERATIONS: dict[str, Operation] = {}


def operation(
    rule: str,
    *,
    answers: type[BaseModel],
    method: str = "GET",
    scope: ApiScope = ApiScope.READ,
    asks: type[BaseModel] | None = None,
    takes: type[BaseModel] | None = None,
    may_fail: tuple[int, ...] = (),
    max_age: int = 0,
) -> Callable[[View], View]:
    """List the decorated view. Its docstring is what the OpenAPI document says; an answer may be kept for `max_age`
    seconds, or is asked for again with its ETag.
    """

    def list_it(view: View) -> View:
        name = view.__name__
        OPERATIONS[f"api.{name}"] = Operation(name, rule, method, scope, answers, asks, takes, may_fail, max_age, view)
        return view

    return list_it


class Nothing(BaseModel):
    """No parameters: what the address of an operation is checked by that asks for none."""

    model_config = ConfigDict(extra="forbid")


def read_parameters(model: type[BaseModel], given: MultiDict[str, str]) -> BaseModel:
    """The parameters of an address, checked; raises `Refused`. One that may be given several times is a tuple."""
    values: dict[str, Any] = {}
    for name, texts in given.lists():
        field = model.model_fields.get(name)
        is_many = field is not None and get_origin(field.annotation) is tuple
        if len(texts) > 1 and not is_many:
            raise Refused(400, f"Give `{name}` once.", [FieldProblem(where=name, what="given more than once")])
        values[name] = texts if is_many else texts[0]
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        raise invalid(problem) from None


def read_body(model: type[BaseModel], content: bytes) -> BaseModel:
    """The JSON of a body, checked as the document says it: a number in quotes is none; raises `Refused`."""
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as problem:
        raise invalid(problem) from None
