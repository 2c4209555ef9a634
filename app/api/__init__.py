"""The JSON API v1 and the embedded notice: what other programs may read of cases, and whether access should stay.

Reads through `app.recovery` and decides nothing about money. Every request works in the organization of its key.
"""

from app.api import answering, cases, customers, embedding, entitlements, openapi
from app.api.blueprint import api
from app.api.notice_routes import embed

answering.put_on_routes()

__all__ = ["api", "cases", "customers", "embed", "embedding", "entitlements", "openapi"]
