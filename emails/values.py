"""What each placeholder stands for in one mail. A fact that is missing gives no value, and its sentence is not said."""

from app.cards import brand_name
from emails.facts import Card, MailFacts, is_web_link
from emails.pen import Pen
from emails.phrase import Phrase, compose, link, literal, plain, tidy, web_link

# Names go into subjects, which are cut at about 78 characters anyway, and a first name longer than this is none.
NAME_LIMIT = 60
_FIRST_NAME_LIMIT = 40


def values_of(facts: MailFacts, pen: Pen, named_invoice: str | None) -> dict[str, Phrase]:
    """The values by placeholder name; `named_invoice` is the text that a debt of no subscription is called by."""
    found = _names(facts, pen, named_invoice) | _days(facts, pen)
    return {name: phrase for name, phrase in found.items() if phrase}


def card_words(card: Card) -> Phrase:
    """`Visa •••• 4242`, in one piece: a card number broken over two lines reads like two numbers."""
    words = (tidy(brand_name(card.brand) or ""), "••••", tidy(card.last4))
    return literal("\u00a0".join(filter(None, words)))


def _names(facts: MailFacts, pen: Pen, named_invoice: str | None) -> dict[str, Phrase | None]:
    merchant = pen.isolate(literal(tidy(facts.merchant.name, NAME_LIMIT)))
    support, help_page = tidy(facts.merchant.support_email or ""), facts.merchant.support_url
    number = _named(facts.invoice_number, pen)
    name = _greetable(facts.customer_first_name)
    invoice = compose(named_invoice, {"number": number}) if named_invoice and number else None
    is_invoice = invoice is not None and not facts.is_about_subscription
    return {
        "merchant": merchant,
        "product": (invoice if is_invoice else _named(facts.product_name, pen)) or merchant,
        "number": number,
        "plan": _named(facts.downgrade_to, pen),
        "name": pen.isolate(name) if name else None,
        "amount": pen.sum_of(owed.amount for owed in facts.amounts),
        "support": pen.isolate(link(support, f"mailto:{support}"), is_ltr=True) if support else None,
        "help_page": pen.isolate(web_link(help_page), is_ltr=True) if help_page and is_web_link(help_page) else None,
        "card": pen.isolate(card_words(facts.card), is_ltr=True) if facts.card else None,
        "card_expiry": _expiry(facts.card),
    }


def _days(facts: MailFacts, pen: Pen) -> dict[str, Phrase | None]:
    days = {
        "retry_date": facts.next_attempt_at,
        "final_date": facts.final_action_at,
        "access_date": facts.access_until,
        "promise_date": facts.promised_for,
        "due_date": facts.invoice_due_at,
        "charge_date": facts.next_charge_at,
    }
    far = {"period_end": facts.period_ends_at, "paid_date": facts.paid_at, "resume_date": facts.resumes_at}
    time = pen.clock_time(facts.final_action_at) if facts.final_action_at else None
    return (
        {name: pen.day(moment) if moment else None for name, moment in days.items()}
        | {name: pen.date(moment) if moment else None for name, moment in far.items()}
        | {"final_time": time}
    )


def _expiry(card: Card | None) -> Phrase | None:
    """`03/2026`, the order in which cards themselves say it everywhere."""
    if not card or not card.exp_month or not card.exp_year:
        return None
    return literal(f"{card.exp_month:02}/{card.exp_year}")


def _named(value: str | None, pen: Pen) -> Phrase | None:
    line = tidy(value or "", NAME_LIMIT)
    return pen.isolate(literal(line)) if line else None


def _greetable(name: str | None) -> Phrase | None:
    """A first name, unless it is something a mail program would turn into a link: sign-up forms are filled in by
    strangers, and a stranger's address must not be delivered under the merchant's name."""
    line = tidy(name or "")
    looks_like_link = "/" in line or "@" in line or "." in line.rstrip(".")
    return plain(line) if line and len(line) <= _FIRST_NAME_LIMIT and not looks_like_link else None
