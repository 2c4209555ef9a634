"""The merchant's uploaded logo, for mails and the page: public, because a mail program that asks says nobody's name."""

from uuid import UUID

from flask import Response, abort, current_app

from app.context import Context
from app.messages import logos
from app.payment_page.blueprint import payment_page
from app.security_headers import policy


@payment_page.get("/logo/<uuid:organization_id>/<uuid:logo_id>", endpoint="logo")
def logo(organization_id: UUID, logo_id: UUID) -> Response:
    """The picture. What stands at an address never changes, so it may be kept for a year."""
    context: Context = current_app.extensions["recoup"]
    with context.database.organization(organization_id) as session:
        found = logos.find(session, logo_id) or abort(404)
        response = Response(found.content, mimetype=found.media_type)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = policy(img_src=None, style_src=None, script_src=None, sandbox="")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # webmail shows it in pages of its own
    return response
