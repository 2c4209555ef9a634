"""A customer of the demonstration: finds the link in a mail, follows it, fills in forms. Over real HTTP, like anybody.

Knows pages only by what they show; nothing of Recoup's rows or rules.
"""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests

from app.errors import RecoupError

_LINK = re.compile(r"https?://\S+/pay/[\w.~-]*[\w~-]")
_PATIENCE = 30


class PageUnexpected(RecoupError):
    """A page did not show what the customer came for."""


def link_in(mail: str, here: str) -> str:
    """The payment link in a mail's text, as reached from this machine at `here`; raises `PageUnexpected`."""
    found = _LINK.search(mail)
    if found is None:
        raise PageUnexpected("the mail has no payment link")
    return urlunsplit((*urlsplit(here)[:2], *urlsplit(found[0])[2:]))


class _Forms(HTMLParser):
    """The forms of a page: where each goes and what is filled in already."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((given.get("action", ""), {}))
        elif tag == "input" and self.found and given.get("type") == "hidden":
            self.found[-1][1][given["name"]] = given.get("value", "")


class Payer:
    """A browser without JavaScript that remembers the page it is on."""

    def __init__(self, url: str) -> None:
        self._session = requests.Session()
        # A proxy for the outside world is no way to ourselves.
        self._session.trust_env = False
        self._page = self._session.get(url, timeout=_PATIENCE)

    def submit(self, action: str, **filled_in: str) -> "Payer":
        """Send the form that leads to `action` (part of its address) and go where it leads; raises `PageUnexpected`."""
        forms = _Forms()
        forms.feed(self._page.text)
        chosen = next((form for form in forms.found if action in form[0]), None)
        if chosen is None or not self._page.ok:
            raise PageUnexpected(f"{urlsplit(self._page.url).path} offers no way to {action or 'go on'}")
        target = urljoin(self._page.url, chosen[0])
        self._page = self._session.post(target, data={**chosen[1], **filled_in}, timeout=_PATIENCE)
        return self
