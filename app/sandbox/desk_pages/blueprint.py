"""The desk's pages as one blueprint."""

from flask import Blueprint, Response, send_from_directory

from app.sandbox.desk_pages.customers import Customers
from app.sandbox.desk_pages.events import Events
from app.sandbox.desk_pages.home import Home
from app.sandbox.desk_pages.rendering import Pages, guard, keep_calm
from app.sandbox.desk_pages.troubles import Troubles


def blueprint(pages: Pages) -> Blueprint:
    """The routes `/`, `/clock`, `/stories`, `/population`, `/settings`, `/customers`, `/faults`, `/events`."""
    desk = Blueprint("desk", __name__, template_folder="templates")
    desk.before_request(guard)
    desk.after_request(keep_calm)
    folder = f"{desk.root_path}/templates/desk"

    def style() -> Response:
        return send_from_directory(folder, "desk.css", max_age=3600)

    desk.add_url_rule("/_sandbox/desk.css", "style", style)
    for part in (Home(pages), Customers(pages), Events(pages), Troubles(pages)):
        for method, rule, name, action in part.routes():
            desk.add_url_rule(rule, name, pages.view(action), methods=[method])
    return desk
