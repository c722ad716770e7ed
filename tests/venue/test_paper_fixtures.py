"""The paper exchange beside the recorded pairs: their questions are taken, answers have the venue's fields and types.

What it does not speak is skipped by its name, with the reason; a pair that stands in neither list fails.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from queuefront.core import Instrument
from queuefront.paper import Listing, PaperConfig, PaperVenue
from tests.paper_market import ASK, BID, COINM, PREFIX, SPOT, USDM, VENUES, Client, paper, story
from tests.payload_shapes import differences
from tests.venue_data import load, needs_data

FOLDERS = {SPOT: "binance_spot", USDM: "binance_usdm", COINM: "binance_coinm"}
#: Endings of paths that are not spoken.
NOT_SPOKEN = {
    "aggTrades": "trades of the past are told one by one",
    "myPreventedMatches": "one account cannot trade with itself here",
    "cancelReplace": "no cancelReplace",
    "multiAssetsMargin": "one asset's margin only",
    "rateLimit/order": "futures: orders are counted in headers",
    "algoOrder": "no conditional orders",
    "openAlgoOrders": "no conditional orders",
    "algoOpenOrders": "no conditional orders",
    "forceOrders": "no liquidations",
    "orderAmendment": "no history of changes",
    "PUT batchOrders": "orders are modified one by one",
}
#: What the venue does and here is so already: its refusal.
NOTHING_TO_CHANGE = {"marginType": (-4046, "cross margin only"), "positionSide/dual": (-4059, "one-way mode only")}
#: Recorded in a form that the documentation, or another recording, does not have; ours is theirs.
OTHER_FORMS = {
    "order/amend/keepPriority": "the documentation prints another form, which ours is",
    "symbolConfig": "isAutoAddMargin is a truth value in binance_usdm/rest/account_symbol_config.json",
    "fapi/v1/exchangeInfo": "autoAssetExchange is a text in binance_usdm/rest/market_exchange_info.json",
}
#: Fields of the venue's answers that ours leave out.
LEFT_OUT = {
    # Some accounts have them, or older answers had.
    "": {"accountAlias", "sourceNote", "activatePrice", "priceRate"},
    # Only where a symbol's brackets are another's than usual.
    "leverageBracket": {"notionalCoef"},
    # Since mid 2026 the answers to orders carry neither the average price nor the traded value.
    "order": {"avgPrice", "cumBase", "cumQuote"},
    "batchOrders": {"avgPrice", "cumBase", "cumQuote"},
}


def unspoken(method: str, path: str) -> str:
    """Return why a call is not spoken, or nothing."""
    for name, reason in NOT_SPOKEN.items():
        wanted, _, ending = name.rpartition(" ")
        if path.endswith(f"/{ending}") and wanted in ("", method):
            return reason
    return ""


def pairs(file: str) -> list[Any]:
    """Return (venue, pair) of all venues."""
    found = []
    for venue, folder in FOLDERS.items():
        rows = load(f"{folder}/{file}")
        rows = rows["items"] if isinstance(rows, dict) else rows
        for row in rows:
            if file == "requests.json" and row["kind"] != "request_pair":
                continue
            name = row["description"] if file == "requests.json" else f"{row['http_method']} {row['path']}"
            found.append(pytest.param(venue, row, id=f"{venue} {name}"))
    return found


def left_out_of(path: str) -> frozenset[str]:
    """Return the fields that an answer need not have."""
    return frozenset(LEFT_OUT[""] | LEFT_OUT.get(path.rpartition("/")[2], set()))


def is_spoken(venue: str, method: str, path: str) -> bool:
    """Whether the paper exchange has a route."""
    return (method, path) in paper(venue)._routes


# --- answers --------------------------------------------------------------------------------------------------------------
class Asked:
    """A venue at which something was traded and something rests, and one question."""

    def __init__(self, venue: str) -> None:
        self.client = Client(paper(venue))
        self.client.market("BUY", "2", newClientOrderId="filled")
        self.client.place(newClientOrderId="resting")
        self.client.wait(8)  # two trades of the market
        self.symbol = self.client.symbol

    def ask(self, method: str, path: str) -> Any:
        """Ask as the recorded call did, of our own orders."""
        security = self.client.venue._routes[method, path].security
        params = {"symbol": self.symbol, **self.more(method, path)}
        if (
            path.endswith(("/time", "/balance", "/exchangeInfo", "/positionSide/dual"))
            or "account" in path.rpartition("/")[2]
        ):
            params.pop("symbol")
        if security == "NONE":
            return self.client.send(method, path, "&".join(f"{k}={v}" for k, v in params.items()))
        if security == "KEY":
            self.client.send("POST", path, **{"X-MBX-APIKEY": self.client.key})
            return self.client.send(method, path, **{"X-MBX-APIKEY": self.client.key})
        return self.client.call(method, path, **params)

    def more(self, method: str, path: str) -> dict[str, Any]:
        """Return the parameters beyond the symbol."""
        ending = path.rpartition("/")[2]
        order = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "99.5"}
        batch = json.dumps([{"symbol": self.symbol, **order}], separators=(",", ":"))
        return {
            "POST order": order,
            "POST test": {**order, "computeCommissionRates": "true"},
            "PUT order": {"origClientOrderId": "resting", "side": "BUY", "quantity": "2", "price": "99"},
            "PUT keepPriority": {"origClientOrderId": "resting", "newQty": "0.5"},
            "DELETE order": {"origClientOrderId": "resting"},
            "GET order": {"origClientOrderId": "resting"},
            "GET openOrder": {"origClientOrderId": "resting"},
            "POST batchOrders": {"batchOrders": batch},
            "DELETE batchOrders": {"orderidlist": "[2]"},
            "POST countdownCancelAll": {"countdownTime": "100000"},
            "POST leverage": {"leverage": "21"},
            "POST marginType": {"marginType": "CROSSED"},
            "POST dual": {"dualSidePosition": "false"},
        }.get(f"{method} {ending}", {})


@needs_data
@pytest.mark.parametrize(("venue", "pair"), pairs("rest_pairs.json"))
def test_an_answer_has_the_fields_and_types_of_the_recorded_one(venue: str, pair: dict[str, Any]) -> None:
    method, path = pair["http_method"], pair["path"]
    if not is_spoken(venue, method, path):
        reason = unspoken(method, path)
        assert reason, f"{method} {path} is neither spoken nor listed"
        pytest.skip(reason)
    asked = Asked(venue)
    answer = asked.ask(method, path)
    for ending, (code, reason) in NOTHING_TO_CHANGE.items():
        if method == "POST" and path.endswith(ending):
            assert answer["code"] == code
            pytest.skip(reason)
    assert asked.client.status == 200, answer
    found = differences(pair["response"], answer, left_out=left_out_of(path))
    for ending, reason in OTHER_FORMS.items():
        if path.endswith(ending):
            assert found, f"{path} is as it was recorded: take it off the list"
            pytest.skip(reason)
    assert found == []
    assert answer or not pair["response"]  # nothing is the same as anything


@needs_data
def test_an_amended_order_has_the_form_of_the_documentation() -> None:
    examples = load("binance_spot/rest_doc_examples.json")
    printed = next(row["example"] for row in examples if row["endpoint"] == "PUT /api/v3/order/amend/keepPriority")
    assert differences(printed, Asked(SPOT).ask("PUT", "/api/v3/order/amend/keepPriority")) == []


# --- requests -------------------------------------------------------------------------------------------------------------
#: Words in a request for what the paper exchange does not have, and its refusal.
REFUSED = {
    "positionSide": (-4061, "one-way mode only"),
    "priceMatch": (-1102, "no orders at the best price"),
    "trailingDelta": (-1116, "no trailing orders"),
}


def market_of(venue: str, symbol: str) -> PaperVenue:
    """Return a venue that lists a symbol between 59 and 70."""
    listed = {"contract": "inverse", "multiplier": "100"} if venue == COINM else {}
    lot = "1" if venue == COINM else "0.0001"
    instrument = Instrument(venue, symbol, "0.01", lot, base="LTC", quote="USD" if venue == COINM else "USDT", **listed)
    tape = story(venue, ((BID, 0, 59, 1_000), (ASK, 0, 70, 1_000), (BID, 60, 58, 1_000)), instrument)
    return PaperVenue(PaperConfig(venue, [Listing(tape, base="LTC", quote=instrument.quote)]))


@needs_data
@pytest.mark.parametrize(("venue", "pair"), pairs("requests.json"))
def test_a_recorded_request_is_taken(venue: str, pair: dict[str, Any]) -> None:
    """As it was recorded, but for time and signature, and for ids, which are of an order that rests here."""
    wanted = pair["expected"]
    method, path = wanted["http_method"], wanted["path"]
    if not is_spoken(venue, method, path):
        reason = unspoken(method, path)
        assert reason, f"{method} {path} is neither spoken nor listed"
        pytest.skip(reason)
    params = dict(parse_qsl(wanted["body"] or wanted["url"].partition("?")[2]))
    params = {name: value for name, value in params.items() if name not in ("timestamp", "signature")}
    client = Client(market_of(venue, params.get("symbol", "LTCUSDT")))
    client.symbol = params.get("symbol", "LTCUSDT")
    resting = client.place(price="55", qty="1", newClientOrderId=params.get("origClientOrderId", "resting"))["orderId"]
    params |= {"orderId": resting} if "orderId" in params else {}
    params |= {"orderidlist": f"[{resting}]"} if "orderidlist" in params else {}
    answer = client.call(method, path, **params)
    for word, (code, reason) in REFUSED.items():
        if word in params:
            assert answer["code"] == code, answer
            pytest.skip(reason)
    assert client.status == 200, answer
    recorded = [
        row for row in load(f"{FOLDERS[venue]}/rest_pairs.json") if (row["http_method"], row["path"]) == (method, path)
    ]
    assert recorded
    assert differences(recorded[0]["response"], answer, left_out=left_out_of(path)) == []


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_said_not_to_be_spoken_is_not(venue: str) -> None:
    root = PREFIX[venue].rpartition("/")[0]
    spoken = [(method, path) for method, path in paper(venue)._routes if path.startswith(root) and unspoken(method, path)]
    # Spot counts orders in an answer; the reason is of futures.
    assert spoken == ([("GET", "/api/v3/rateLimit/order")] if venue == SPOT else [])
