"""The hidden ticket in each form: proof that the form came from our page for this very case, and a name for the click.

It stands in for a session cookie. A ticket is as good as the link it was made behind; the name in it makes a second
click of one form the same click.
"""

import secrets
from dataclasses import dataclass
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from app.errors import RecoupError

_SALT = "recoup.pay.form"
_FOREIGN = frozenset({"cross-site", "same-site"})


class TicketInvalid(RecoupError):
    """The form was not made by our page for this case, or was sent from another site."""


@dataclass(frozen=True)
class Click:
    """One showing of a form. Sending the form twice gives the same name twice."""

    name: str


def issue(secret_key: str, case_id: UUID) -> str:
    """A ticket for the forms of one showing of the page."""
    return str(URLSafeSerializer(secret_key, _SALT).dumps([case_id.hex, secrets.token_urlsafe(9)]))


def redeem(secret_key: str, ticket: str, case_id: UUID, fetch_site: str | None) -> Click:
    """The click that `ticket` stands for; raises `TicketInvalid`.

    `fetch_site` is the browser's own word (`Sec-Fetch-Site`) on where the form was sent from.
    """
    if fetch_site in _FOREIGN:
        raise TicketInvalid("the form was sent from another site")
    try:
        owner, name = URLSafeSerializer(secret_key, _SALT).loads(ticket)
    except (BadSignature, ValueError, TypeError) as problem:
        raise TicketInvalid("the form's ticket is not ours") from problem
    if owner != case_id.hex:
        raise TicketInvalid("the form's ticket is for another case")
    return Click(str(name))
