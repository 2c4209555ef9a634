"""Pause, a smaller plan or the end instead of paying: first exactly what happens and when, then one more click."""

from dataclasses import dataclass
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from app.accounts.connections import gateway_for
from app.log import get_logger
from app.payment_page.blueprint import payment_page
from app.payment_page.offers import debt_word
from app.payment_page.pages import CHANGED, NOT_POSSIBLE, to_page
from app.payment_page.standing import Standing
from app.payment_page.visits import Visit, enter, look_again, speak
from app.payment_page.voice import PageVoice
from app.recovery import cases, retention
from app.recovery.card_change import run_due_step
from app.recovery.retention import NotOffered, Offer
from app.stripe_gateway.errors import GatewayError
from app.stripe_gateway.prices import Plan
from app.vocabulary import FinalActionKind, StepKind
from emails.phrase import Phrase, compose

log = get_logger(__name__)
PRICED = ("month", "year")  # the intervals that a price is said with


@dataclass(frozen=True)
class _Asked:
    """One offer that somebody looks at closely; `plan` is what a smaller plan is called and costs."""

    visit: Visit
    standing: Standing
    offer: Offer
    plan: Plan | None


@payment_page.get("/<token>/instead/<name>")
def look_at_instead(token: str, name: str) -> ResponseReturnValue:
    """What would happen, and when. Nothing is done by looking."""
    visit = enter(token)
    asked = _find(visit, visit.standing(), name)
    if asked is None:
        return to_page(visit, NOT_POSSIBLE)
    return render_template(
        "payment_page/instead.html",
        voice=_speak(asked),
        standing=asked.standing,
        merchant=asked.standing.facts.merchant,
        base=f"/pay/{visit.token}",
        ticket=visit.ticket(asked.standing),
        offer=asked.offer,
        word=asked.offer.action.kind,
        debt=debt_word(asked.offer),
    )


@payment_page.post("/<token>/instead/<name>")
def choose_instead(token: str, name: str) -> ResponseReturnValue:
    """Do it: the chase ends, and the subscription is changed at Stripe by a step that survives a crash."""
    visit = enter(token)
    click = visit.click()
    standing = look_again(visit)
    if not click.covers(standing.asked_for):
        return to_page(visit, CHANGED)
    asked = _find(visit, standing, name)
    if asked is None:
        return to_page(visit, None if standing.offers.chosen else NOT_POSSIBLE)
    try:
        chosen_for = _choose(asked)
    except NotOffered:  # by the first of two clicks it may be done by now
        return to_page(visit, None if visit.standing().offers.chosen else NOT_POSSIBLE)
    for case_id in chosen_for:  # the page that comes next speaks of all of them
        run_due_step(visit.context, visit.link.organization_id, case_id, StepKind.FINAL_ACTION)
    return to_page(visit)


@payment_page.post("/<token>/undo")
def undo(token: str) -> ResponseReturnValue:
    """Take the choice back: the subscription goes on as it was."""
    visit = enter(token)
    visit.click()
    try:
        with visit.context.database.organization(visit.link.organization_id) as session:
            retention.undo(session, cases.lock_case(session, visit.link.case_id), visit.now)
    except NotOffered:
        chosen = visit.standing().offers.chosen
        return to_page(visit, None if chosen and chosen.is_undone else NOT_POSSIBLE)
    run_due_step(visit.context, visit.link.organization_id, visit.link.case_id, StepKind.RESTORE)
    return to_page(visit)


def _find(visit: Visit, standing: Standing, name: str) -> _Asked | None:
    offer = next((one for one in standing.offers.instead if one.name == name), None)
    if offer is None:
        return None
    return _Asked(visit, standing, offer, _plan(visit, standing, offer))


def _plan(visit: Visit, standing: Standing, offer: Offer) -> Plan | None:
    """What the smaller plan is, as far as Stripe can say now; it is spoken of without a name otherwise."""
    if offer.action.kind is not FinalActionKind.DOWNGRADE:
        return None
    try:
        return gateway_for(visit.context, standing.connection).get_plan(str(offer.action.price_id))
    except GatewayError as problem:
        log.info("pay.plan_not_read", problem=type(problem).__name__)
        return None


def _choose(asked: _Asked) -> tuple[UUID, ...]:
    """The customer's choice is about the subscription, so everything that is owed for it ends by it: these cases."""
    visit, name = asked.visit, asked.offer.name
    chosen_for = tuple(bill.case_id for bill in asked.standing.offers.ends)
    with visit.context.database.organization(visit.link.organization_id) as session:
        for case_id in chosen_for:
            plan = asked.plan.name if asked.plan else None
            retention.choose(session, cases.lock_case(session, case_id), name, plan, visit.now)
    return chosen_for


def _speak(asked: _Asked) -> PageVoice:
    more: dict[str, Phrase] = {}
    concerned = asked.standing.about(asked.standing.offers.ends)
    voice = speak(concerned)
    if asked.offer.ends_at is not None:
        more["until"] = voice.date(asked.offer.ends_at)
    if asked.plan is not None and asked.plan.name:
        more["plan"] = voice.named(asked.plan.name)
    if asked.plan is not None and asked.plan.amount is not None:
        more["price"] = _price(voice, asked.plan)
    return speak(concerned, **more)


def _price(voice: PageVoice, plan: Plan) -> Phrase:
    """`€9.00 a month`, or the bare amount for a rhythm that has no words."""
    assert plan.amount is not None, "asked by somebody who has looked"
    amount = voice.money(plan.amount)
    if plan.interval not in PRICED or plan.interval_count != 1:
        return amount
    return compose(voice.template(f"instead.per.{plan.interval}"), {"price": amount})
