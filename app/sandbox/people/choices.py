"""What somebody presses next: the first button that has not been pressed, a card where one is asked for, yes to the
bank. How far they go is their deed.
"""

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from app.sandbox.people.browsing import Form, Page, Press
from app.sandbox.people.habits import Deed

_GOOD, _DECLINED = "4242424242424242", "4000000000000002"
_CARD = "number"
_CARDS = {Deed.FIXES: (_GOOD,), Deed.WRONG_THEN_FIXES: (_DECLINED, _GOOD), Deed.WRONG: (_DECLINED,)}


@dataclass
class Walker:
    """One visit's choices. `did` tells of them afterwards, in words."""

    deed: Deed
    approves: bool
    did: list[str] = field(default_factory=list)
    _pressed: set[str] = field(default_factory=set)
    _cards: int = 0

    def choose(self, page: Page) -> Press | None:
        """The next press on this page, or None to leave it."""
        if self.deed is Deed.LOOKS:
            return None
        for form in page.forms:
            answers = {value: name for name, value in form.buttons}
            if {"approve", "refuse"} <= answers.keys():
                return self._answer_bank(form, answers)
            if _CARD in form.asks:
                return self._give_card(form)
        return next((self._press(page, form) for form in page.forms if self._is_new(page, form)), None)

    def _answer_bank(self, form: Form, answers: dict[str, str]) -> Press | None:
        word = "approve" if self.approves else "refuse"
        if word in self.did:
            return None
        self.did.append(word)
        return form, {answers[word]: word}

    def _give_card(self, form: Form) -> Press | None:
        cards = _CARDS.get(self.deed, ())
        if self._cards >= len(cards):
            return None
        number = cards[self._cards]
        self._cards += 1
        self.did.append(f"card {number[-4:]}")
        return form, {_CARD: number, **_first_button(form)}

    def _is_new(self, page: Page, form: Form) -> bool:
        return form.method == "POST" and not form.asks and _place(page, form) not in self._pressed

    def _press(self, page: Page, form: Form) -> Press:
        place = _place(page, form)
        self._pressed.add(place)
        self.did.append(place.rpartition("/")[2])
        return form, _first_button(form)


def _place(page: Page, form: Form) -> str:
    return urlsplit(urljoin(page.url, form.action)).path


def _first_button(form: Form) -> dict[str, str]:
    name, value = form.buttons[0] if form.buttons else ("", "")
    return {name: value} if name else {}
