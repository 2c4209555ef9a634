"""Postgres: engines, transactions and the two roles. Knows nothing of what is stored.

`recoup_app` sees the rows of one organization, which each transaction must name; unset, every query fails.
`recoup_sweeper` sees all organizations; only sweeps, the webhook receiver and sign-in look-ups use it.
Neither owns a table, is a superuser or may bypass row-level security.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar
from uuid import UUID, uuid4

from psycopg import Cursor
from sqlalchemy import (
    BigInteger,
    DateTime,
    Engine,
    Enum,
    ForeignKey,
    Identity,
    MetaData,
    Select,
    Table,
    Uuid,
    bindparam,
    create_engine,
    event,
    make_url,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.orm.util import identity_key

APP_ROLE = "recoup_app"
SWEEPER_ROLE = "recoup_sweeper"
SETTING = "recoup.organization_id"
# moments are read as UTC wherever Postgres stands: in a zone, days added over a change of the clock are an hour off
_PATIENCE = "-c timezone=UTC -c lock_timeout=8s -c statement_timeout=60s -c idle_in_transaction_session_timeout=20s"

_NAME_ORGANIZATION = "select set_config(%s, %s, true)"

type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB}


class Base(DeclarativeBase):
    """All records. Constraint names are given, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = type_annotation_map


class TenantRecord(Base):
    """A row that belongs to one organization and that row-level security guards."""

    __abstract__ = True
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)


def table_of(record: type[Base]) -> Table:
    """The table of a record, for statements that have no use for objects."""
    return record.metadata.tables[record.__tablename__]


def uuid_key() -> Mapped[UUID]:
    """A random primary key that may be shown to people."""
    return mapped_column(Uuid, primary_key=True, default=uuid4)


def serial_key() -> Mapped[int]:
    """A primary key that also gives the order of writing, for tables that only grow."""
    return mapped_column(BigInteger, Identity(always=True), primary_key=True)


def word(words: type[Any], name: str | None = None, **options: Any) -> Mapped[Any]:
    """A column that holds one word of a vocabulary enum, stored as text and checked by the database."""
    return mapped_column(
        Enum(
            words,
            name=name or words.__name__.lower(),
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda enum: [member.value for member in enum],
        ),
        **options,
    )


class _BriefCursor(Cursor[Any]):
    """Tells the names and types of what it brings and no more. psycopg makes an object of each column for what nobody
    here asks for, at a sixth of the cost of reading a row.
    """

    @property
    def description(self) -> Any:
        """As PEP 249 has it: a tuple of seven for each column, None where the statement brought no rows."""
        brought = self.pgresult
        if brought is None or not brought.nfields:
            return None
        return [
            ((brought.fname(place) or b"").decode(), brought.ftype(place), None, None, None, None, None)
            for place in range(brought.nfields)
        ]


def _engine(url: str, role: str, pool_size: int, pre_ping: bool, **options: Any) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=pre_ping,
        pool_timeout=10,
        hide_parameters=True,  # an error is logged as a text, and what it was about may be a person
        **options,
        connect_args={
            "connect_timeout": 5,
            "application_name": role,
            "cursor_factory": _BriefCursor,
            "options": f"{_PATIENCE} {make_url(url).query.get('options', '')}".strip(),
        },
    )

    @event.listens_for(engine, "connect")
    def _become_role(connection: Any, _record: Any) -> None:
        connection.execute(f"SET ROLE {role}")
        connection.commit()

    return engine


class Database:
    """The two doors to Postgres. Every `with` is one transaction: it commits at the end or rolls back on an error."""

    def __init__(self, url: str, pool_size: int = 8, pre_ping: bool = True) -> None:
        """Without `pre_ping` a connection that died unseen fails its next transaction: only for short-lived pools."""
        self._app = _engine(url, APP_ROLE, pool_size, pre_ping)
        self._sweeper = _engine(url, SWEEPER_ROLE, pool_size, pre_ping)
        self._receiver = _engine(url, SWEEPER_ROLE, pool_size, pre_ping=False, isolation_level="AUTOCOMMIT")

    @contextmanager
    def organization(self, organization_id: UUID) -> Iterator[Session]:
        """A transaction that sees the rows of one organization and no others."""
        with Session(self._app, expire_on_commit=False) as session, session.begin():
            session.connection().exec_driver_sql(_NAME_ORGANIZATION, (SETTING, str(organization_id)))
            session.info["organization_id"] = organization_id
            yield session

    @contextmanager
    def system(self) -> Iterator[Session]:
        """A transaction across organizations, for the few callers that cannot know theirs yet."""
        with Session(self._sweeper, expire_on_commit=False) as session, session.begin():
            yield session

    def one_statement(self, statement: str, values: dict[str, Any]) -> None:
        """Run a single statement that commits by itself, across organizations: one round trip, for the receiver.

        It is written for psycopg (`%(name)s`). It must be safe to repeat, because a connection that turns out dead is
        replaced and the statement run again.
        """
        for is_last in (False, True):
            try:
                with self._receiver.connect() as connection:
                    connection.exec_driver_sql(statement, values)
                return
            except OperationalError as problem:
                if is_last or not problem.connection_invalidated:
                    raise

    def dispose(self) -> None:
        """Close every connection (a forked child does so before its first query)."""
        self._receiver.dispose()
        self._app.dispose()
        self._sweeper.dispose()


P = ParamSpec("P")
Statement = TypeVar("Statement")


def prepared(build: Callable[P, Statement]) -> Callable[P, tuple[Statement, dict[str, Any]]]:
    """A statement that is put together once, however often it runs: putting it together costs more than running it.

    `build` is called a single time, with an open place for each of its parameters; what it makes of them must not
    depend on their values. The call gives what a session's `execute`, `scalars` and `scalar` take, the statement and
    the values: `session.scalars(*of_case(case.id))`.
    """
    names = list(signature(build).parameters)

    @cache
    def statement() -> Statement:
        # named unlike any column: an `update` would take a value of a column's name for what is to be set
        places: dict[str, Any] = {name: bindparam(f"{name}_") for name in names}
        return build(**places)  # type: ignore[call-arg]  # each of its parameters has a place

    @wraps(build)
    def call(*args: P.args, **kwargs: P.kwargs) -> tuple[Statement, dict[str, Any]]:
        values = {**dict(zip(names, args, strict=False)), **kwargs}
        return statement(), {f"{name}_": value for name, value in values.items()}

    return call


Row = TypeVar("Row", bound=Base)


def get_row(session: Session, record: type[Row], key: UUID) -> Row:
    """A row by its id, as the session's own `get_one` gives it, for half of its cost. Raises `NoResultFound`."""
    known: Row | None = session.identity_map.get(identity_key(record, key))
    return known or session.scalars(*_by_id(record)(key)).one()


@cache
def _by_id(record: Any) -> Callable[[UUID], tuple[Select[Any], dict[str, Any]]]:
    @prepared
    def row(key: UUID) -> Select[Any]:
        return select(record).where(record.id == key)

    return row


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Run `action` once this transaction has committed; forgotten when it rolls back. For ringing bells."""
    event.listen(session, "after_commit", lambda _session: action(), once=True)
