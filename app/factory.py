"""The web program put together: its parts registered on one Flask application. Nothing is decided here."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app import doorstep, security_headers
from app.api import api, embed
from app.console import console
from app.context import Context
from app.inbox.receiving import StripeWebhooks
from app.inbox.sendgrid import sendgrid_webhook
from app.payment_page import payment_page
from app.payment_page.mail_pages import mail_pages
from app.payment_page.sample import IN_FLASK, sample_page
from app.watch import watch

LARGEST_BODY = 4 * 1024 * 1024


def create_app(context: Context) -> Flask:
    """The web program over one context: console, payment page, API, webhooks and what watches over it all."""
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY=context.settings.require("secret_key"), MAX_CONTENT_LENGTH=LARGEST_BODY)
    app.extensions["recoup"] = context
    app.extensions[IN_FLASK] = sample_page
    csrf = CSRFProtect(app)
    doorstep.install(app)
    for blueprint in (sendgrid_webhook, watch):
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    app.register_blueprint(payment_page)
    app.register_blueprint(api)
    app.register_blueprint(embed)
    app.register_blueprint(mail_pages)
    app.register_blueprint(console)
    security_headers.install(app)
    if context.settings.trusted_proxies:
        hops = context.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.wsgi_app = StripeWebhooks(app, app.wsgi_app)  # type: ignore[method-assign]
    return app
