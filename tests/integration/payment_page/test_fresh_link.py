"""Asking for a fresh link: it is there in a moment, in its own words, however lately another mail has left."""

from datetime import time

import pytest

from app.campaigns.contact import ContactRules
from app.campaigns.definition import MONTHLY
from app.models import Message, RecoveryCase
from app.vocabulary import MessageState
from tests.integration.payment_page.conftest import Payer, make_payer
from tests.stage import Stage


def ask_for_a_link(payer: Payer) -> Message:
    """Revoke the link in hand and ask for another; the mail that came of it once everything due has been done."""
    with payer.stage.context.database.organization(payer.stage.organization_id) as session:
        session.get_one(RecoveryCase, payer.case.id).link_version += 1
    assert payer.press("fresh-link", payer.see("/outcome")).is_redirect
    payer.stage.settle()
    (mail,) = [mail for mail in payer.stage.messages(payer.invoice) if mail.kind == "fresh_link"]
    return mail


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        ("en", "Your new link to pay for", "You asked for a new link"),
        ("de", "Ihr neuer Link zur Zahlung für", "Sie haben einen neuen Link"),
        ("fr", "Votre nouveau lien de paiement", "Vous avez demandé un nouveau lien"),
        ("es", "Tu nuevo enlace para pagar", "Has pedido un nuevo enlace"),
    ],
)
def test_a_link_asked_for_right_after_a_mail_leaves_at_once(
    stage: Stage, locale: str, subject: str, words: str
) -> None:
    no_quiet = ContactRules(quiet_from=time(0), quiet_until=time(0))
    stage.use_campaign(MONTHLY.model_copy(update={"contact": no_quiet}))
    payer = make_payer(stage, "expired_card", locale=locale)
    assert [mail.state for mail in stage.messages(payer.invoice)] == [MessageState.DELIVERED]
    mail = ask_for_a_link(payer)
    assert mail.state is MessageState.DELIVERED
    assert str(mail.subject).startswith(subject)
    assert words in str(mail.text_body)
    assert "49" in str(mail.text_body)


def test_the_link_in_the_mail_opens_the_page(payer: Payer) -> None:
    mail = ask_for_a_link(payer)
    link = next(word for word in str(mail.text_body).split() if word.startswith(f"{payer.stage.base_url}/pay/"))
    assert "€49.00" in payer.http.get(link, timeout=30).text
