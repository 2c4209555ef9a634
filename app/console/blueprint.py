"""The blueprint that every page of the console hangs on, and what it asks of the app that takes it in."""

import hashlib
from pathlib import Path

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from app.accounts.throttle import SignInThrottle
from app.console import formats, words
from app.context import Context

HERE = Path(__file__).parent
THROTTLE = "recoup.sign_in_throttle"

console = Blueprint(
    "console", __name__, url_prefix="/", template_folder="templates", static_folder="static", static_url_path="/assets"
)


@console.record_once
def _prepare(state: BlueprintSetupState) -> None:
    """Give the app what these pages need. Cookies follow the public address, so that a proxy cannot loosen them."""
    context: Context = state.app.extensions["recoup"]
    is_https = context.settings.base_url().startswith("https://")
    state.app.config.update(
        SESSION_COOKIE_NAME="__Host-recoup-form" if is_https else "recoup-form",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )
    state.app.extensions[THROTTLE] = SignInThrottle(
        context.settings.require("redis_url"), context.settings.require("secret_key")
    )
    state.app.jinja_env.globals.update(fmt=formats, words=words, asset_versions=_asset_versions())


def _asset_versions() -> dict[str, str]:
    """A short hash of each of our static files, so that browsers may keep them for a year."""
    files = sorted((HERE / "static").iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in files}
