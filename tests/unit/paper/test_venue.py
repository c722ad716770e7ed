from __future__ import annotations

import json
from typing import Any

import pytest

from queuefront.paper import DEFAULT_KEY, Fault, FaultKind
from queuefront.paper.request import Request
from tests.paper_market import COINM, PREFIX, SPOT, T0, USDM, VENUES, Client, Watcher, paper

NOW_MS = T0 // 10**6


def test_who_may_ask_is_checked_in_the_venues_words() -> None:
    client = Client(paper())
    path = f"{PREFIX[USDM]}/openOrders"
    assert client.send("GET", path) == {"code": -2014, "msg": "API-key format invalid."}
    assert client.status == 401
    wrong = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
    assert client.send("GET", path, **{"X-MBX-APIKEY": "other"}) == wrong
    assert client.send("GET", path, f"timestamp={NOW_MS}", **{"X-MBX-APIKEY": DEFAULT_KEY})["code"] == -1102
    bad = client.send("GET", path, f"timestamp={NOW_MS}&signature=00", **{"X-MBX-APIKEY": DEFAULT_KEY})
    assert bad == {"code": -1022, "msg": "Signature for this request is not valid."}
    assert Client(client.venue, secret="other").call("GET", "/openOrders")["code"] == -1022


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"timestamp": NOW_MS + 999}, None),
        ({"timestamp": NOW_MS + 1000}, "Timestamp for this request was 1000ms ahead of the server's time."),
        ({"timestamp": NOW_MS - 5000}, None),
        ({"timestamp": NOW_MS - 5001}, "Timestamp for this request is outside of the recvWindow."),
        ({"timestamp": NOW_MS - 6000, "recvWindow": 6000}, None),
        ({"timestamp": NOW_MS - 6001, "recvWindow": 6000}, "Timestamp for this request is outside of the recvWindow."),
        ({"timestamp": NOW_MS, "recvWindow": 60_001}, "recvWindow must be less than 60000."),
        ({"timestamp": "now"}, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."),
    ],
)
def test_a_request_must_come_in_time(params: Any, text: str | None) -> None:
    answer = Client(paper()).call("GET", "/openOrders", **params)
    assert (answer == []) if text is None else (answer["msg"] == text)


def test_spot_reads_microseconds_and_a_window_with_decimals() -> None:
    client = Client(paper(SPOT))
    assert client.call("GET", "/openOrders", timestamp=T0 // 1000, recvWindow="5000.5") == []


@pytest.mark.parametrize("venue", VENUES)
def test_an_unknown_path_is_refused(venue: str) -> None:
    client = Client(paper(venue))
    assert client.send("GET", "/nope/v1/x") == {"code": -5000, "msg": "Path /nope/v1/x, Method GET is invalid"}
    assert client.status == 404


def test_weights_and_orders_are_counted_in_the_headers() -> None:
    client = Client(paper())
    client.get("/depth", symbol=client.symbol, limit=1000)
    assert client.headers == {"X-MBX-USED-WEIGHT-1M": "20"}
    client.place()
    assert client.headers == {"X-MBX-USED-WEIGHT-1M": "20", "X-MBX-ORDER-COUNT-10S": "1", "X-MBX-ORDER-COUNT-1M": "1"}
    for _ in range(119):
        client.get("/depth", symbol=client.symbol, limit=1000)
    refused = client.get("/depth", symbol=client.symbol, limit=1000)
    assert (client.status, refused["code"], client.headers["Retry-After"]) == (429, -1003, "40")
    bad = client.get("/depth", symbol=client.symbol, limit=3)  # a refused parameter costs its weight too
    assert bad["code"] == -1003


@pytest.mark.parametrize(
    ("kind", "venue", "status", "code"),
    [
        (FaultKind.TOO_MANY_REQUESTS, USDM, 429, -1003),
        (FaultKind.BANNED, USDM, 418, -1003),
        (FaultKind.SERVER_ERROR, USDM, 503, -1000),
        (FaultKind.INTERNAL_ERROR, USDM, 503, -1001),
        (FaultKind.OVERLOADED, USDM, 503, -1008),
        (FaultKind.TIMEOUT, USDM, 408, -1007),
        (FaultKind.TIMEOUT, SPOT, 504, -1007),
    ],
)
@pytest.mark.parametrize("executes", [False, True])
def test_a_fault_answers_in_place_of_the_venue(kind: FaultKind, venue: str, status: int, code: int, executes: bool) -> None:
    client = Client(paper(venue, faults=[Fault(kind, "POST *", count=1, executes=executes)]))
    assert client.place()["code"] == code
    assert (client.status, "Retry-After" in client.headers) == (status, status in (418, 429))
    client.wait(121)
    assert len(client.call("GET", "/openOrders")) == (1 if executes else 0)


@pytest.mark.parametrize("executes", [False, True])
def test_an_empty_answer_says_nothing_of_what_was_done_or_refused(executes: bool) -> None:
    venue = paper(faults=[Fault(FaultKind.EMPTY_ANSWER, "POST *", count=2, executes=executes)])
    client = Client(venue)
    for qty in ("1", "0"):  # taken, and refused
        with pytest.raises(json.JSONDecodeError):
            client.place(qty=qty)
        assert client.status == 200
    assert len(client.call("GET", "/openOrders")) == executes


def test_a_slow_answer_is_sent_later_and_a_malformed_one_is_cut_off() -> None:
    venue = paper(faults=[Fault(FaultKind.SLOW, ms=30, count=2), Fault(FaultKind.MALFORMED_ANSWER, count=1)])
    first = venue.handle(Request("GET", "/fapi/v1/time"))
    assert (first.after_ns, first.body) == (T0 + 30_000_000, b'{"serverTime":')
    assert venue.handle(Request("GET", "/fapi/v1/time")).body.endswith(b"}")
    assert venue.request_count == 2


def test_a_wrong_clock_is_wrong_for_everyone() -> None:
    client = Client(paper(faults=[Fault(FaultKind.CLOCK_OFFSET, ms=-7000)]))
    client.wait(0.1)
    assert client.get("/time")["serverTime"] == NOW_MS + 100 - 7000
    assert client.call("GET", "/openOrders", timestamp=NOW_MS)["msg"].endswith("ahead of the server's time.")
    assert client.call("GET", "/openOrders") == []


def test_a_listen_key_that_expires_is_told_and_silent_afterwards() -> None:
    venue = paper(faults=[Fault(FaultKind.EXPIRE_LISTEN_KEYS, after_s=1, count=1)])
    client, watcher = Client(venue), Watcher(venue)
    client.place()
    assert len(watcher.events()) == 1
    client.wait(1.5)
    event = watcher.events()[0]
    assert (event["e"], type(event["E"])) == ("listenKeyExpired", str)
    client.place()
    assert watcher.events() == []


def test_delayed_frames_are_released_as_time_passes() -> None:
    venue = paper(faults=[Fault(FaultKind.DELAY, "user", ms=300)])
    client, watcher = Client(venue), Watcher(venue)
    client.place()
    assert watcher.events() == []
    client.wait(0.4)
    assert len(watcher.events()) == 1


@pytest.mark.parametrize(
    ("venue", "balances", "expected"),
    [
        (SPOT, None, {"BTC": 10, "USDT": 100_000}),
        (USDM, None, {"USDT": 100_000}),
        (COINM, None, {"BTC": 10}),
        (USDM, {"USDT": "5", "BNB": 1}, {"USDT": 5, "BNB": 1}),
    ],
)
def test_an_account_starts_with_what_it_is_given(venue: str, balances: Any, expected: dict[str, int]) -> None:
    made = paper(venue, balances=balances).exchange
    funds = {a: b.free for a, b in made.spot.balances.items()} if venue == SPOT else made.futures.wallets
    assert funds == expected


def test_time_does_not_go_back() -> None:
    venue = paper()
    venue.advance(T0 + 5)
    venue.advance(T0)
    assert venue.exchange.now_ns == T0 + 5
