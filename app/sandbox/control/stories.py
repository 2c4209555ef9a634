"""Stories to be played with one request."""

from flask import Blueprint

from app.sandbox import stories
from app.sandbox.control.desk import Desk, view
from app.sandbox.store import Doc


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/stories`."""
    routes = Blueprint("control_stories", __name__, url_prefix="/_sandbox")

    def listed() -> Doc:
        told = ("name", "title", "tells", "shows")
        return {"stories": [{name: getattr(story, name) for name in told} for story in stories.STORIES]}

    def begin(story: str) -> Doc:
        with desk.ledger() as ledger:
            return stories.begin(ledger, story)

    routes.add_url_rule("/stories", "listed", view(listed), methods=["GET"])
    routes.add_url_rule("/stories/<story>", "begin", view(begin), methods=["POST"])
    return routes
