"""The configured line to Stripe: one API version, short timeouts, our own patience with rate limits, errors translated.

Knows how to ask; what to ask is in the pieces that build on it.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import stripe

from app.log import get_logger
from app.stripe_gateway.errors import RateLimited
from app.stripe_gateway.pace import at_once
from app.stripe_gateway.readers.fields import rows, text
from app.stripe_gateway.snapshots import Json
from app.stripe_gateway.translation import retry_after, translate

API_VERSION = "2026-08-26.dahlia"
PAGE_SIZE = 100  # Stripe's largest
LONGEST_WAIT = 5.0  # seconds; a charge is asked for under a lease, so a longer wait is the caller's to plan
_NOTHING = "{}"
_WAITS = (0.5, 1.0, 2.0)  # seconds before the second, third and fourth asking
_CONNECT_TIMEOUT = 5.0  # seconds

_log = get_logger(__name__)
_random = random.SystemRandom()

stripe.enable_telemetry = False


class _PlainAnswers(stripe.RequestsClient):
    """Keeps good answers as they came, and hands the library of bad ones only what it can digest: an `error` object.

    The library would build typed objects out of every good answer, which costs several times what reading it does, and
    fails where a field is not as it expects. Proxies, load balancers and imitations of Stripe answer with pages, texts
    and lists, on which it fails in ways of its own; the status alone then has to say what happened.
    """

    def __init__(self, timeout: tuple[float, float]) -> None:
        super().__init__(timeout=timeout)
        self._last = threading.local()

    @property
    def document(self) -> Json | None:
        """This thread's last good answer as it came; None when none came since `forget`."""
        document: Json | None = getattr(self._last, "document", None)
        return document

    def forget(self) -> None:
        self._last.document = None

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        answer, status, answered = super().request(method, url, headers, post_data)
        body = answer.decode("utf-8", "replace")
        document = _parse(body)
        if not 200 <= status < 300 and not isinstance((document or {}).get("error"), dict):
            return '{"error": {}}', status, answered
        if document is None:
            raise stripe.APIError("unreadable answer", http_status=status, headers=dict(answered))
        if not 200 <= status < 300:
            return body, status, answered
        self._last.document = document
        return _NOTHING, status, answered


class StripeDoor:
    """One account's line to Stripe, for the pieces of the gateway to build on.

    `timeout` is in seconds for each read; `account` acts for a connected account of a platform's key;
    `pace` is called before each request and may wait.
    """

    def __init__(
        self,
        api_key: str,
        *,
        api_base: str | None = None,
        account: str | None = None,
        timeout: float = 15.0,
        sleep: Callable[[float], None] = time.sleep,
        pace: Callable[[], None] = at_once,
    ) -> None:
        self.livemode = api_key[2:8] == "_live_"
        self._is_imitation = bool(api_base) and not _is_stripes_own(api_base or "")
        self._sleep = sleep
        self._pace = pace
        self._line = _PlainAnswers((min(_CONNECT_TIMEOUT, timeout), timeout))
        client = stripe.StripeClient(
            api_key,
            stripe_account=account,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base.rstrip("/")} if api_base else {},
            max_network_retries=0,
            http_client=self._line,
        )
        self._v1 = client.v1

    def _ask(self, permission: str, call: Callable[[], stripe.StripeObject]) -> Json:
        """The answer to `call` as plain JSON; raises a `GatewayError`. Only rate limits are waited for and repeated."""
        for wait in (*_WAITS, None):
            try:
                return self._call(call)
            except stripe.StripeError as error:
                ours = translate(error, permission=permission, is_imitation=self._is_imitation)
                asked_wait = retry_after(error)
            if not isinstance(ours, RateLimited):
                break
            ours.retry_after = asked_wait
            if wait is None or (asked_wait or 0) > LONGEST_WAIT:
                break
            _log.info("stripe_rate_limited", request_id=ours.request_id, wait=asked_wait or wait)
            self._sleep(max(asked_wait or 0, wait * _random.uniform(0.75, 1.25)))
        raise ours

    def _call(self, call: Callable[[], stripe.StripeObject]) -> Json:
        self._pace()
        self._line.forget()
        call()
        answer = self._line.document
        if answer is None:  # whatever was asked, it did not go through our line
            raise stripe.APIError("no answer was kept")
        return answer

    def _pages(
        self, permission: str, ask_page: Callable[[Any], stripe.StripeObject], params: Json | None = None
    ) -> Iterator[Json]:
        """Every row of a list, in Stripe's order: the newest first."""
        asked: Json = {"limit": PAGE_SIZE, **(params or {})}
        while True:
            page = self._ask(permission, partial(ask_page, asked))
            found = rows(page, "data")
            yield from found
            edge = text(found[-1], "id") if found else None
            # An imitation that ignores the cursor would answer with the same page for ever.
            if page.get("has_more") is not True or edge is None or edge == asked.get("starting_after"):
                return
            asked = {**asked, "starting_after": edge}


def _is_stripes_own(api_base: str) -> bool:
    return (urlsplit(api_base).hostname or "").endswith(".stripe.com")


def _parse(body: str) -> Json | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
