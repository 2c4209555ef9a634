"""Which mail a request is about: kind, language, the state of the invented case, variant. What does not exist is 404,
but a state: another kind has others, and links keep it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, url_for
from sqlalchemy.orm import Session

import emails
from app.console import current
from app.console.mail_preview import sample_of, states_of
from app.messages.branding import merchant_of
from app.messages.variants import NAME
from app.messages.wording import Author
from app.models import Organization
from emails.locales import FALLBACK, language_of, languages
from emails.samples import Sample


@dataclass(frozen=True)
class Place:
    """One mail to look at or to word."""

    kind: str
    language: str
    state: str
    variant: str | None

    def address(self, endpoint: str = "console.mail", **more: str | None) -> str:
        """A page about it, with some of it changed."""
        found: dict[str, Any] = {"language": self.language, "state": self.state, "variant": self.variant}
        found["kind"] = self.kind
        return url_for(endpoint, **(found | more))


def place_of(session: Session, kind: str, given: Mapping[str, str]) -> Place:
    """What an address or a form names; without a language the organization's own one."""
    if kind not in emails.kinds:
        abort(404)
    language = given.get("language") or language_of(organization(session).default_locale) or FALLBACK
    variant = given.get("variant") or None
    if language not in languages() or (variant and not NAME.fullmatch(variant)):
        abort(404)
    states, state = states_of(kind), given.get("state", "")
    return Place(kind, language, state if state in states else states[0], variant)


def organization(session: Session) -> Organization:
    """The organization whose console this is."""
    return session.get_one(Organization, current.person().organization.organization_id)


def sample_for(place: Place, own: Organization) -> Sample:
    """The invented case, in the organization's looks."""
    merchant = merchant_of(own, current.context().settings.base_url())
    return sample_of(place.kind, place.state, place.language, merchant, current.now())


def author() -> Author:
    """Whoever is signed in, as the one who changes a text."""
    person = current.person()
    return Author(person.user_name, person.user_id)
