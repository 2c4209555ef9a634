"""What Stripe's Dashboard does about access: restricted keys, connected accounts, rolled secrets, rate limits."""

from dataclasses import asdict

from flask import Blueprint

from app.sandbox import permissions, policy
from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import AccountWish, KeyWish, RatesWish, RollWish, VersionWish
from app.sandbox.policy import HOUR
from app.sandbox.rate_limits import Rates
from app.sandbox.resources.webhook_endpoints import roll_secret
from app.sandbox.store import Doc
from app.sandbox.versions.events import set_default
from app.sandbox.versions.published import refuse_unknown


def blueprint(desk: Desk) -> Blueprint:
    """The routes `/_sandbox/keys`, `/accounts`, `/api-version`, `/webhook-endpoints/…/roll` and `/rate-limits`."""
    routes = Blueprint("control_access", __name__, url_prefix="/_sandbox")
    _key_routes(routes, desk)
    _account_routes(routes, desk)
    _limit_routes(routes, desk)
    return routes


def _key_routes(routes: Blueprint, desk: Desk) -> None:
    """Keys are the platform's, whatever account a request names."""
    platform = desk.accounts.platform

    def make() -> Doc:
        with platform.transaction() as ledger:
            wish = asked(KeyWish)
            return permissions.make(ledger, _granted(wish), wish.key)

    def change(key: str) -> Doc:
        with platform.transaction() as ledger:
            return permissions.change(ledger, key, _granted(asked(KeyWish)))

    def revoke(key: str) -> Doc:
        with platform.transaction() as ledger:
            return permissions.revoke(ledger, key)

    def roll(endpoint: str) -> Doc:
        with desk.ledger() as ledger:
            return roll_secret(ledger, endpoint, int(asked(RollWish).hours * HOUR))

    routes.add_url_rule("/keys", "make_key", view(make), methods=["POST"])
    routes.add_url_rule("/keys/<key>", "change_key", view(change), methods=["POST"])
    routes.add_url_rule("/keys/<key>", "revoke_key", view(revoke), methods=["DELETE"])
    routes.add_url_rule("/webhook-endpoints/<endpoint>/roll", "roll", view(roll), methods=["POST"])


def _granted(wish: KeyWish) -> dict[str, str] | None:
    return None if wish.permissions is None else dict(wish.permissions)


def _account_routes(routes: Blueprint, desk: Desk) -> None:
    def connect() -> Doc:
        wish = asked(AccountWish)
        entry = desk.accounts.connect(wish.name)
        with desk.accounts.world(entry["id"]).transaction() as ledger:
            policy.change(ledger, business_name=wish.name)
        return entry

    def disconnect(account: str) -> Doc:
        return desk.accounts.disconnect(account)

    def version() -> Doc:
        wanted = asked(VersionWish).version
        refuse_unknown(wanted)
        with desk.ledger() as ledger:
            set_default(ledger.store, wanted, ledger.now)
        return {"api_version": wanted}

    routes.add_url_rule("/api-version", "version", view(version), methods=["POST"])
    routes.add_url_rule("/accounts", "connect", view(connect), methods=["POST"])
    routes.add_url_rule("/accounts/<account>", "disconnect", view(disconnect), methods=["DELETE"])


def _limit_routes(routes: Blueprint, desk: Desk) -> None:
    def show() -> Doc:
        rates = desk.limits.rates
        return {"rate_limits": rates and asdict(rates)}

    def switch_on() -> Doc:
        desk.limits.switch(Rates(**asked(RatesWish).model_dump()))
        return show()

    def switch_off() -> Doc:
        desk.limits.switch(None)
        return show()

    routes.add_url_rule("/rate-limits", "limits", view(show), methods=["GET"])
    routes.add_url_rule("/rate-limits", "limit", view(switch_on), methods=["POST"])
    routes.add_url_rule("/rate-limits", "unlimit", view(switch_off), methods=["DELETE"])
