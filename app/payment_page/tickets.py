"""The hidden ticket in each form: proof that the form came from our page for this very case, a name for the click, and
what the page showed to be paid.

It stands in for a session cookie. A ticket is as good as the link it was made behind; the name in it makes a second
click of one form the same click. Nobody is charged more on a click than its ticket says was shown.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from app.errors import RecoupError
from app.money import Money
from app.recovery.showing import Shown

_SALT = "recoup.pay.form"
_FOREIGN = frozenset({"cross-site", "same-site"})


class TicketInvalid(RecoupError):
    """The form was not made by our page for this case, or was sent from another site."""


@dataclass(frozen=True)
class Click:
    """One showing of a form, and what it showed: what was to be paid, and for which invoices of it the card on file was
    to be tried. Sending the form twice gives the same name twice.
    """

    name: str
    shown: Shown = field(default_factory=dict)
    to_try: frozenset[str] = frozenset()

    def covers(self, asked_for: Shown) -> bool:
        """Whether everything that is asked for now was shown then, to the cent."""
        return all(self.shown.get(invoice) == money for invoice, money in asked_for.items())


def issue(secret_key: str, case_id: UUID, shown: Shown | None = None, to_try: Collection[str] = ()) -> str:
    """A ticket for the forms of one showing of the page, on which `shown` was to be paid, and the card on file to be
    tried for the invoices `to_try`.
    """
    sums = {invoice: [money.minor, money.currency, int(invoice in to_try)] for invoice, money in (shown or {}).items()}
    return str(URLSafeSerializer(secret_key, _SALT).dumps([case_id.hex, secrets.token_urlsafe(9), sums]))


def redeem(secret_key: str, ticket: str, case_id: UUID, fetch_site: str | None) -> Click:
    """The click that `ticket` stands for; raises `TicketInvalid`.

    `fetch_site` is the browser's own word (`Sec-Fetch-Site`) on where the form was sent from.
    """
    if fetch_site in _FOREIGN:
        raise TicketInvalid("the form was sent from another site")
    try:
        owner, name, sums = URLSafeSerializer(secret_key, _SALT).loads(ticket)
        shown = {invoice: Money(minor, currency) for invoice, (minor, currency, _) in sums.items()}
        to_try = frozenset(invoice for invoice, (_, _, is_to_try) in sums.items() if is_to_try)
    except (BadSignature, ValueError, TypeError) as problem:
        raise TicketInvalid("the form's ticket is not ours") from problem
    if owner != case_id.hex:
        raise TicketInvalid("the form's ticket is for another case")
    return Click(str(name), shown, to_try)
