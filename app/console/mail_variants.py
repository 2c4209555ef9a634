"""The variants of a kind of mail: which there are, which steps of campaigns send them, and to rename or remove one."""

from dataclasses import dataclass

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.console import current
from app.console.blueprint import console
from app.console.campaign_fields import MESSAGE_KINDS
from app.console.mail_place import Place, author, place_of
from app.errors import RecoupError
from app.messages import variants
from app.messages.wording import all_texts
from app.models import Campaign
from app.recovery.campaigns import in_force

CAN_VARY = frozenset(MESSAGE_KINDS)


@dataclass(frozen=True)
class Use:
    """One variant: how many texts it has of its own by language, and the steps that name it."""

    name: str
    texts: dict[str, int]
    steps: tuple[tuple[Campaign, str], ...]


def uses_of(session: Session, kind: str) -> list[Use]:
    """Every variant of this kind that has texts, or that a step of a campaign in force names."""
    texts, steps = all_texts(session), _steps(session, kind)
    return [
        Use(name, _counts(texts, kind, name), tuple(steps.get(name, ())))
        for name in sorted({*variants.names_in(texts, kind), *steps})
    ]


@console.post("/mails/<kind>/variants")
def change_variant(kind: str) -> ResponseReturnValue:
    """Add, rename or remove one. An added one is a name until its first text is saved."""
    name = request.form.get("name", "").strip()
    action = request.form.get("action", "")
    with current.rows() as session:
        place = place_of(session, kind, request.form)
        try:
            told, variant = _do(session, place, action, name)
        except RecoupError as problem:
            flash(f"Not done: {problem}", "bad")
            return redirect(place.address(), code=303)
    flash(told, "good")
    return redirect(place.address(variant=variant), code=303)


def _do(session: Session, place: Place, action: str, name: str) -> tuple[str, str | None]:
    if action == "add" or place.variant is None:
        told = f"Variant {name}: change a text of it and save. What it does not say is said as usual."
        return told, variants.check_name(name)
    if action == "rename":
        count = variants.rename(session, place.kind, place.variant, name, author(), current.now())
        return f"{_many(count)} of variant {place.variant} are called {name} now. Name it in the step, too.", name
    count = variants.remove(session, place.kind, place.variant, author(), current.now())
    return f"{_many(count)} of variant {place.variant} removed. The history brings them back.", None


def _many(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"


def _counts(texts: variants.TextsByLanguage, kind: str, name: str) -> dict[str, int]:
    return {language: len(own) for language, own in variants.texts_of_variant(texts, kind, name).items()}


def _steps(session: Session, kind: str) -> dict[str, list[tuple[Campaign, str]]]:
    found: dict[str, list[tuple[Campaign, str]]] = {}
    for each in in_force(session):
        for step in each.definition.messages:
            if step.kind == kind:
                for name in step.variants:
                    found.setdefault(name, []).append((each.campaign, step.key))
    return found
