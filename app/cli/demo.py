"""The demonstration that `make run` begins with: an organization, its sign-in, a connected sandbox, and a lived month.

`prepare` fills an empty installation before its processes start, `live` lets them live through the month. Both do
nothing where it has been done.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from app.accounts.connections import connect
from app.accounts.users import add_member, create_user, find_user
from app.campaigns.definition import MONTHLY, FinalActionSettings
from app.cli import month
from app.cli.connect import ensure_organization
from app.cli.turning import KEY, Sandbox
from app.context import Context
from app.models import Connection, Organization
from app.recovery.campaigns import add_version
from app.vocabulary import ConnectionMode, FinalActionKind, Role

SLUG, NAME, EMAIL = "demo", "Lumen Cloud", "owner@example.com"
CURRENCIES = ("usd", "eur", "gbp", "jpy")


@dataclass(frozen=True)
class SignIn:
    """With what to sign in to the console."""

    email: str
    password: str


def prepare(context: Context) -> SignIn:
    """An organization with an owner, campaigns and a connected sandbox; how to sign in."""
    organization = ensure_organization(context, SLUG, NAME)
    sign_in = _owner(context, organization)
    with context.database.organization(organization.id) as session:
        is_connected = session.scalar(select(Connection.id)) is not None
    if not is_connected:
        sandbox = Sandbox(context)
        sandbox.control("settings", end_behavior="past_due", retries="custom:1,3,5")
        _campaigns(context, organization, sandbox)
        connect(
            context,
            organization.id,
            api_key=KEY,
            webhook_secret=None,
            mode=ConnectionMode.OBSERVE,
            actor="demonstration",
        )
    return sign_in


def is_lived(home: Path) -> bool:
    """Whether the sample month is over."""
    return month.is_over(home)


def live(context: Context, show: Callable[[float], None]) -> list[str]:
    """Live through the sample month, or what is left of it; gives what could not be played, as sentences."""
    return month.play(context, ensure_organization(context, SLUG, NAME).id, show)


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


def _campaigns(context: Context, organization: Organization, sandbox: Sandbox) -> None:
    """Monthly plans fall to the free plan when nothing helped; annual ones keep the default."""
    product = sandbox.api("POST", "products", name="Free")["id"]
    prices = {}
    for currency in CURRENCIES:
        wanted = {"product": product, "currency": currency, "unit_amount": "0", "recurring[interval]": "month"}
        prices[currency] = sandbox.api("POST", "prices", nickname="Free", **wanted)["id"]
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
