"""SendGrid's door for sending: the one place that calls its API. Its events come in by `app.messages.sendgrid_events`.

SendGrid knows no idempotency key, so the difference between "not taken" and "no answer" is kept exact: a request that
was not written whole was not taken; one that was written and not answered may have been.
"""

import http.client
import json
import urllib.request
from datetime import timedelta
from typing import Any
from urllib.error import URLError

import python_http_client
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from app.failpoints import failpoint
from app.messages.senders.port import OutgoingMail, SenderBusy, SenderRefused, SenderSilent

TIMEOUT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
_CATEGORY = "recoup"
# A wrong key or an unverified sender is the operator's to repair; the mail is still good when they have.
_TO_BE_REPAIRED = {401: "sendgrid_key_not_accepted", 403: "sendgrid_sender_not_allowed"}


class SendGrid:
    """Sends by `POST /v3/mail/send`. `timeout` bounds connecting and each wait for the answer."""

    name = "sendgrid"
    delivers_at_once = False

    def __init__(self, api_key: str, base: str, timeout: timedelta = TIMEOUT) -> None:
        self._api = SendGridAPIClient(api_key, host=base.rstrip("/"))
        headers = self._api.client.request_headers
        self._api.client = _Client(base.rstrip("/"), headers, version=3, timeout=timeout.total_seconds())

    def send(self, mail: OutgoingMail) -> str | None:
        """SendGrid's message id (`X-Message-Id`)."""
        try:
            response = self._api.client.mail.send.post(request_body=payload(mail))
        except HTTPError as answer:
            raise _translated(answer) from answer
        except URLError as problem:
            raise SenderBusy("sendgrid_not_reached") from problem
        except (OSError, http.client.HTTPException) as problem:
            raise SenderSilent(f"sendgrid_{type(problem).__name__}") from problem
        provider_id = response.headers.get("X-Message-Id")
        return str(provider_id) if provider_id else None

    def knock(self) -> None:
        """Ask what the key may do. Raises SenderBusy for one that is not accepted or may not send, and for silence.

        A server that is like SendGrid but knows no scopes has said nothing against the key.
        """
        try:
            response = self._api.client.scopes.get()
        except HTTPError as answer:
            if int(answer.status_code) == 401:
                raise SenderBusy(_TO_BE_REPAIRED[401]) from answer
            return
        except (OSError, http.client.HTTPException) as problem:
            raise SenderBusy("sendgrid_not_reached") from problem
        if "mail.send" not in json.loads(response.body or b"{}").get("scopes", ["mail.send"]):
            raise SenderBusy("sendgrid_key_may_not_send")


def payload(mail: OutgoingMail) -> dict[str, Any]:
    """The body of `POST /v3/mail/send`. SendGrid keeps custom arguments and categories long: they carry ids only."""
    off = {"enable": False}
    body: dict[str, Any] = {
        "personalizations": [{"to": [{"email": mail.to}], "custom_args": {"recoup_message": mail.reference}}],
        "from": {"email": mail.from_email, "name": mail.from_name},
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
        "headers": {"Auto-Submitted": "auto-generated", "Content-Language": mail.locale, **mail.list_headers()},
        "categories": [_CATEGORY, f"{_CATEGORY}.{mail.kind}"],
        # The payment link is signed and personal: it must reach the customer as it was written.
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": off,
            "subscription_tracking": off,
            "ganalytics": off,
        },
    }
    if mail.reply_to:
        body["reply_to"] = {"email": mail.reply_to}
    return body


def _translated(answer: HTTPError) -> SenderBusy | SenderRefused:
    status = int(answer.status_code)
    if status in _TO_BE_REPAIRED:
        return SenderBusy(_TO_BE_REPAIRED[status])
    if status in (408, 429) or status >= 500:
        return SenderBusy(f"sendgrid_{status}", _wait(answer))
    return SenderRefused(f"sendgrid_{status}{_field(answer)}")


def _wait(answer: HTTPError) -> timedelta | None:
    """`Retry-After` in seconds, bounded. `X-RateLimit-Reset` is a moment, and nobody here reads a clock."""
    value = (answer.headers or {}).get("Retry-After") or ""
    return min(timedelta(seconds=int(value)), LONGEST_WAIT) if value.isdigit() and len(value) < 9 else None


def _field(answer: HTTPError) -> str:
    """Which field SendGrid objects to. Its texts are left out, because they may quote the address."""
    try:
        errors = json.loads(answer.body)["errors"]
        field = errors[0].get("field")
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return f":{field}" if isinstance(field, str) and field.isascii() and len(field) < 80 else ""


class _Watched:
    """For an HTTP connection: passes the failpoint once the request is written and before its answer is read."""

    def getresponse(self) -> http.client.HTTPResponse:
        failpoint("message.request_left")
        # a mixin: which connection's this is, its heirs say
        return super().getresponse()  # type: ignore[misc,no-any-return]


class _Connection(_Watched, http.client.HTTPConnection):
    pass


class _SecureConnection(_Watched, http.client.HTTPSConnection):
    pass


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, request)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would follow a redirected POST with a GET and call its 200 a success."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


class _Client(python_http_client.Client):  # type: ignore[misc]  # the package tells no types
    """SendGrid's client over our connections; it makes a copy of itself for each part of the path."""

    def _build_client(self, name: str | None = None) -> "_Client":
        path = [*self._url_path, name] if name else self._url_path
        return _Client(self.host, self.request_headers, version=self._version, url_path=path, timeout=self.timeout)

    def _make_request(self, _opener: Any, request: Any, timeout: float | None = None) -> Any:
        opener = urllib.request.build_opener(_Http, _Https, _NoRedirect)
        return super()._make_request(opener, request, timeout=timeout)
