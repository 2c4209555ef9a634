"""Another card, given in Stripe's own form inside a page of ours, where the operator wants that and has a key for it.

The form, its frames and every keystroke in them are Stripe's; ours is the page around it, whose policy lets in that one
script and no other. Whoever has no JavaScript, or whom the form does not reach, is led to Stripe's page instead.
"""

from pathlib import Path
from urllib.parse import urlencode

from flask import Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.accounts.connections import gateway_for
from app.payment_page import stripe_pages, styles
from app.payment_page.bills import CardUse
from app.payment_page.blueprint import payment_page
from app.payment_page.card import finish, key_of_click, remember, unless_as_shown
from app.payment_page.pages import CHANGED, to_page
from app.payment_page.visits import enter, look_again, speak
from app.recovery.card_change import OWN_FORM, GivenFor
from app.security_headers import policy

SCRIPT = Path(__file__).parent / "static" / "element.js"
STRIPE_JS = "https://js.stripe.com/v3/"
_STRIPE = "https://js.stripe.com https://*.js.stripe.com"
PAYMENTS = (
    'camera=(), geolocation=(), microphone=(), payment=(self "https://js.stripe.com"), usb=(), browsing-topics=()'
)


@payment_page.get("/element.js")
def element_script() -> Response:
    """Our few lines beside Stripe's script."""
    response = Response(SCRIPT.read_text(encoding="utf-8"), mimetype="text/javascript")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@payment_page.post("/<token>/card-here")
def give_card_here(token: str) -> ResponseReturnValue:
    """On to the page with Stripe's form; it has an address of its own, so that the way back leads through it."""
    visit = enter(token)
    click = visit.click()
    instead = unless_as_shown(visit, click, look_again(visit))
    if instead is not None:
        return instead
    remember(visit, click)
    return redirect(visit.url(f"/card-here?{urlencode({'ticket': request.form['ticket']})}"), code=303)


@payment_page.get("/<token>/card-here")
def show_form(token: str) -> ResponseReturnValue:
    """The page with Stripe's form for a new card; nothing is charged before the customer comes back."""
    visit = enter(token)
    click = visit.click()
    standing = visit.standing()
    instead = unless_as_shown(visit, click, standing)
    if instead is not None:
        return instead
    key = standing.offers.publishable_key
    if key is None or standing.card_use is not CardUse.NOW:
        return to_page(visit, CHANGED)
    secret = gateway_for(visit.context, standing.connection).create_setup_intent(
        customer_id=standing.customer.stripe_id,
        metadata={
            **GivenFor(visit.link.case_id, click.name).write(),
            "recoup_organization": str(visit.link.organization_id),
            OWN_FORM: "1",
        },
        idempotency_key=f"{key_of_click(visit, click)}:here",
    )
    page = render_template(
        "payment_page/element.html",
        voice=speak(standing),
        standing=standing,
        merchant=standing.facts.merchant,
        base=f"/pay/{visit.token}",
        ticket=visit.ticket(standing),
        key=key,
        secret=secret.client_secret,
        back=visit.url("/saved"),
        stripe_js=STRIPE_JS,
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = policy(
        script_src=f"'self' {_STRIPE}",
        style_src=styles.source(),
        frame_src=f"{_STRIPE} https://hooks.stripe.com",
        connect_src="'self' https://api.stripe.com",
        img_src="'self' data: https:",
        form_action=" ".join(("'self'", *stripe_pages.origins())),
    )
    response.headers["Permissions-Policy"] = PAYMENTS
    return response


@payment_page.get("/<token>/saved")
def card_was_saved(token: str) -> ResponseReturnValue:
    """Back from Stripe's form: the same as coming back from Stripe's page."""
    return finish(token, lambda gateway: gateway.get_setup_intent(request.args.get("setup_intent", "")))
