"""List answers: pages by cursor, newest first."""

from typing import Any

from app.sandbox.errors import bad_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.store import Doc, Search

LARGEST = 100


def page(
    ledger: Ledger,
    params: Params,
    kind: str,
    url: str,
    equal: dict[str, str | None] | None = None,
    extra: str = "",
    extra_values: tuple[Any, ...] = (),
) -> Doc:
    """One page of `kind`. `equal` names searched columns (None: not filtered); `extra` is more SQL with its values."""
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise bad_param("ending_before", "You may only specify one of these parameters: ending_before, starting_after.")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None:
            ledger.get(kind, cursor, name)
    wanted = Search(
        equal={column: value for column, value in (equal or {}).items() if value is not None},
        created=created_range(params),
        extra=extra,
        extra_values=extra_values,
        limit=limit_of(params),
        after=after,
        before=before,
    )
    docs, more = ledger.store.search(kind, wanted)
    return {"object": "list", "data": docs, "has_more": more, "url": url}


def limit_of(params: Params) -> int:
    """`limit`, 10 by default, 1 to 100."""
    limit = params.integer("limit")
    if limit is None:
        return 10
    if not 1 <= limit <= LARGEST:
        raise bad_param(
            "limit", f"Invalid integer: limit must be between 1 and {LARGEST}.", "parameter_invalid_integer"
        )
    return limit


def created_range(params: Params) -> dict[str, int]:
    """`created` as an exact moment or as `gt`, `gte`, `lt`, `lte`."""
    if isinstance(params.raw("created"), str):
        exact = params.integer("created")
        return {} if exact is None else {"gte": exact, "lte": exact}
    bounds = params.child("created")
    if bounds is None:
        return {}
    found = {name: bounds.integer(name) for name in ("gt", "gte", "lt", "lte")}
    return {name: moment for name, moment in found.items() if moment is not None}
