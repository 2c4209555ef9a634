"""A mail's HTML inside a page of ours: in a frame of its own, which may run nothing, send nothing and load pictures."""

from flask import Response

from app.security_headers import policy

POLICY = policy(
    script_src=None,
    connect_src=None,
    form_action="'none'",
    style_src="'unsafe-inline'",
    img_src="'self' https: data:",
    frame_ancestors="'self'",
    sandbox="",
)


def framed(html: str) -> Response:
    """The answer for the frame."""
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def framing(page: str) -> Response:
    """A page that shows such a frame."""
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy(frame_src="'self'")
    return response
