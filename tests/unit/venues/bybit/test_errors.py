"""What an answer proves: done, refused, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.venues.bybit.errors import classify, refusal
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, Unknown
from queuefront.venues.rest import Reply
from tests.venue_data import load, needs_data

S = 10**9
R = Reason

#: The table of the protocol's page: what each class of codes means for an order.
UNKNOWN = (10000, 10016, 170007, 170146, 170147, 10014, 20006, 10019)
REASONS = {
    R.AUTH: (10003, 10004, 10005, 10007, 10010),
    R.RATE_LIMITED: (10006, 170005, 10429, 20003),
    R.ORDER_RATE_LIMITED: (170222,),
    R.TIMESTAMP: (10002,),
    R.WRONG_REQUEST: (10001,),
    R.UNKNOWN_ORDER: (110001, 170213, 170143, 110008, 110010, 170139, 170142, 170190),
    R.BUSY: (110079, 170144),
    R.DUPLICATE_CLIENT_ID: (110072, 170141),
    R.INSUFFICIENT_FUNDS: (110004, 110006, 110007, 110012, 110014, 110044, 110045, 110052, 170131),
    R.FILTER: (
        110003, 170132, 170133, 170193, 170194, 30208, 110094, 170140, 170136, 170124, 170134, 170137, 170148,
    ),
    R.REDUCE_ONLY: (110017,),
    R.LIMIT_REACHED: (110020, 170810),
    R.WOULD_TRIGGER: (110092, 110093),
    R.POST_ONLY_WOULD_TAKE: (170218,),
    R.NOTHING_TO_CHANGE: (110025, 110026, 110043),
    R.POSITION_MODE: (110024, 110028),
    R.MARKET_CLOSED: (110066, 110074, 170151),
}  # fmt: skip


def answer(code: Any, msg: Any = "no", status: int = 200, **headers: str) -> Outcome[bytes]:
    body = json.dumps({"retCode": code, "retMsg": msg, "result": {}}).encode()
    return classify(Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, body), 1_700_000_000 * S)


def test_status_200_is_done_only_where_the_code_is_zero() -> None:
    assert isinstance(answer(0), Done)
    assert isinstance(answer(110001), Refused)


@pytest.mark.parametrize(("reason", "code"), [(r, code) for r, codes in REASONS.items() for code in codes])
def test_each_code_is_refused_for_its_reason(reason: Reason, code: int) -> None:
    outcome = answer(code, "why")
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.code, outcome.text) == (reason, code, "why")


@pytest.mark.parametrize("code", UNKNOWN)
def test_a_time_out_of_the_server_proves_nothing(code: int) -> None:
    assert isinstance(answer(code), Unknown)


@needs_data
def test_no_documented_code_is_taken_for_done_and_none_that_is_unclear_for_refused() -> None:
    rows = load("bybit/errors.json")
    assert len(rows) > 600
    for row in rows:
        outcome = answer(row["retCode"], row["retMsg"])
        assert isinstance(outcome, Unknown if row["retCode"] in UNKNOWN else (Refused, Unknown)), row
        if isinstance(outcome, Unknown):
            words = ("timeout", "server", "internal", "network", "duplicate", "restarting", "submitted")
            assert any(w in row["retMsg"].lower() for w in words), row


def test_a_code_that_nobody_knows_is_a_refusal_without_a_reason() -> None:
    assert refusal(999999) is R.OTHER


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_stands_in_it(status: int) -> None:
    assert isinstance(answer(110001, status=status), Unknown)
    assert isinstance(classify(Reply(status, {}, b"<html>"), 0), Unknown)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"retCode":null}', b'{"retCode":"x"}', b"\xff"])
def test_an_answer_without_a_code_proves_nothing(body: bytes) -> None:
    assert isinstance(classify(Reply(200, {}, body), 0), Unknown)
    assert isinstance(classify(Reply(400, {}, body), 0), Unknown)


def test_a_missing_text_is_an_empty_one() -> None:
    outcome = classify(Reply(200, {}, b'{"retCode":110001,"retMsg":null}'), 0)
    assert outcome == Refused(R.UNKNOWN_ORDER, 110001, "", 0, b'{"retCode":110001,"retMsg":null}')


def test_a_limit_says_until_when() -> None:
    limited = answer(10006, x_bapi_limit_reset_timestamp="1700000000250")
    assert isinstance(limited, Refused)
    assert limited.retry_after_ns == S // 4
    for text in ("", "1699999999000", "junk"):
        limited = answer(10006, x_bapi_limit_reset_timestamp=text)
        assert isinstance(limited, Refused)
        assert limited.retry_after_ns == S


def test_an_address_that_asked_too_often_is_shut_out_and_a_forbidden_one_is_refused() -> None:
    banned = classify(Reply(403, {}, b"403, access too frequent. Please try it later."), 0)
    assert isinstance(banned, Refused)
    assert (banned.reason, banned.retry_after_ns) == (R.IP_BANNED, 600 * S)
    forbidden = classify(Reply(403, {}, b"The Amazon CloudFront distribution is configured to block access"), 0)
    assert isinstance(forbidden, Refused)
    assert (forbidden.reason, forbidden.retry_after_ns) == (R.OTHER, 0)
    assert isinstance(classify(Reply(429, {}, b""), 0), Refused)


@given(st.integers(100, 599), st.binary(max_size=40))
def test_no_answer_raises(status: int, body: bytes) -> None:
    classify(Reply(status, {}, body), 0)
