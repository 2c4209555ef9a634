"""Pages of long lists that only look one row ahead, so that a large table costs no counting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.orm import Session

from app.console import wanted

PAGE_SIZE = 50
LAST_PAGE = 2000


@dataclass(frozen=True)
class Page:
    """Up to `PAGE_SIZE` rows, and whether there are more behind them."""

    rows: Sequence[Row[*tuple[Any, ...]]]
    page: int
    has_more: bool


def read_page(session: Session, query: Select[*tuple[Any, ...]]) -> Page:
    """The page of `query` that the address asks for with `page`."""
    page = wanted.page(LAST_PAGE)
    rows = session.execute(query.limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE)).all()
    return Page(rows[:PAGE_SIZE], page, len(rows) > PAGE_SIZE)
