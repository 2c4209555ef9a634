"""A visit to pages over real HTTP, by somebody who sees forms and buttons: loads, fills, presses, follows.

Knows how pages are walked through, not whose they are. It goes nowhere but to the hosts it is allowed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT = (3.05, 30)
_MOST_STEPS, _MOST_HOPS = 12, 8
_LARGEST = 2_000_000


class PageAway(Exception):
    """A page did not come, or not for now: worth coming back."""


class NotAllowed(Exception):
    """The way leads to a host where nobody of ours has any business."""


@dataclass
class Form:
    """A form: where it goes, what it carries, the names that can be filled in, and its buttons' names and values."""

    action: str
    method: str
    carries: dict[str, str] = field(default_factory=dict)
    asks: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """What came: where from, its status, and its forms in their order."""

    url: str
    status: int
    forms: tuple[Form, ...]


Press = tuple[Form, dict[str, str]]
Choice = Callable[[Page], Press | None]


class Browser:
    """One person's browser. `address` is what a proxy that is trusted would say of where they are."""

    def __init__(self, is_allowed: Callable[[str], bool], address: str) -> None:
        self._is_allowed = is_allowed
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "Mozilla/5.0 (sandbox customer)", "X-Forwarded-For": address})

    def walk(self, link: str, choose: Choice) -> Page:
        """Open `link` and press what `choose` says, until it says nothing. Raises `PageAway`, `NotAllowed`."""
        with self._session:
            page = self._load("GET", link)
            for _ in range(_MOST_STEPS):
                press = choose(page)
                if press is None:
                    break
                form, filled = press
                page = self._load(form.method, urljoin(page.url, form.action), {**form.carries, **filled})
            return page

    def _load(self, method: str, url: str, given: dict[str, str] | None = None) -> Page:
        for _ in range(_MOST_HOPS):
            answer = self._ask(method, url, given)
            if answer.status_code not in (301, 302, 303, 307, 308):
                break
            url = urljoin(url, answer.headers.get("Location", ""))
            if answer.status_code in (301, 302, 303):
                method, given = "GET", None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise PageAway(f"{urlsplit(url).path.split('/')[1]} answered {answer.status_code}")
        return Page(url, answer.status_code, tuple(forms_in(answer.text[:_LARGEST])))

    def _ask(self, method: str, url: str, given: dict[str, str] | None) -> requests.Response:
        if not self._is_allowed(url):
            raise NotAllowed(f"nobody goes to {urlsplit(url).netloc or 'nowhere'}")
        fields = {"params": given} if method == "GET" else {"data": given}
        try:
            return self._session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **fields)  # type: ignore[arg-type]
        except requests.RequestException as problem:
            raise PageAway(type(problem).__name__) from problem


def forms_in(html: str) -> Iterator[Form]:
    """The forms of a page."""
    parser = _Forms()
    parser.feed(html)
    yield from parser.found


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").upper())
            self.found.append(self._open)
        elif self._open is not None and tag in ("input", "button", "select", "textarea"):
            _add(self._open, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def _add(form: Form, tag: str, given: dict[str, str]) -> None:
    name, kind = given.get("name", ""), given.get("type", "submit" if tag == "button" else "text")
    if kind == "submit":
        form.buttons.append((name, given.get("value", "")))
    elif kind == "hidden":
        form.carries[name] = given.get("value", "")
    elif name:
        form.asks.add(name)
