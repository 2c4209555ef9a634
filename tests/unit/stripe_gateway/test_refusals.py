"""Every way in which Stripe, or the line to it, can fail has one error of ours that says what to do next."""

import pickle
from typing import Any

import pytest
import requests
import responses

from app.stripe_gateway import errors
from app.stripe_gateway.gateway import StripeGateway

URL = "http://stripe.test/v1/customers/cus_1"
TABLE = [
    (400, {"type": "invalid_request_error", "code": "parameter_unknown", "param": "x"}, errors.InvalidRequest),
    (400, {"type": "invalid_request_error"}, errors.InvalidRequest),
    (400, {"type": "idempotency_error"}, errors.KeyUsedOtherwise),
    (400, {"code": "rate_limit"}, errors.RateLimited),
    (401, {"type": "invalid_request_error"}, errors.Unauthorized),
    (402, {"type": "card_error", "code": "card_declined"}, errors.CardRefused),
    (403, {"type": "invalid_request_error"}, errors.PermissionMissing),
    (404, {"code": "resource_missing"}, errors.NotFound),
    (405, {}, errors.InvalidRequest),
    (409, {"code": "idempotency_key_in_use"}, errors.KeyInUse),
    (409, {"code": "idempotency_key_in_use", "type": "idempotency_error"}, errors.KeyInUse),
    (429, {"code": "lock_timeout"}, errors.RateLimited),
    (500, {"type": "api_error"}, errors.StripeUnavailable),
    (503, {}, errors.StripeUnavailable),
]


@pytest.mark.parametrize(("status", "body", "expected"), TABLE)
def test_each_refusal_becomes_the_error_that_says_what_to_do(
    gateway: StripeGateway,
    stripe_api: responses.RequestsMock,
    status: int,
    body: dict[str, Any],
    expected: type[errors.GatewayError],
) -> None:
    stripe_api.get(URL, status=status, json={"error": body}, headers={"Request-Id": "req_1"})
    with pytest.raises(errors.GatewayError) as caught:
        gateway.get_customer("cus_1")
    assert type(caught.value) is expected
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, body.get("code"), "req_1")


def test_a_permission_that_is_missing_is_named(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe_api.get(URL, status=403, json={"error": {"type": "invalid_request_error"}})
    with pytest.raises(errors.PermissionMissing, match="lacks a permission, customer_write: add it"):
        gateway.get_customer("cus_1")


@pytest.mark.parametrize(
    ("parent", "children"),
    [
        (
            errors.RetryLater,
            [errors.RateLimited, errors.StripeUnavailable, errors.ChargeOutcomeUnknown, errors.KeyInUse],
        ),
        (errors.Permanent, [errors.InvalidRequest, errors.NotFound, errors.KeyUsedOtherwise, errors.CardRefused]),
        (errors.ConnectionBroken, [errors.Unauthorized, errors.PermissionMissing]),
    ],
)
def test_errors_are_grouped_by_what_the_caller_does_next(
    parent: type[errors.GatewayError], children: list[type[errors.GatewayError]]
) -> None:
    assert all(issubclass(child, parent) for child in children)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, "<html>no such page</html>", errors.NotFound),
        (404, '{"error": "Not Found"}', errors.NotFound),
        (401, '"who are you"', errors.Unauthorized),
        (502, "Bad Gateway", errors.StripeUnavailable),
        (200, "<html>captive portal</html>", errors.StripeUnavailable),
        (200, "[]", errors.StripeUnavailable),
        (200, "null", errors.StripeUnavailable),
        (302, "", errors.StripeUnavailable),
    ],
)
def test_answers_that_no_stripe_would_give_go_by_their_status(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, status: int, body: str, expected: type[Exception]
) -> None:
    stripe_api.get(URL, status=status, body=body)
    with pytest.raises(errors.GatewayError) as caught:
        gateway.get_customer("cus_1")
    assert type(caught.value) is expected


@pytest.mark.parametrize("broken", [requests.ConnectTimeout(), requests.ReadTimeout(), requests.ConnectionError()])
def test_a_line_that_breaks_is_asked_once_and_reported(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, slept: list[float], broken: Exception
) -> None:
    stripe_api.get(URL, body=broken)
    with pytest.raises(errors.StripeUnavailable) as caught:
        gateway.get_customer("cus_1")
    assert caught.value.status is None
    assert (len(stripe_api.calls), slept) == (1, [])


def test_a_missing_permission_is_named(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe_api.get(URL, status=403, json={"error": {}})
    with pytest.raises(errors.PermissionMissing) as caught:
        gateway.get_customer("cus_1")
    assert caught.value.names == ("customer_write",)


def test_the_words_of_the_error_hold_no_address_and_no_key(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    told = "Invalid API Key provided: rk_test_123 for a@example.org"
    stripe_api.get(URL, status=401, json={"error": {"message": told}})
    with pytest.raises(errors.Unauthorized) as caught:
        gateway.get_customer("cus_1")
    assert caught.value.detail == told
    assert "rk_test" not in str(caught.value)
    assert "@" not in str(caught.value)


def test_an_error_survives_the_trip_through_a_queue(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe_api.get(URL, status=403, json={"error": {"code": "x"}})
    with pytest.raises(errors.PermissionMissing) as caught:
        gateway.get_customer("cus_1")
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.names, copied.code) == (str(caught.value), ("customer_write",), "x")


def test_a_rate_limit_is_waited_out(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, slept: list[float]
) -> None:
    stripe_api.get(URL, status=429, json={"error": {}})
    stripe_api.get(URL, status=429, json={"error": {}})
    stripe_api.get(URL, json={"id": "cus_1", "object": "customer"})
    assert gateway.get_customer("cus_1").id == "cus_1"
    assert len(slept) == 2
    assert slept[0] < slept[1]


def test_the_waits_for_a_rate_limit_are_few(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, slept: list[float]
) -> None:
    stripe_api.get(URL, status=429, json={"error": {}})
    with pytest.raises(errors.RateLimited) as caught:
        gateway.get_customer("cus_1")
    assert len(stripe_api.calls) == 4
    assert sum(slept) < 5
    assert caught.value.retry_after is None


def test_the_wait_that_stripe_names_is_kept(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, slept: list[float]
) -> None:
    stripe_api.get(URL, status=429, json={"error": {}}, headers={"Retry-After": "3"})
    stripe_api.get(URL, json={"id": "cus_1", "object": "customer"})
    gateway.get_customer("cus_1")
    assert slept == [3]


def test_a_wait_too_long_to_sit_out_is_handed_to_the_caller(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, slept: list[float]
) -> None:
    stripe_api.get(URL, status=429, json={"error": {}}, headers={"retry-after": "60"})
    with pytest.raises(errors.RateLimited) as caught:
        gateway.get_customer("cus_1")
    assert (caught.value.retry_after, slept, len(stripe_api.calls)) == (60, [], 1)


def test_a_date_in_place_of_seconds_is_no_wait(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, slept: list[float]
) -> None:
    stripe_api.get(URL, status=429, json={"error": {}}, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    stripe_api.get(URL, json={"id": "cus_1", "object": "customer"})
    gateway.get_customer("cus_1")
    assert len(slept) == 1
    assert slept[0] < 1


@pytest.mark.parametrize("odd", ['{"object": "price", "unit_amount_decimal": "junk"}', '{"object": 7}', '[[{"a": 1}]]'])
def test_a_field_that_the_library_cannot_build_does_not_spoil_the_answer(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, odd: str
) -> None:
    stripe_api.get(URL, body=f'{{"id": "cus_1", "object": "customer", "name": "N", "odd": {odd}}}')
    assert gateway.get_customer("cus_1").name == "N"


def test_a_mistake_of_ours_is_not_taken_for_an_answer_of_stripes(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(URL, json={"id": "cus_1", "object": "customer"})
    gateway.get_customer("cus_1")
    with pytest.raises(TypeError):
        gateway.get_customer(None)  # type: ignore[arg-type]
