"""The first page: stories, the clock, people who move in, Stripe's settings, and who owes something."""

from typing import Any

from flask import request

from app.sandbox import policy, stories
from app.sandbox.checks import checked
from app.sandbox.control.samples import settle_all
from app.sandbox.control.wishes import CrowdWish
from app.sandbox.desk_pages import looking
from app.sandbox.desk_pages.rendering import Pages, Route, go
from app.sandbox.desk_pages.turner import SPANS
from app.sandbox.issuers.parameters import segments
from app.sandbox.population import Crowd

_RETRIES = {"smart": "Stripe's own, eight in two weeks", "custom:1,3,5": "after 1, 3 and 5 days", "off": "none"}
_ENDS = {"cancel": "cancel", "unpaid": "mark unpaid", "past_due": "leave past due"}
_SHOWN = 8


class Home:
    """Its routes and what they do."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[Route]:
        """Method, rule, name and action of each."""
        return [
            ("GET", "/", "home", self.show),
            ("POST", "/clock", "turn", self.turn),
            ("POST", "/stories/<story>", "begin", self.begin),
            ("POST", "/population", "populate", self.populate),
            ("POST", "/settings", "change", self.change),
        ]

    def show(self) -> Any:
        """The page."""
        with self._desk.ledger() as ledger:
            owing, _ = looking.people(ledger, None, owing=True)
            settings = policy.load(ledger)
        dues = [world.next_due() for world in self._desk.accounts.all()]
        return self._pages.show(
            "home",
            spans=SPANS,
            stories=stories.STORIES,
            segments=segments(),
            owing=owing[:_SHOWN],
            figures=looking.figures(self._desk.world.store),
            coming=min((due for due in dues if due is not None), default=None),
            settings=settings,
            retries=_RETRIES,
            ends=_ENDS,
        )

    def turn(self) -> Any:
        """Turn the clock, and back to where it was pressed."""
        self._pages.turner.turn(request.form.get("span", ""))
        customer = request.form.get("customer")
        return go("customer", customer=customer) if customer else go("home")

    def begin(self, story: str) -> Any:
        """Begin a story, and to whom it happens."""
        with self._desk.ledger() as ledger:
            begun = stories.begin(ledger, story)
        names = ", ".join(entry["name"] for entry in begun["customers"])
        title = next(told.title for told in stories.STORIES if told.name == story)
        return go("customer", f"“{title}” has begun with {names}. Now turn the clock.", customer=begun["customer"])

    def populate(self) -> Any:
        """Let people move in: other people each time."""
        given = {"customers": request.form.get("customers"), "behaviours": request.form.get("behaviour")}
        wish = checked(CrowdWish, given)
        rows = self._desk.world.store.fetch("select count(*) from objects where kind = '_behaviour'")
        crowd = Crowd(wish.customers, wish.behaviours, wish.number + int(rows[0][0]), read_mail="read" in request.form)
        made = settle_all(self._desk, crowd)
        return go("home", f"{len(made)} customers have moved in. Their renewals come within four weeks.")

    def change(self) -> Any:
        """Change what Stripe does about failures."""
        given = {name: request.form[name] for name in ("retries", "end_behavior") if name in request.form}
        with self._desk.ledger() as ledger:
            policy.change(ledger, **given)
        return go("home", "Stripe's settings are changed.")
