"""What an answer proves: done, refused, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.venues.binance.errors import classify, refusal
from queuefront.venues.binance.markets import Market, Product, market_of
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, Unknown
from queuefront.venues.rest import Reply
from tests.venue_data import load, needs_data

S = 10**9
SPOT, USDM = Market(Product.SPOT), Market(Product.USDM)


def answer(status: int, code: int | None = None, msg: str = "", market: Market = USDM, **headers: str) -> Outcome[bytes]:
    body = b"<html>" if code is None else json.dumps({"code": code, "msg": msg}).encode()
    return classify(market, Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, body), 0)


def bodies() -> list[Any]:
    items = load("error_bodies.json")
    items = items["items"] if items else []
    return [i for i in items if i["venue"].startswith("binance")]


@needs_data
@pytest.mark.parametrize("item", bodies(), ids=lambda i: f"{i['venue']}{i['body']['code']}")
def test_every_error_body_means_what_it_should(item: dict[str, Any]) -> None:
    outcome = classify(
        market_of(item["venue"].replace("_", "-")), Reply(item["http_status"], {}, json.dumps(item["body"]).encode()), 0
    )
    if item["expect"] == "unknown_status":
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Refused)
        assert outcome.reason == Reason(item["expect"])


def test_success_is_done_even_as_code_200() -> None:
    assert answer(200, 200, "success") == Done(b'{"code": 200, "msg": "success"}')
    assert classify(USDM, Reply(200, {}, b"[]"), 0) == Done(b"[]")


def test_a_negative_code_within_success_is_a_refusal() -> None:
    assert isinstance(answer(200, -2011, "Unknown order sent."), Refused)


def test_an_answer_that_cannot_be_read_is_unknown() -> None:
    assert classify(USDM, Reply(200, {}, b'{"orderId": 1'), 0) == Unknown(
        "status 200 with a body that is no JSON, 13 bytes"
    )
    assert classify(USDM, Reply(404, {}, b"<html>"), 0) == Unknown("status 404 without a code: <html>")
    assert answer(302) == Unknown("status 302 without a code: <html>")


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007])
@pytest.mark.parametrize("status", [400, 408, 500, 504])
def test_codes_that_say_unknown_are_unknown_whatever_the_status(code: int, status: int) -> None:
    assert isinstance(answer(status, code, "x"), Unknown)


def test_server_errors_are_unknown_unless_the_venue_says_that_it_failed() -> None:
    assert answer(503, -1000, "Unknown error, please check your request or try again later.") == Unknown(
        "status 503, code -1000: Unknown error, please check your request or try again later."
    )
    failed = "Internal error; unable to process your request. Please try again."
    assert answer(503, -1001, failed) == Refused(Reason.BUSY, -1001, failed)
    assert classify(USDM, Reply(503, {}, b"Service Unavailable."), 0) == Refused(Reason.BUSY, 0, "Service Unavailable.")
    assert answer(502) == Unknown("status 502, code 0: <html>")
    assert isinstance(answer(500, -1008, "x"), Unknown)


def test_the_firewall_refuses_without_a_code() -> None:
    outcome = answer(403)
    assert outcome == Refused(Reason.OTHER, 0, "the venue's firewall refused the request: <html>")


def test_a_limit_names_its_time() -> None:
    assert answer(429, -1003, "x", retry_after="7") == Refused(Reason.RATE_LIMITED, -1003, "x", 7 * S)
    assert answer(429, -1003, "x", retry_after="soon") == Refused(Reason.RATE_LIMITED, -1003, "x", 0)
    assert answer(418, -1003, "x", retry_after="130") == Refused(Reason.IP_BANNED, -1003, "x", 130 * S)
    assert answer(418) == Refused(Reason.IP_BANNED, 0, "<html>", 120 * S)
    banned = "Way too many requests; IP banned until 1700000000000."
    outcome = classify(USDM, Reply(418, {}, json.dumps({"code": -1003, "msg": banned}).encode()), 1_699_999_999 * S)
    assert outcome == Refused(Reason.IP_BANNED, -1003, banned, S)
    refused = answer(400, -1003, banned)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.IP_BANNED


@pytest.mark.parametrize(
    ("market", "code", "text", "reason"),
    [
        (SPOT, -2010, "Market is closed.", Reason.MARKET_CLOSED),
        (SPOT, -2010, "Order would trigger immediately.", Reason.WOULD_TRIGGER),
        (SPOT, -2010, "something new", Reason.OTHER),
        (SPOT, -2021, "Order cancel-replace partially failed.", Reason.OTHER),
        (USDM, -2021, "Order would immediately trigger.", Reason.WOULD_TRIGGER),
        (USDM, -2022, "ReduceOnly Order is rejected.", Reason.REDUCE_ONLY),
        (USDM, -5021, "x", Reason.WOULD_NOT_FILL),
        (USDM, -1125, "x", Reason.LISTEN_KEY),
        (USDM, -4046, "x", Reason.NOTHING_TO_CHANGE),
        (USDM, -99999, "x", Reason.OTHER),
    ],
)
def test_a_code_is_decoded_by_market_and_text(market: Market, code: int, text: str, reason: Reason) -> None:
    assert refusal(market, code, text) is reason


@given(st.integers(100, 599), st.one_of(st.binary(max_size=60), st.sampled_from([b"[" * 2000, b'{"code":1e400}'])))
def test_no_answer_raises(status: int, body: bytes) -> None:
    assert isinstance(classify(SPOT, Reply(status, {}, body), 0), Done | Refused | Unknown)
