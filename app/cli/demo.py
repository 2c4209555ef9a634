"""The demonstration that `make run` begins with: an organization, its sign-in, a connected sandbox, and a lived month.

`prepare` fills an empty installation before its processes start, `play` lets them live through thirty days. Both do
nothing where it has been done.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from sqlalchemy import select

from app.accounts.connections import connect
from app.accounts.users import add_member, create_user, find_user
from app.cli.connect import ensure_organization
from app.cli.sandbox import ask_sandbox, hops, parse_span
from app.context import Context
from app.models import Connection, Organization, RecoveryCase
from app.recovery.campaigns import MONTHLY, FinalActionSettings, add_version
from app.vocabulary import ConnectionMode, FinalActionKind, Role

SLUG, EMAIL = "demo", "owner@example.com"
SANDBOX_KEY = "rk_test_sandbox"
CURRENCIES = ("usd", "eur", "gbp", "jpy")
LIVED = "30d"
PAYING = 24  # customers who always pay; each renewal is a stop of the clock while the first month is lived


@dataclass(frozen=True)
class SignIn:
    """With what to sign in to the console."""

    email: str
    password: str


def prepare(context: Context) -> SignIn:
    """An organization with an owner, campaigns and a connected sandbox full of customers; how to sign in."""
    organization = ensure_organization(context, SLUG, "Lumen Cloud")
    sign_in = _owner(context, organization)
    with context.database.organization(organization.id) as session:
        is_connected = session.scalar(select(Connection.id)) is not None
    if not is_connected:
        ask_sandbox(context, "POST", "settings", {"end_behavior": "past_due", "retries": "off"})
        _campaigns(context, organization)
        connect(
            context,
            organization.id,
            api_key=SANDBOX_KEY,
            webhook_secret=None,
            mode=ConnectionMode.DRIVE,
            actor="demonstration",
        )
    ask_sandbox(context, "POST", "seed", {"customers": PAYING})
    return sign_in


def play(context: Context, say: Callable[[str], None]) -> None:
    """Let a month go by, so that there are cases at every stage of their lives; needs the running processes."""
    with context.database.system() as session:
        if session.scalar(select(RecoveryCase.id).limit(1)) is not None:
            return
    samples: list[dict[str, Any]] = ask_sandbox(context, "POST", "seed", {"customers": PAYING})["failing"]
    say("Living through the first thirty days …")
    end = context.clock.now() + parse_span(LIVED)
    for _ in hops(context, end):
        pass
    _leave(context, samples[0]["customer"])


def _leave(context: Context, customer: str) -> None:
    """One customer goes while their renewal fails, so that a case is closed, too."""
    failed = ask_sandbox(context, "POST", "fail", {"customer": customer, "script": ["generic_decline"]})
    for _ in hops(context, context.clock.now()):
        pass
    _as_operator(context, "DELETE", f"subscriptions/{failed['subscription']}", {})
    for _ in hops(context, context.clock.now()):
        pass


def _as_operator(context: Context, method: str, path: str, form: dict[str, str]) -> dict[str, Any]:
    """What the operator would do in Stripe's dashboard."""
    url = f"{context.settings.require('stripe_api_base')}/v1/{path}"
    answer = requests.request(method, url, data=form, auth=(SANDBOX_KEY, ""), timeout=30)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _owner(context: Context, organization: Organization) -> SignIn:
    """The demonstration's owner; the password is made once and kept beside the data, for us alone to read."""
    file = context.settings.home / "secrets" / "demo_password"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text("-".join(secrets.token_hex(3) for _ in range(3)))
    sign_in = SignIn(EMAIL, file.read_text())
    now = context.clock.now()
    with context.database.system() as session:
        if find_user(session, EMAIL) is None:
            user = create_user(session, EMAIL, "Demo Owner", sign_in.password, now)
            add_member(session, organization, user, Role.OWNER, now)
    return sign_in


def _campaigns(context: Context, organization: Organization) -> None:
    """Monthly plans fall to the free plan when nothing helped; annual ones keep the default."""
    product = _as_operator(context, "POST", "products", {"name": "Free"})["id"]
    prices = {}
    for currency in CURRENCIES:
        wanted = {"product": product, "currency": currency, "unit_amount": "0", "recurring[interval]": "month"}
        prices[currency] = _as_operator(context, "POST", "prices", {**wanted, "nickname": "Free"})["id"]
    definition = MONTHLY.model_copy(
        update={"final_action": FinalActionSettings(kind=FinalActionKind.DOWNGRADE, prices=prices)}
    )
    with context.database.organization(organization.id) as session:
        add_version(
            session,
            slug="monthly",
            name="Monthly plans",
            definition=definition,
            is_default=True,
            now=context.clock.now(),
            by="demonstration",
        )
