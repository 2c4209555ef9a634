"""The operator's web pages: what is at risk, what was done about it and why, and the few things a person may do.

Reads through `app.recovery.queries` and acts through `app.recovery.operator`; decides nothing itself.
"""

from app.console import (
    api_keys,
    audit,
    campaign_actions,
    campaign_edit,
    campaigns,
    case_actions,
    cases,
    connections,
    customer_actions,
    customers,
    events,
    gate,
    mail_settings,
    outbox,
    overview,
    problems,
    reconcile,
    rehearsals,
    reports,
    sign_in,
)
from app.console.blueprint import console

__all__ = [
    "api_keys",
    "audit",
    "campaign_actions",
    "campaign_edit",
    "campaigns",
    "case_actions",
    "cases",
    "connections",
    "console",
    "customer_actions",
    "customers",
    "events",
    "gate",
    "mail_settings",
    "outbox",
    "overview",
    "problems",
    "reconcile",
    "rehearsals",
    "reports",
    "sign_in",
]
