"""What can be looked at: the page itself, and the outcome of what was done on it. Nothing acts here."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.accounts.connections import gateway_for
from app.log import get_logger
from app.payment_page.bills import Bill, CardUse, Stage
from app.payment_page.blueprint import payment_page
from app.payment_page.results import read_outcome
from app.payment_page.standing import Standing
from app.payment_page.visits import Visit, enter, speak
from app.recovery.observing import observe_invoice
from app.recovery.projections import StaleReading
from app.stripe_gateway.errors import GatewayError
from emails.phrase import Phrase

log = get_logger(__name__)
STILL_FRESH = timedelta(seconds=5)
MOST_READ = 5
TOUCHED_AT_STRIPE = (Stage.NEEDS_APPROVAL, Stage.OWED, Stage.CARD_SAVED, Stage.SLOW)
CARD_NEEDED, CHANGED, NOT_POSSIBLE = "card", "changed", "gone"
DAY_GONE, SAY_MORE, ASKED, ADDRESS_INVALID, ADDRESS_CHANGED = "day", "words", "asked", "address", "contact"
NOTES = {
    CARD_NEEDED: "pay.card_needed",
    CHANGED: "pay.changed",
    NOT_POSSIBLE: "other.gone",
    DAY_GONE: "day.gone",
    SAY_MORE: "wrong.empty",
    ASKED: "wrong.sent_heading",
    ADDRESS_INVALID: "contact.invalid",
    ADDRESS_CHANGED: "contact.changed",
}
GOOD_NEWS = (ASKED, ADDRESS_CHANGED)


@payment_page.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """What is owed and the ways to settle it; what has been settled; or that nothing is due."""
    visit = enter(token)
    standing = visit.standing()
    if not standing.to_settle or standing.at(Stage.WORKING):
        return _outcome(visit, standing)
    return _render(
        "pay",
        visit,
        standing,
        resting=_with_reasons(standing, standing.resting),
        at_rest=_with_reasons(standing, standing.spoken_of),
        agreed=_agreed(standing),
    )


@payment_page.get("/<token>/outcome")
def outcome(token: str) -> ResponseReturnValue:
    """What came of it, bill by bill. Safe to reload at any time; looks at Stripe where our rows may be behind."""
    visit = enter(token)
    standing = visit.standing()
    if _look(visit, standing):
        standing = visit.standing()
    is_asking_for_nothing = standing.to_settle and all(bill.rests for bill in standing.spoken_of)
    if is_asking_for_nothing and not standing.at(Stage.PAID):
        return to_page(visit)
    return _outcome(visit, standing)


def to_outcome(visit: Visit) -> ResponseReturnValue:
    """Show what came of it, at an address that can be reloaded without doing anything again."""
    return redirect(visit.url("/outcome"), code=303)


def to_page(visit: Visit, note: str | None = None) -> ResponseReturnValue:
    """Back to the page, with a note if something has to be said."""
    return redirect(visit.url(f"?note={note}" if note else ""), code=303)


def _outcome(visit: Visit, standing: Standing) -> ResponseReturnValue:
    outcome = read_outcome(standing.bills)
    return _render(
        "outcome",
        visit,
        standing,
        outcome=outcome,
        told=speak(standing.about(outcome.about)),
        resting=_with_reasons(standing, outcome.resting),
        at_rest=_with_reasons(standing, outcome.listed),
    )


def _with_reasons(standing: Standing, bills: Iterable[Bill]) -> list[tuple[Bill, Phrase]]:
    """Bills that nothing is charged for now, each with the reason in words."""
    return [(bill, _why_it_rests(standing, bill)) for bill in bills if bill.rests]


def _why_it_rests(standing: Standing, bill: Bill) -> Phrase:
    day = speak(standing).day(bill.held_until) if bill.held_until else None
    reason = "asked" if bill.is_asked else "dispute" if bill.waits_for_dispute else "until"
    return speak(standing, held_date=day).say(f"rest.{reason}")


def _agreed(standing: Standing) -> dict[UUID, Phrase]:
    """The days that were promised for some of the bills, in words, by case; one promised for all is the page's own."""
    made = {} if standing.offers.promise else standing.offers.promises
    days = {case_id: speak(standing).calendar_day(promise.day) for case_id, promise in made.items()}
    return {case_id: speak(standing, promise_date=day).say("day.heading") for case_id, day in days.items()}


def _render(template: str, visit: Visit, standing: Standing, **more: Any) -> ResponseReturnValue:
    note = request.args.get("note", "")
    return render_template(
        f"payment_page/{template}.html",
        voice=speak(standing),
        again=speak(standing.about(standing.can_be_tried)),
        standing=standing,
        merchant=standing.facts.merchant,
        base=f"/pay/{visit.token}",
        ticket=visit.ticket(standing),
        Stage=Stage,
        CardUse=CardUse,
        note=NOTES.get(note),
        is_good_news=note in GOOD_NEWS,
        **more,
    )


def _look(visit: Visit, standing: Standing) -> bool:
    """Read the open invoices anew that may have been paid on a page of Stripe's; whether anything was read."""
    behind = [bill for bill in standing.at(*TOUCHED_AT_STRIPE) if visit.now - bill.refreshed_at > STILL_FRESH][
        :MOST_READ
    ]
    gateway = gateway_for(visit.context, standing.connection) if behind else None
    for bill in behind:
        try:
            assert gateway is not None
            observe_invoice(visit.context, gateway, standing.connection, bill.invoice_stripe_id)
        except (GatewayError, StaleReading) as problem:
            # The rows are shown as they are; webhooks and the sweep bring them up to date.
            log.info("pay.not_refreshed", case=str(bill.case_id), problem=type(problem).__name__)
            break
    return bool(behind)
