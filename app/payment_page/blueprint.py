"""The blueprint that every route of the customer's page hangs on, and what all its answers have in common."""

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from app.context import Context
from app.payment_page import stripe_pages, styles
from app.payment_page.throttle import PageThrottle
from app.security_headers import policy

THROTTLE = "recoup.payment_page_throttle"
PUBLIC = ("payment_page.element_script", "payment_page.logo")

payment_page = Blueprint("payment_page", __name__, url_prefix="/pay", template_folder="templates")


@payment_page.record_once
def _prepare(state: BlueprintSetupState) -> None:
    """Give the app what these pages need.

    Forms here are guarded by signed tickets (see `tickets`), because a session cookie would shut out everybody whose
    mail program opens links in a browser without cookies.
    """
    context: Context = state.app.extensions["recoup"]
    state.app.extensions[THROTTLE] = PageThrottle(context.settings.require("redis_url"))
    state.app.jinja_env.globals["pay_style"] = styles.inline
    csrf = state.app.extensions.get("csrf")
    if csrf is not None:
        csrf.exempt(payment_page)


@payment_page.after_request
def _keep_to_yourself(response: Response) -> Response:
    """Out of caches and search engines; forms may lead to Stripe's pages and pictures come from the merchant."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    if request.endpoint in PUBLIC:
        return response
    response.headers["Cache-Control"] = "no-store"
    own = policy(
        script_src="'none'",
        style_src=styles.source(),
        connect_src="'none'",
        img_src="'self' data: https:",
        form_action=" ".join(("'self'", *stripe_pages.origins())),
    )
    response.headers.setdefault("Content-Security-Policy", own)  # the page with Stripe's form brings its own
    return response
