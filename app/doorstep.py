"""What no page takes, refused before any page reads it. Knows no page; webhooks have signatures and rules of their own.

NUL is text to HTTP and to Python, and PostgreSQL can neither store it nor compare with it.
"""

from collections.abc import Iterator

from flask import Flask, abort, request

_GUARDED = ("console", "payment_page", "mail_pages", "api", "embed")
_REFUSAL = "What was sent holds a NUL character (%00), which nothing here can have. Take it out and try again."


def install(app: Flask) -> None:
    """Stand before every page of `app`."""
    app.before_request(_refuse_nul)


def _refuse_nul() -> None:
    if request.blueprint in _GUARDED and any("\0" in text for text in _texts()):
        abort(400, _REFUSAL)


def _texts() -> Iterator[str]:
    """All that the address and the form say, names and values."""
    yield request.path
    for source in (request.args, request.form):
        for name, value in source.items(multi=True):
            yield name
            yield value
