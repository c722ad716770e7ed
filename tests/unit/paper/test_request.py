from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from queuefront.paper.errors import ApiError
from queuefront.paper.request import Parameters, Request, is_signed_by, websocket_signature
from tests.venue_data import load, needs_data


def parsed(query: str = "", body: str = "", *, is_spot: bool = False) -> Parameters:
    return Parameters.parse(Request("GET", "/", query, body), is_spot=is_spot)


def test_parameters_come_from_query_and_body_and_the_query_wins() -> None:
    params = parsed("a=1&b=x%2Fy+z", "a=2&c=3")
    assert (params.text("a"), params.text("b"), params.text("c"), "d" in params) == ("1", "x/y z", "3", False)


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ("a=%zz", -1100, "Illegal characters found in a parameter."),
        ("a=%ff", -1100, "Illegal characters found in a parameter."),
        ("a=%00", -1100, "Illegal characters found in a parameter."),
        ("a=1&a=2", -1101, "Duplicate values for a parameter detected."),
    ],
)
def test_what_cannot_be_parsed_is_refused(query: str, code: int, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        parsed(query)
    assert (caught.value.status, caught.value.code, caught.value.text) == (400, code, text)


MISSING = "Mandatory parameter 'x' was not sent, was empty/null, or malformed."


@pytest.mark.parametrize(
    ("read", "query", "is_spot", "text"),
    [
        (lambda p: p.text("x"), "", False, MISSING),
        (lambda p: p.text("x"), "x=", False, MISSING),
        (lambda p: p.text("x", "d"), "x=", False, "Parameter 'x' was empty."),
        (lambda p: p.decimal("x"), "x=-1", False, MISSING),
        (lambda p: p.decimal("x"), "x=1e5", True,
         "Illegal characters found in parameter 'x'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'."),
        (lambda p: p.decimal("x"), "x=NaN", False, MISSING),
        (lambda p: p.integer("x"), "x=1.5", False, MISSING),
        (lambda p: p.integer("x"), "x=9999999999999999999", False, MISSING),
        (lambda p: p.integer("x"), "x=a", True,
         "Illegal characters found in parameter 'x'; legal range is '^[0-9]{1,20}$'."),
        (lambda p: p.flag("x"), "x=maybe", False, "Data sent for parameter 'x' is not valid."),
        (lambda p: p.choice("x", ("A",), "side"), "x=B", False, "Invalid side."),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_do_is_refused(read: Any, query: str, is_spot: bool, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(parsed(query, is_spot=is_spot))
    assert caught.value.text == text


def test_parameters_are_read_by_their_kind() -> None:
    params = parsed("d=1.50&i=7&f=TRUE&s=BUY&many=900")
    assert params.decimal("d") == Decimal("1.5")
    assert (params.integer("i"), params.integer("many", most=100), params.integer("gone", 3)) == (7, 100, 3)
    assert (params.flag("f"), params.flag("gone"), params.flag("gone", default=True)) == (True, False, True)
    assert (params.choice("s", ("BUY",), "side"), params.choice("gone", (), "side", "X")) == ("BUY", "X")
    assert params.text("gone", "") == ""


def test_the_key_is_found_however_its_header_is_written() -> None:
    assert Request("GET", "/", headers={"x-mbx-apikey": "k"}).api_key == "k"
    assert Request("GET", "/").api_key == ""


@needs_data
@pytest.mark.parametrize("venue", ["binance_spot", "binance_usdm", "binance_coinm"])
def test_the_signatures_that_the_documents_print_are_accepted(venue: str) -> None:
    """The text is query and body with nothing between, whichever parts there are."""
    vectors = [item for item in load(f"{venue}/requests.json")["items"] if item["kind"] == "signature_vector"]
    checked = 0
    for item in vectors:
        if "hmac" not in item.get("algorithm", "hmac").lower() or "secret" not in item:
            continue
        payload, signature = item["payload"], item["signature"]
        for cut in (0, len(payload) // 2, len(payload)):
            # Wherever the text is cut into query and body, the signed text is the same.
            query, body = payload[:cut], payload[cut:]
            request = Request("POST", "/", query, f"{body}&signature={signature}" if body else f"signature={signature}")
            assert is_signed_by(request, item["secret"])
            checked += 1
    assert checked


def test_a_changed_text_or_another_secret_does_not_sign() -> None:
    import hashlib
    import hmac

    signature = hmac.new(b"s", b"a=1b=2", hashlib.sha256).hexdigest()
    assert is_signed_by(Request("POST", "/", "a=1", f"b=2&signature={signature.upper()}"), "s")
    assert is_signed_by(Request("POST", "/", f"a=1&signature={signature}", "b=2"), "s")
    assert not is_signed_by(Request("POST", "/", "a=1&", f"b=2&signature={signature}"), "s")
    assert not is_signed_by(Request("POST", "/", "a=1", f"b=2&signature={signature}"), "other")
    assert not is_signed_by(Request("POST", "/", "a=1", "b=2"), "s")


def test_the_websocket_api_signs_the_parameters_sorted_by_name() -> None:
    import hashlib
    import hmac

    params = {"timestamp": "1", "apiKey": "k", "signature": "x"}
    assert websocket_signature(params, "s") == hmac.new(b"s", b"apiKey=k&timestamp=1", hashlib.sha256).hexdigest()
