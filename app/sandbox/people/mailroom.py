"""Who of the customers reads their mail, what has come for them, and what they will do about it: kept as errands.

A mail comes in by either door, a folder of files or a request; both end in `deliver`.
"""

from typing import Any

from app.sandbox import ids
from app.sandbox.errors import wrong_state
from app.sandbox.issuers.luck import luck
from app.sandbox.ledger import Ledger
from app.sandbox.people import habits
from app.sandbox.people.letters import Read
from app.sandbox.periods import moment
from app.sandbox.policy import DAY
from app.sandbox.store import Doc, Store

READER, ADDRESS, ERRAND = "_reader", "_reader_address", "_errand"
READY = "ready"
CARD = "card "  # how what somebody did begins when they gave a card's number
_DIARY = 20
_NOBODY_WROTE: Doc = {"matter": 0, "number": 0, "latest": 0, "diary": []}


def begin_reading(ledger: Ledger, customer: str, seed: int | None = None) -> None:
    """From now on this customer reads what comes to their address; raises a 400 when they have none."""
    owner = ledger.get("customer", customer)
    if not owner.get("email"):
        raise wrong_state("This customer has no address, so no mail can come.")
    address = owner["email"].lower()
    person = int(luck("reader", address) * (1 << 62)) if seed is None else seed
    zone = (owner.get("metadata") or {}).get("timezone") or "UTC"
    ledger.save({"id": customer, "person": person, "timezone": zone, **_NOBODY_WROTE}, READER)
    known = ledger.find(ADDRESS, address) or {"id": address, "customers": []}
    ledger.save({**known, "customers": sorted({*known["customers"], customer})}, ADDRESS)


def deliver(ledger: Ledger, mail: Read) -> list[str]:
    """A mail has come: everybody who reads it makes up their mind. Returns who they are."""
    homes = [ledger.find(ADDRESS, address) for address in mail.addresses]
    readers: list[str] = [customer for home in homes if home for customer in home["customers"]]
    for customer in readers:
        _consider(ledger, ledger.get(READER, customer), mail)
    return readers


def become_ready(ledger: Ledger, errand: Doc) -> None:
    """Its moment has come: somebody sits down with the mail. Walking the pages is for whoever has the time."""
    ledger.save({**errand, "status": READY})


def settle(ledger: Ledger, errand: Doc, did: list[str]) -> None:
    """It is done."""
    ledger.store.remove(ERRAND, errand["id"])
    reader = ledger.find(READER, errand["customer"])
    if reader is not None:
        reader["visits"] = reader.get("visits", 0) + 1
        reader["cards"] = reader.get("cards", 0) + any(words.startswith(CARD) for words in did)
        _note(ledger, reader, ", ".join(did) or "looked and left")


def put_off(ledger: Ledger, errand: Doc, why: str) -> None:
    """The page did not come; they come back later, some times."""
    trouble = habits.parameters()["trouble"]
    tries = errand["tries"] + 1
    if tries >= trouble["patience"]:
        settle(ledger, errand, [f"gave up: {why}"])
        return
    ledger.save({**errand, "tries": tries, "status": "planned"})
    ledger.set_timer("errand", errand["id"], ledger.now + trouble["again_after_minutes"] * 60)


def diary(ledger: Ledger, customer: str) -> list[Any] | None:
    """What this customer has done about their mail, as (Unix seconds, words); None for one who reads none."""
    reader = ledger.find(READER, customer)
    return None if reader is None else list(reader["diary"])


def tally(store: Store) -> dict[str, int]:
    """What all readers together have done so far: readers, mails, mails opened, visits made, visits with a card."""
    sums = ("mails", "opened", "visits", "cards")
    columns = ", ".join(f"coalesce(sum(json_extract(body, '$.{name}')), 0)" for name in sums)
    found = store.fetch(f"select count(*), {columns} from objects where kind = ?", READER)  # noqa: S608 - our own words
    return dict(zip(("readers", *sums), (int(count) for count in found[0]), strict=True))


def _consider(ledger: Ledger, reader: Doc, mail: Read) -> None:
    silence = ledger.now - reader["latest"]
    is_new = silence > habits.parameters()["mails"]["forgotten_after_days"] * DAY
    reader.update(number=1 if is_new else reader["number"] + 1, latest=ledger.now)
    reader["matter"] += is_new
    arrived, zone = moment(ledger.now), reader["timezone"]
    made = habits.plan(reader["person"], reader["matter"], reader["number"], arrived, zone)
    reader["mails"] = reader.get("mails", 0) + 1
    reader["opened"] = reader.get("opened", 0) + (made.opens_at is not None)
    _note(ledger, reader, f"mail {reader['number']}: {mail.subject}")
    if made.opens_at is None or made.deed is None or mail.link is None:
        return
    errand = {
        "id": ids.new("errand"),
        "object": ERRAND,
        "customer": reader["id"],
        "link": mail.link,
        "deed": made.deed.value,
        "person": reader["person"],
        "matter": reader["matter"],
        "tries": 0,
        "status": "planned",
    }
    ledger.save(errand)
    ledger.set_timer("errand", errand["id"], max(int(made.opens_at.timestamp()), ledger.now + 1))


def _note(ledger: Ledger, reader: Doc, words: str) -> None:
    reader["diary"] = [*reader["diary"], [ledger.now, words]][-_DIARY:]
    ledger.save(reader, READER)
