"""A customer with a mail client and a browser without JavaScript: what a person would click, over real HTTP."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from app.models import Message
from tests.stage import Stage

LINK = re.compile(r"https?://\S+/pay/\S+")


@dataclass
class Form:
    """A form of a page as a browser sees it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, text


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._button: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag in ("input", "select") and self.forms and given.get("name") and given.get("type") != "submit":
            if given.get("type") not in ("radio", "checkbox") or "checked" in given:
                self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms:
            self._button = (given.get("name", ""), given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._button and data.strip():
            self.forms[-1].buttons.append((*self._button, data.strip()))
            self._button = None


class Browser:
    """Follows links and submits forms, keeping cookies."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.page = requests.Response()

    def open(self, url: str) -> "Browser":
        self.page = self.session.get(url, timeout=60)
        return self

    @property
    def text(self) -> str:
        return self.page.text

    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    def submit(self, action: str, **values: str) -> "Browser":
        """Submit the form whose action contains `action`, with its hidden fields and these values."""
        form = next((form for form in self.forms() if action in form.action), None)
        assert form is not None, f"no form to {action} on {self.page.url}: {[one.action for one in self.forms()]}"
        url = urljoin(self.page.url, form.action)
        self.page = self.session.request(form.method, url, data={**form.fields, **values}, timeout=60)
        return self


def newest_mail(stage: Stage, invoice: str, kind: str) -> Message:
    """The customer's latest mail of one kind about an invoice."""
    mails = [mail for mail in stage.messages(invoice) if mail.kind == kind and mail.accepted_at]
    assert mails, f"no {kind} among {[(mail.kind, mail.state, mail.reason) for mail in stage.messages(invoice)]}"
    return mails[-1]


def link_in(mail: Message) -> str:
    """The payment link in a mail's text."""
    found = LINK.search(mail.text_body or "")
    assert found, mail.text_body
    return found[0].rstrip(".)")
