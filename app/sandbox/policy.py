"""The account's billing settings, as in Stripe's Dashboard: its own retries and what follows them."""

from dataclasses import asdict, dataclass, field

from app.sandbox.errors import bad_param
from app.sandbox.ledger import Ledger

HOUR, DAY = 3600, 86_400

# How long after each failure Stripe's default schedule tried again, in minutes: a two-week run recorded with a test
# clock.
SMART_MINUTES = (2687, 2573, 2673, 2432, 2596, 2559, 2381, 2280)

RETRY_MODES = ("smart", "off", "custom")
END_BEHAVIORS = ("cancel", "unpaid", "past_due")


@dataclass(frozen=True)
class Policy:
    """`retry_days` are days between tries, for `custom`.

    `end_behavior` is what becomes of a subscription after the last.
    """

    retries: str = "smart"
    retry_days: list[float] = field(default_factory=list)
    end_behavior: str = "cancel"
    attach_checks_card: bool = False
    account_name: str = "Northwind Tools"

    def gap_after(self, retries_made: int) -> int | None:
        """Seconds from a failure to the next automatic try, when `retries_made` came before.

        None when there is none.
        """
        if self.retries == "off":
            return None
        gaps = (
            [minutes * 60 for minutes in SMART_MINUTES]
            if self.retries == "smart"
            else [int(days * DAY) for days in self.retry_days]
        )
        return gaps[retries_made] if retries_made < len(gaps) else None


def load(ledger: Ledger) -> Policy:
    """The account's present policy."""
    kept = ledger.find("_policy", "account")
    return Policy(**{key: value for key, value in kept.items() if key != "id"}) if kept else Policy()


def change(ledger: Ledger, **changes: object) -> Policy:
    """Set some of the policy's fields; raises a 400 for a value that means nothing."""
    for name, value in changes.items():
        if name not in Policy.__dataclass_fields__:
            raise bad_param(name, f"There is no sandbox setting named {name}", "parameter_unknown")
        allowed = {"retries": RETRY_MODES, "end_behavior": END_BEHAVIORS}.get(name)
        if allowed and value not in allowed:
            raise bad_param(name, f"{name} must be one of {', '.join(allowed)}", "parameter_unknown")
    policy = Policy(**{**asdict(load(ledger)), **changes})
    ledger.save({"id": "account", **asdict(policy)}, "_policy")
    return policy
