"""The list of cases, with its filters in the address, and the page of one case."""

from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.console import current, formats
from app.console.blueprint import console
from app.console.stripe_dashboard import dashboard_url
from app.links import PayLink, make_pay_url
from app.recovery import case_lists, queries
from app.recovery.case_lists import CaseFilter, CaseOrder
from app.recovery.queries import CaseDetail, CaseNotFound
from app.vocabulary import OPEN_CASE_STATES, CaseState

W = TypeVar("W", bound=StrEnum)


@console.get("/cases")
def cases() -> ResponseReturnValue:
    wanted = read_filter(request.args)
    with current.rows() as session:
        page = case_lists.list_cases(session, wanted, current.now())
        decline_classes, currencies = case_lists.list_values(session)
    return render_template(
        "console/cases.html",
        page=page,
        wanted=wanted,
        counted_at_most=case_lists.COUNTED_AT_MOST,
        states=tuple(CaseState),
        decline_classes=decline_classes,
        currencies=currencies,
        orders={
            CaseOrder.NEWEST: "Newest failure first",
            CaseOrder.OLDEST: "Oldest failure first",
            CaseOrder.AMOUNT: "Largest amount first",
            CaseOrder.NEXT_STEP: "Next step first",
        },
    )


@console.get("/cases/<uuid:case_id>")
def case(case_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        detail = get_case_or_404(session, case_id)
    return render_template(
        "console/case.html",
        detail=detail,
        case=detail.case,
        is_open=detail.case.state in OPEN_CASE_STATES,
        pay_url=_pay_url(detail),
        snooze_days=_snooze_days(detail),
        dashboard_url=dashboard_url(current.context().settings, detail.connection, detail.invoice.stripe_id),
    )


def get_case_or_404(session: Session, case_id: UUID) -> CaseDetail:
    """The case, or the page that says there is none."""
    try:
        return queries.get_case(session, case_id)
    except CaseNotFound:
        abort(404)


def read_filter(args: MultiDict[str, str]) -> CaseFilter:
    """The filter that an address asks for; what it says wrongly is left out, so that old links keep working."""
    page = args.get("page", 1, type=int)
    return CaseFilter(
        states=tuple(filter(None, (_word(CaseState, given) for given in args.getlist("state")))),
        decline_class=args.get("decline") or None,
        currency=args.get("currency") or None,
        text=args.get("q", "").strip()[:200] or None,
        order=_word(CaseOrder, args.get("sort", "")) or CaseOrder.NEWEST,
        page=min(max(1, page), case_lists.COUNTED_AT_MOST),
    )


def _word(words: type[W], given: str) -> W | None:
    return words(given) if given in list(words) else None


def _snooze_days(detail: CaseDetail) -> tuple[date, date] | None:
    """The first and the last day that a snooze may end on: after today, inside the window; None when too late."""
    zone = formats.zone()
    first = current.now().astimezone(zone).date() + timedelta(days=1)
    last = (detail.case.window_ends_at - timedelta(seconds=1)).astimezone(zone).date()
    return (first, last) if first <= last else None


def _pay_url(detail: CaseDetail) -> str | None:
    """The customer's link, for those who may hand it out, while a payment is still wanted."""
    wanted = detail.case.state in (*OPEN_CASE_STATES, CaseState.EXHAUSTED)
    if not wanted or not current.person().can_act:
        return None
    settings = current.context().settings
    link = PayLink(detail.case.organization_id, detail.case.id, detail.case.link_version)
    return make_pay_url(settings.base_url(), settings.require("secret_key"), link, current.now())
