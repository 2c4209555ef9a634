"""Every way a final action can end has a sentence that an operator understands."""

import pytest

from app.models.subscription_snapshot import SubscriptionSnapshot as Row
from app.outcomes.actions import RESTORABLE_KINDS, FinalAction, SkipReason
from app.outcomes.words import final_summary, not_restored_summary, restored_summary, why
from app.vocabulary import DebtAfterwards, FinalActionKind, FinalActionState


def row(kind: FinalActionKind, state: FinalActionState, reason: SkipReason | None = None, *did: str) -> Row:
    parameters = {"price_id": "price_free", "did": list(did)}
    return Row(action=kind, state=state, reason=reason, parameters=parameters)


def downgrade(debt: DebtAfterwards) -> FinalAction:
    return FinalAction(FinalActionKind.DOWNGRADE, "price_free", debt)


@pytest.mark.parametrize("reason", list(SkipReason))
def test_every_reason_has_words(reason: SkipReason) -> None:
    assert why(reason, {"differs": ["items"]})
    assert not_restored_summary(reason, {}).startswith("Nothing was restored: ")


@pytest.mark.parametrize("kind", list(FinalActionKind))
def test_every_action_has_words(kind: FinalActionKind) -> None:
    action = FinalAction(kind, "price_free")
    did = ("subscription", "debt")

    assert final_summary(row(kind, FinalActionState.DONE, None, *did), action).endswith(".")
    assert final_summary(row(kind, FinalActionState.INTENDED), action).endswith("awaited.")


@pytest.mark.parametrize("kind", sorted(RESTORABLE_KINDS))
def test_every_undoing_has_words(kind: FinalActionKind) -> None:
    assert restored_summary(row(kind, FinalActionState.RESTORED))


@pytest.mark.parametrize(
    ("debt", "reason", "did", "sentence"),
    [
        (DebtAfterwards.KEEP, None, ["subscription"], "the invoice stays open."),
        (DebtAfterwards.VOID, None, ["subscription", "debt"], "the invoice was voided."),
        (
            DebtAfterwards.VOID,
            SkipReason.REFUSED_BY_STRIPE,
            ["subscription"],
            "the invoice was left alone, because Stripe refused it; look at it in Stripe.",
        ),
        (
            DebtAfterwards.KEEP,
            SkipReason.INVOICE_PAID,
            ["subscription"],
            "the invoice was left alone, because the invoice has been paid.",
        ),
    ],
)
def test_what_became_of_the_debt_is_told_beside_the_subscription(
    debt: DebtAfterwards, reason: SkipReason | None, did: list[str], sentence: str
) -> None:
    done = row(FinalActionKind.DOWNGRADE, FinalActionState.DONE, reason, *did)

    assert final_summary(done, downgrade(debt)) == f"The subscription was moved to the price price_free; {sentence}"


def test_a_refusal_carries_stripes_codes() -> None:
    refused = row(FinalActionKind.DOWNGRADE, FinalActionState.SKIPPED, SkipReason.REFUSED_BY_STRIPE)
    refused.parameters["refusal"] = "resource_missing, items[0][price]"

    assert "(resource_missing, items[0][price])" in final_summary(refused, downgrade(DebtAfterwards.KEEP))
