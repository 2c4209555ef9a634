"""The list of cases, with its filters in the address, and the page of one case."""

from datetime import date, timedelta
from uuid import UUID

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.console import current, formats, wanted
from app.console.blueprint import console
from app.console.stripe_dashboard import dashboard_url
from app.links import PayLink, make_pay_url
from app.recovery import case_lists, queries, weighing
from app.recovery.case_lists import CaseFilter, CaseOrder
from app.recovery.queries import CaseDetail, CaseNotFound
from app.vocabulary import OPEN_CASE_STATES, CaseState


@console.get("/cases")
def cases() -> ResponseReturnValue:
    asked_for = _read_filter()
    with current.rows() as session:
        page = case_lists.list_cases(session, asked_for, current.now())
        decline_classes, currencies = case_lists.list_values(session)
    return render_template(
        "console/cases.html",
        page=page,
        wanted=asked_for,
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
        weighed = weighing.find_weighing(session, detail.case)
    return render_template(
        "console/case.html",
        detail=detail,
        weighed=weighed,
        case=detail.case,
        next_step=detail.next_step(current.now()),
        hold=detail.hold_at(current.now()),
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


def _read_filter() -> CaseFilter:
    """The filter that this request's address asks for."""
    return CaseFilter(
        states=wanted.words("state", CaseState),
        decline_class=request.args.get("decline") or None,
        currency=request.args.get("currency") or None,
        text=request.args.get("q", "").strip()[:200] or None,
        order=wanted.word("sort", CaseOrder, "showing the newest first") or CaseOrder.NEWEST,
        page=wanted.page(case_lists.COUNTED_AT_MOST),
    )


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
