"""Statements that are put together once: the values stay open, and go in by position or by name."""

from uuid import UUID, uuid4

from sqlalchemy import Select, Update, select, update

from app.db import prepared, table_of
from app.models import Hold, Step
from app.vocabulary import HoldKind

HOLDER = uuid4()
builds: list[object] = []


@prepared
def _holds(customer_id: UUID, kinds: tuple[HoldKind, ...]) -> Select[Hold]:
    builds.append(customer_id)
    return select(Hold).where(Hold.customer_id == customer_id, Hold.kind.in_(kinds))


@prepared
def _rename(case_id: UUID, key: str) -> Update:
    steps = table_of(Step)
    return update(steps).where(steps.c.case_id == case_id).values(key=key)


def test_a_prepared_statement_is_built_once_whatever_its_values() -> None:
    first, values = _holds(HOLDER, (HoldKind.DISPUTE,))
    second, others = _holds(kinds=(HoldKind.PROMISE,), customer_id=HOLDER)
    assert first is second
    assert len(builds) == 1
    assert values == {"customer_id_": HOLDER, "kinds_": (HoldKind.DISPUTE,)}
    assert others == {"customer_id_": HOLDER, "kinds_": (HoldKind.PROMISE,)}


def test_what_a_prepared_update_looks_for_is_not_taken_for_what_it_sets() -> None:
    statement, values = _rename(HOLDER, "new")
    assert set(values) == {"case_id_", "key_"}
    written = str(statement.compile(column_keys=list(values)))
    assert written.partition("SET ")[2].partition(" WHERE")[0].strip().startswith("key=")
    assert "case_id=" not in written.partition(" WHERE")[0]
