"""Tokens for the embedded notice, for operators who would rather ask than sign by themselves."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from app.accounts import api_keys, embed_tokens
from app.api.blueprint import context, holder, wall_now
from app.api.operations import operation
from app.api.problems import Refused
from app.api.shapes import EmbedToken
from app.vocabulary import ApiScope


class EmbedTokenWish(BaseModel):
    """For whom, and for how long."""

    model_config = ConfigDict(extra="forbid")

    customer: str = Field(description="The customer's id at Stripe.", min_length=1, max_length=255, pattern="^[!-~]+$")
    lifetime_minutes: int = Field(60, ge=1, le=24 * 60, description="When it ends; a page asks for its own.")


@operation(
    "/embed-tokens",
    method="POST",
    scope=ApiScope.WRITE,
    takes=EmbedTokenWish,
    answers=EmbedToken,
)
def make_embed_token(body: EmbedTokenWish) -> EmbedToken:
    """A token that lets one customer's browser show the notice.

    Your server can sign the same token by itself with the key's signing secret, which needs no call.
    """
    wall = wall_now()
    expires_at = (wall + timedelta(minutes=body.lifetime_minutes)).replace(microsecond=0)
    with context().database.system() as session:
        found = api_keys.find_signer(session, context().keys, holder().prefix, wall)
    if found is None:
        raise Refused(403, "This key has no signing secret. Make another key with the scope `write`.")
    token = embed_tokens.make(found[0].prefix, found[1], body.customer, expires_at)
    return EmbedToken(token=token, expires_at=expires_at)
