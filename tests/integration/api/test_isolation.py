"""No key of one organization reaches a row of another: every operation is walked with the other one's ids."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.api.operations import OPERATIONS
from app.context import Context
from app.models import Connection, Customer, RecoveryCase, Subscription
from app.vocabulary import CaseState, ConnectionStatus
from tests.integration.api.conftest import Program, make_key
from tests.integration.console.world import World

KNOWN_TO_NOBODY = "api.entitlement"  # answers for whom it has not heard of, too
VALUES: dict[str, Callable[[Context, World], str]] = {
    "case_id": lambda _context, world: str(world.case_ids[CaseState.WAITING]),
    "customer": lambda context, world: customer_of(context, world),
}


def customer_of(context: Context, world: World, state: CaseState = CaseState.WAITING) -> str:
    with context.database.organization(world.organization_id) as session:
        query = select(Customer.stripe_id).join(RecoveryCase, RecoveryCase.customer_id == Customer.id)
        return str(session.scalar(query.where(RecoveryCase.id == world.case_ids[state])))


def addresses(program: Program, context: Context, world: World) -> dict[str, str]:
    rules = [rule for rule in program.client.application.url_map.iter_rules() if rule.endpoint in OPERATIONS]
    unknown = {name for rule in rules for name in rule.arguments} - VALUES.keys()
    assert not unknown, f"say in this test which row of the other organization {unknown} may name"
    builder = program.client.application.url_map.bind("localhost")
    return {
        rule.endpoint: builder.build(rule.endpoint, {name: VALUES[name](context, world) for name in rule.arguments})
        for rule in rules
        if rule.arguments
    }


def test_the_walk_reaches_every_row_when_it_is_ones_own(program: Program, context: Context, world: World) -> None:
    found = addresses(program, context, world)
    assert len(found) >= 3
    for address in found.values():
        answer = program.get(address)
        assert answer.status_code == 200, address
        assert world.mark in answer.text, address


def test_no_key_reaches_a_row_of_another_organization(program: Program, context: Context, other: World) -> None:
    for endpoint, address in addresses(program, context, other).items():
        answer = program.get(address)
        if endpoint == KNOWN_TO_NOBODY:
            stranger = program.get(address.replace(customer_of(context, other), "cus_nobody"))
            assert answer.text.replace(customer_of(context, other), "cus_nobody") == stranger.text
        else:
            assert answer.status_code == 404, address
            assert other.mark not in answer.text.replace(address, ""), address


@pytest.mark.parametrize("asked", ["", "?customer={customer}", "?state=waiting", "?subscription={subscription}"])
def test_no_list_shows_a_row_of_another_organization(
    program: Program, context: Context, other: World, asked: str
) -> None:
    with context.database.organization(other.organization_id) as session:
        subscription = session.scalars(select(Subscription.stripe_id)).first()
    words = asked.format(customer=customer_of(context, other), subscription=subscription)
    answer = program.get(f"/api/v1/cases{words}")
    assert answer.status_code == 200
    assert other.mark not in answer.text


def test_a_token_signed_for_one_organization_shows_nothing_of_another(
    program: Program, context: Context, world: World, other: World
) -> None:
    theirs = customer_of(context, other, CaseState.NEEDS_CUSTOMER)
    answer = program.ask("POST", "/api/v1/embed-tokens", json={"customer": theirs})
    shown = program.client.get(f"/embed/notice?token={answer.json['token']}")
    assert shown.json == {"notice": None}
    with context.database.organization(other.organization_id) as session:
        session.get_one(Connection, other.connection_id).status = ConnectionStatus.ACTIVE
    own = Program(program.client, make_key(context, other))
    token = own.ask("POST", "/api/v1/embed-tokens", json={"customer": theirs}).json["token"]
    assert program.client.get(f"/embed/notice?token={token}").json["notice"] is not None
