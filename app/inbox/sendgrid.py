"""`POST /webhooks/sendgrid`: what SendGrid reports of our mails. Checks, records and answers; decides nothing.

A campaign may answer a mail that came back, so the cases concerned are told.
"""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.context import Context
from app.log import get_logger
from app.messages.delivery import apply_reports
from app.messages.sendgrid_events import EventsForged, EventsUnreadable, EventType, Report, check_signature, read_batch
from app.recovery import planning

CAME_BACK = (EventType.BOUNCE, EventType.DROPPED)
LARGEST_BODY = 4 * 1024 * 1024
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

log = get_logger(__name__)
sendgrid_webhook = Blueprint("sendgrid_webhook", __name__)


@sendgrid_webhook.post("/webhooks/sendgrid")
def receive() -> Response:
    """404 without a key to check with, 413 too large, 401 not SendGrid's, 400 no batch, 200 recorded.

    A database that is away gives 500, and SendGrid brings the batch again.
    """
    context: Context = current_app.extensions["recoup"]
    key = context.settings.sendgrid_webhook_key
    if not key:
        return Response("SENDGRID_WEBHOOK_KEY is not set", 404)
    request.max_content_length = LARGEST_BODY
    try:
        body = request.get_data(cache=False)
        check_signature(key, body, request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP))
        now = context.clock.now()
        reports = read_batch(body, now)
    except RequestEntityTooLarge:
        return Response("the batch is too large", 413)
    except EventsForged as problem:
        log.warning("sendgrid.events_forged", problem=str(problem))
        return Response("the signature does not match", 401)
    except EventsUnreadable as problem:
        return Response(str(problem), 400)
    log.info("sendgrid.events", read=len(reports), news=_apply(context, reports, now))
    return Response("", 200)


def _apply(context: Context, reports: list[Report], now: datetime) -> int:
    """One short transaction for each organization in the batch; the signature vouches for which those are."""
    by_organization: dict[UUID, list[Report]] = defaultdict(list)
    for report in reports:
        by_organization[report.organization_id].append(report)
    news = 0
    for organization_id, theirs in by_organization.items():
        with context.database.organization(organization_id) as session:
            news += apply_reports(session, theirs, now)
        bounced = {report.message_id for report in theirs if report.type in CAME_BACK}
        if bounced:
            # apart, because a case is locked before its mails everywhere else; whoever dies here is made up for by the
            # next news of the case
            with context.database.organization(organization_id) as session:
                planning.answer_bounces(session, bounced, now)
    return news
