"""A gateway whose line ends in recorded answers; sleeping is noted and skipped."""

from collections.abc import Iterator

import pytest
import responses

from app.stripe_gateway.gateway import StripeGateway

API = "http://stripe.test"


@pytest.fixture
def stripe_api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def gateway(stripe_api: responses.RequestsMock, slept: list[float]) -> StripeGateway:
    return StripeGateway("rk_test_123", api_base=API, sleep=slept.append)
