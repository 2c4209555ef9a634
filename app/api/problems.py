"""What is answered when a request is not as it must be: problem details (RFC 9457) that say what to do."""

from flask import Response
from pydantic import BaseModel, Field, ValidationError

from app.errors import RecoupError

MIME = "application/problem+json"
TYPES = {
    400: ("invalid_request", "The request is not as it must be"),
    401: ("no_key", "The request brings no key that is in force"),
    403: ("not_allowed", "This may not be done"),
    404: ("not_found", "There is no such thing"),
    405: ("method_not_allowed", "That address is not asked this way"),
    413: ("too_large", "The request is too large"),
    415: ("not_json", "The body is not JSON"),
    429: ("too_many_requests", "Too many requests"),
    500: ("our_fault", "Something went wrong on our side"),
    503: ("away", "Recoup cannot reach its database"),
}


class FieldProblem(BaseModel):
    """One part of a request that is not as it must be."""

    where: str = Field(description="The parameter, or the path in the body.")
    what: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Problem details (RFC 9457). Decide by `code` and `status`; `detail` is for people and says what to do."""

    type: str = Field(description="about:blank: the title says no more than the status.")
    code: str = Field(description="A short word that stays the same for ever.")
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(default_factory=list, description="Each part that is not as it must be.")


class Refused(RecoupError):
    """The request ends here with a problem."""

    def __init__(
        self, status: int, detail: str, errors: list[FieldProblem] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors, self.headers = errors or [], headers or {}


def invalid(problem: ValidationError) -> Refused:
    """The refusal of parameters or a body that pydantic did not take; it never repeats what was sent."""
    errors = [
        FieldProblem(where=".".join(map(str, each["loc"])) or "body", what=each["msg"].removeprefix("Value error, "))
        for each in problem.errors(include_url=False, include_input=False, include_context=False)
    ]
    return Refused(400, "Correct what `errors` lists; /api/v1/openapi.json says what is taken.", errors)


def too_many(seconds: int) -> Refused:
    """The refusal of who asks too often; the same request is welcome after so many seconds."""
    detail = f"Wait {seconds} seconds and ask again, and ask less often: what was answered may be kept for a while."
    return Refused(429, detail, headers={"Retry-After": str(seconds)})


def respond(
    status: int, detail: str, errors: list[FieldProblem] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """The answer that carries a problem."""
    code, title = TYPES.get(status, ("problem", "That did not work"))
    body = Problem(type="about:blank", code=code, title=title, status=status, detail=detail, errors=errors or [])
    response = Response(body.model_dump_json(), status, mimetype=MIME)
    response.headers.update(headers or {})
    response.headers["Cache-Control"] = "no-store"
    return response
