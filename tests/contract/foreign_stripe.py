"""Another stateful Stripe than our sandbox: small, made without any code of ours, in shapes of API version 2020-08-27.

It has what a minimal imitation has and no more: no account, no lists of charges, no payments of invoices, no setup
pages, no idempotency; a filter or parameter that it does not know it refuses, breaks over or ignores, as its `manners`
say. It delivers its own events, signed, the moment they happen, and keeps books that a test can hold against Recoup's.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import requests
from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

Json = dict[str, Any]
Manners = Literal["refuses", "breaks", "ignores"]
SECRET = "whsec_of_a_foreign_stripe"
PLAN = {"id": "plan_pro", "object": "plan", "amount": 4900, "currency": "usd", "interval": "month", "product": "prod_1"}


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, **error: Any) -> None:
        super().__init__(status)
        self.status, self.error = status, error


@dataclass
class Card:
    """A card and how its next charges end: a decline code each, None for an approval; the last one holds on."""

    answers: list[str | None]

    def next_answer(self) -> str | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class ForeignStripe:
    """Objects by id, cards by payment method, and what was charged."""

    now: Callable[[], datetime]
    manners: Manners
    hook: str = ""
    url: str = ""
    objects: dict[str, Json] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    charged: list[tuple[str, str]] = field(default_factory=list)  # invoice, payment method
    refused: list[str] = field(default_factory=list)
    _outbox: list[Json] = field(default_factory=list)
    _count: int = 0

    # what a test does to it -------------------------------------------------------------------------------------

    def subscribe(self, *answers: str | None) -> str:
        """A customer with a card that answers so, and a subscription; the customer's id."""
        customer = self._make("cus", "customer", email="robin@example.com", name="Robin", invoice_settings={})
        self.give_card(customer["id"], *answers, told=False)
        item = {"id": f"si_{customer['id']}", "object": "subscription_item", "plan": PLAN, "quantity": 1}
        self._make(
            "sub",
            "subscription",
            customer=customer["id"],
            status="active",
            items={"object": "list", "data": [item]},
            current_period_end=self._seconds() + 30 * 86400,
            cancel_at_period_end=False,
        )
        return str(customer["id"])

    def give_card(self, customer_id: str, *answers: str | None, told: bool = True) -> str:
        """A card saved for a customer as their default, somewhere else than on Recoup's page."""
        details = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034, "funding": "credit"}
        method = self._make("pm", "payment_method", type="card", customer=customer_id)
        method["card"] = {**details, "country": "US", "fingerprint": f"print_{method['id']}"}
        self.cards[method["id"]] = Card(list(answers))
        customer = self.objects[customer_id]
        customer["invoice_settings"] = {"default_payment_method": method["id"]}
        if told:
            self._note("payment_method.attached", method)
            self._note("customer.updated", customer)
            self.deliver()
        return str(method["id"])

    def renew(self, customer_id: str) -> str:
        """The next period's invoice is charged; its id."""
        subscription = self._one("subscription", customer=customer_id)
        invoice = self._make(
            "in",
            "invoice",
            customer=customer_id,
            subscription=subscription["id"],
            status="open",
            amount_due=PLAN["amount"],
            amount_paid=0,
            amount_remaining=PLAN["amount"],
            currency="usd",
            billing_reason="subscription_cycle",
            collection_method="charge_automatically",
            attempted=True,
            attempt_count=1,
            auto_advance=False,
            next_payment_attempt=self._seconds(),
            paid=False,
            lines={"object": "list", "data": [{"object": "line_item", "amount": 4900, "plan": PLAN}]},
        )
        intent = self._make("pi", "payment_intent", customer=customer_id, invoice=invoice["id"], amount=4900)
        invoice["payment_intent"] = intent["id"]
        if decline := self._charge(invoice):
            subscription["status"] = "past_due"
            self._note("invoice.payment_failed", invoice)
            self._note("charge.failed", {"object": "charge", **decline})
        self.deliver()
        return str(invoice["id"])

    def void(self, invoice_id: str) -> None:
        """The operator takes the debt back."""
        self.objects[invoice_id]["status"] = "void"
        self._note("invoice.voided", self.objects[invoice_id])
        self.deliver()

    def cancel(self, customer_id: str) -> None:
        """The customer leaves."""
        subscription = self._one("subscription", customer=customer_id)
        subscription["status"] = "canceled"
        self._note("customer.subscription.deleted", subscription)
        self.deliver()

    def deliver(self) -> None:
        """Post what has happened to the webhook, signed as Stripe signs."""
        while self._outbox:
            body = json.dumps(self._outbox.pop(0))
            stamp = self._seconds()
            mac = hmac.new(SECRET.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
            headers = {"Stripe-Signature": f"t={stamp},v1={mac}", "Content-Type": "application/json"}
            assert requests.post(self.hook, data=body, headers=headers, timeout=30).ok

    # what a program may ask of it ---------------------------------------------------------------------------------

    def answer(self, method: str, path: str, given: Json) -> Json:
        """One request; raises `Refusal`."""
        match method, path.split("/"):
            case "POST", ["customers", customer_id]:
                wanted = given.pop("invoice_settings[default_payment_method]")
                self._know(given)
                self.objects[customer_id]["invoice_settings"] = {"default_payment_method": wanted}
                return self._get("customers", customer_id)
            case "POST", ["invoices", invoice_id, "pay"]:
                return self._pay(self._get("invoices", invoice_id), given)
            case "POST", ["invoices", invoice_id, "void"]:
                self.void(invoice_id)
                return self._get("invoices", invoice_id)
            case "DELETE", ["subscriptions", subscription_id]:
                self.cancel(self._get("subscriptions", subscription_id)["customer"])
                return self._get("subscriptions", subscription_id)
            case "GET", [("invoices" | "subscriptions") as kind]:
                return self._list(kind.removesuffix("s"), given)
            case "GET", [kind, object_id]:
                self._know(given)
                return self._get(kind, object_id)
        raise Refusal(404)

    def _pay(self, invoice: Json, given: Json) -> Json:
        self._know(given)
        if invoice["status"] != "open":
            raise Refusal(400, type="invalid_request_error", message="This invoice isn't open")
        if decline := self._charge(invoice):
            raise Refusal(402, type="card_error", code="card_declined", decline_code=decline["decline_code"])
        return invoice

    def _charge(self, invoice: Json) -> Json | None:
        """Charge the customer's default card; what a decline leaves behind, or None."""
        intent = self.objects[invoice["payment_intent"]]
        method_id = self.objects[invoice["customer"]]["invoice_settings"]["default_payment_method"]
        refusal = self.cards[method_id].next_answer()
        if refusal:
            self.refused.append(invoice["id"])
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {
                "code": "card_declined",
                "decline_code": refusal,
                "charge": f"ch_{len(self.refused)}",
                "payment_method": self.objects[method_id],
            }
            return {"id": f"ch_{len(self.refused)}", "decline_code": refusal, "invoice": invoice["id"]}
        self.charged.append((invoice["id"], method_id))
        intent |= {"status": "succeeded", "last_payment_error": None}
        invoice |= {"status": "paid", "paid": True, "amount_paid": invoice["amount_due"], "amount_remaining": 0}
        invoice["status_transitions"] = {"paid_at": self._seconds()}
        self._note("invoice.payment_succeeded", invoice)
        return None

    def _list(self, kind: str, given: Json) -> Json:
        customer_id = given.pop("customer", None) if self.manners != "ignores" else None
        given.pop("limit", None)
        self._know(given)
        found = [one for one in self.objects.values() if one["object"] == kind]
        rows = [one for one in found if customer_id in (None, one["customer"])]
        return {"object": "list", "data": rows, "has_more": False}

    def _know(self, given: Json) -> None:
        """What to do about parameters that nobody here knows."""
        if not given or self.manners == "ignores":
            return
        if self.manners == "breaks":
            raise KeyError(*given)
        name = next(iter(given))
        raise Refusal(400, type="invalid_request_error", code="parameter_unknown", param=name)

    def _get(self, kind: str, object_id: str) -> Json:
        found = self.objects.get(object_id)
        if found is None or f"{found['object']}s" != kind:
            raise Refusal(404, type="invalid_request_error", message=f"No such {kind}")
        return found

    def _one(self, kind: str, **values: str) -> Json:
        return next(one for one in self.objects.values() if one["object"] == kind and values.items() <= one.items())

    def _make(self, prefix: str, kind: str, **values: Any) -> Json:
        self._count += 1
        made = {
            "id": f"{prefix}_{self._count}",
            "object": kind,
            "created": self._seconds(),
            "livemode": False,
            **values,
        }
        self.objects[made["id"]] = made
        return made

    def _note(self, event_type: str, about: Json) -> None:
        self._count += 1
        event = {"id": f"evt_{self._count}", "object": "event", "api_version": "2020-08-27", "livemode": False}
        carried = json.loads(json.dumps(about))
        self._outbox.append({**event, "created": self._seconds(), "type": event_type, "data": {"object": carried}})

    def _seconds(self) -> int:
        return int(self.now().timestamp())


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@contextmanager
def serving(double: ForeignStripe) -> Iterator[ForeignStripe]:
    """Serve `double` over HTTP on a port of its own."""
    app = Flask(__name__)
    lock = threading.Lock()

    @app.route("/v1/<path:path>", methods=["GET", "POST", "DELETE"])
    def answer(path: str) -> Response | tuple[str, int]:
        try:
            with lock:
                found = double.answer(request.method, path, {**request.args.to_dict(), **request.form.to_dict()})
        except Refusal as refusal:
            body = {"error": refusal.error} if refusal.error else {}
            return Response(json.dumps(body), refusal.status, mimetype="application/json")
        except KeyError:
            return "<h1>Internal Server Error</h1>", 500
        finally:
            double.deliver()
        return Response(json.dumps(found), mimetype="application/json")

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield double
    finally:
        server.shutdown()
        thread.join(timeout=15)
        server.server_close()
