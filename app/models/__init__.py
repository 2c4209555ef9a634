"""Every record, one a file. Records are dumb: columns and constraints, no rules."""

from app.models.api_key import ApiKey
from app.models.audit_entry import AuditEntry
from app.models.brand_logo import BrandLogo
from app.models.campaign import Campaign
from app.models.campaign_version import CampaignVersion
from app.models.case_entry import CaseEntry
from app.models.charge_attempt import ChargeAttempt
from app.models.conflict import Conflict
from app.models.connection import Connection
from app.models.customer import Customer
from app.models.delivery_event import DeliveryEvent
from app.models.errand import Errand
from app.models.finding import Finding
from app.models.hold import Hold
from app.models.inbox_event import InboxEvent
from app.models.invoice import Invoice
from app.models.mail_wording import MailWording
from app.models.member import Member
from app.models.message import Message
from app.models.organization import Organization
from app.models.past_attempt import PastAttempt
from app.models.past_failure import PastFailure
from app.models.payment_method import PaymentMethod
from app.models.recipient import Recipient
from app.models.recovery_case import RecoveryCase
from app.models.rehearsal import Rehearsal
from app.models.retry_decision import RetryDecision
from app.models.retry_knowledge import RetryKnowledge
from app.models.sign_in import SignIn
from app.models.step import Step
from app.models.subscription import Subscription
from app.models.subscription_snapshot import SubscriptionSnapshot
from app.models.suppression import Suppression
from app.models.user import User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "BrandLogo",
    "Campaign",
    "CampaignVersion",
    "CaseEntry",
    "ChargeAttempt",
    "Conflict",
    "Connection",
    "Customer",
    "DeliveryEvent",
    "Errand",
    "Finding",
    "Hold",
    "InboxEvent",
    "Invoice",
    "MailWording",
    "Member",
    "Message",
    "Organization",
    "PastAttempt",
    "PastFailure",
    "PaymentMethod",
    "Recipient",
    "RecoveryCase",
    "Rehearsal",
    "RetryDecision",
    "RetryKnowledge",
    "SignIn",
    "Step",
    "Subscription",
    "SubscriptionSnapshot",
    "Suppression",
    "User",
]
