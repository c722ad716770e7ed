from __future__ import annotations

from typing import Any

import pytest

from queuefront.paper import PaperVenue
from queuefront.paper.connection import Connection
from queuefront.paper.exchange import STEP_NS
from tests.paper_market import ASK, BID, COINM, SPOT, USDM, VENUES, Client, frames, paper, story, symbol, synthetic
from tests.payload_shapes import differences
from tests.venue_data import load, needs_data

FOLDER = {SPOT: "spot", USDM: "usdm", COINM: "coinm"}


def listen(venue: PaperVenue, *streams: str) -> Connection:
    made = Connection(venue.faults)
    name = next(iter(venue.exchange.markets)).lower()
    made.streams = {stream.replace("$", name): None for stream in streams}
    venue.streams.connections.append(made)
    for stream in made.streams:
        venue.streams.start(stream)
    return made


def heard(venue_name: str, *streams: str, seconds: float = 8) -> list[Any]:
    venue = paper(venue_name)
    made = listen(venue, *streams)
    Client(venue).wait(seconds)
    return frames(made)


@needs_data
@pytest.mark.parametrize("venue", VENUES)
def test_what_is_published_has_the_fields_and_types_of_the_recorded_streams(venue: str) -> None:
    """Newer messages carry `st` and `ps` besides."""
    rows = [
        row["msg"]["data"] for row in load(f"binance_{FOLDER[venue]}/ws_capture_depth_sync.json") if row["kind"] == "ws"
    ]
    recorded = {
        "depth": next(m for m in rows if m.get("e") == "depthUpdate"),
        "trade": next(m for m in rows if m.get("e") == "trade"),
        "ticker": next(m for m in rows if "B" in m),
    }
    ours = {
        "depth": heard(venue, "$@depth@100ms")[0],
        "trade": heard(venue, "$@trade")[0],
        "ticker": heard(venue, "$@bookTicker")[0],
    }
    for kind, message in recorded.items():
        assert differences(message, ours[kind]) == []
        assert set(ours[kind]) - set(message) <= {"st", "ps"}


@needs_data
def test_other_streams_have_the_documented_fields() -> None:
    assert differences(load("binance_usdm/ws_market/docs_agg_trade_stream.json"), heard(USDM, "$@aggTrade")[0]) == []
    assert differences(load("binance_usdm/ws_market/docs_mark_price_stream.json"), heard(USDM, "$@markPrice@1s")[0]) == []
    assert differences(load("binance_usdm/ws_market/docs_depth_update_stream.json"), heard(USDM, "$@depth5@100ms")[0]) == []
    spot = load("binance_spot/ws_market/agg_trade.json")["data"]
    assert differences(spot, heard(SPOT, "$@aggTrade")[0], left_out=frozenset({"st"})) == []


def test_update_ids_are_linked_as_each_venue_links_them() -> None:
    spot, futures = heard(SPOT, "$@depth@100ms", seconds=12), heard(USDM, "$@depth@100ms", seconds=12)
    assert [(m["U"], m["u"]) for m in spot] == [(6, 6), (7, 7), (8, 9)]
    assert [(m["pu"], m["U"], m["u"]) for m in futures] == [(15, 18, 18), (18, 21, 21), (21, 24, 27)]


def test_a_diff_carries_what_changed_and_zero_for_what_went() -> None:
    second = heard(USDM, "$@depth@100ms")[1]
    assert (second["b"], second["a"], second["e"]) == ([["100.0", "0.00"]], [], "depthUpdate")


def test_partial_books_come_whole_every_time() -> None:
    messages = heard(SPOT, "$@depth5@100ms", seconds=0.3)
    assert [message["lastUpdateId"] for message in messages] == [5, 5, 5]
    assert messages[0]["bids"] == [["100.00000000", "10.00000000"], ["99.50000000", "20.00000000"]]


@pytest.mark.parametrize(
    ("venue", "stream", "count"),
    [
        (USDM, "$@depth5@500ms", 4), (USDM, "$@depth5", 8), (SPOT, "$@depth5", 2), (USDM, "$@depth5@0ms", 20),
        (USDM, "$@markPrice@1s", 2), (SPOT, "$@markPrice@1s", 0), (USDM, "other@depth5", 0),
        (USDM, "other@markPrice@1s", 0), (USDM, "nothing", 0), (USDM, "$@depth7", 0),
    ],
)  # fmt: skip
def test_streams_have_their_intervals_and_unknown_ones_are_mute(venue: str, stream: str, count: int) -> None:
    assert len(heard(venue, stream, seconds=2)) == count


def test_trades_say_who_took() -> None:
    first = heard(USDM, "$@trade")[0]
    assert (first["t"], first["p"], first["q"], first["m"], first["X"]) == (1, "100.0", "4.00", True, "MARKET")
    assert [m["a"] for m in heard(USDM, "$@aggTrade", seconds=12)] == [1, 2, 3]
    assert heard(USDM, "!bookTicker") == heard(USDM, "$@bookTicker")


def apply(sides: dict[str, dict[str, str]], message: Any) -> None:
    for side in ("b", "a"):
        for price, qty in message[side]:
            sides[side][price] = qty
            if float(qty) == 0:
                del sides[side][price]


@pytest.mark.parametrize("venue_name", VENUES)
def test_a_book_that_follows_the_diffs_is_the_venues_at_every_time(venue_name: str) -> None:
    """The procedure that the venue prescribes: snapshot, then diffs that continue it."""
    venue = paper(venue_name, synthetic(venue_name, 4_000))
    client, made = Client(venue), listen(venue, "$@depth@100ms")
    client.wait(0.35)
    snapshot = client.get("/depth", symbol=symbol(venue_name), limit=1000)
    sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    last_id = snapshot["lastUpdateId"]
    applied = 0
    for _ in range(60):
        client.wait(0.1)
        for message in frames(made):
            if message["u"] <= last_id:
                continue
            if venue_name == SPOT:
                assert message["U"] <= last_id + 1 <= message["u"]
            else:
                assert message["pu"] == last_id or (applied == 0 and message["U"] <= last_id <= message["u"])
            last_id, applied = message["u"], applied + 1
            apply(sides, message)
        client.venue.advance((venue.exchange.now_ns // STEP_NS + 1) * STEP_NS)
        for message in frames(made):
            last_id, applied = message["u"], applied + 1
            apply(sides, message)
        now = client.get("/depth", symbol=symbol(venue_name), limit=1000)
        assert now["lastUpdateId"] == last_id
        assert sides == {"b": dict(now["bids"]), "a": dict(now["asks"])}
    assert applied > 40


@pytest.mark.parametrize("interval", ["100ms", "500ms"])
@pytest.mark.parametrize("venue_name", VENUES)
def test_what_changed_and_changed_back_is_in_the_diff_where_a_snapshot_was_given_between(
    venue_name: str, interval: str
) -> None:
    """A client that has the snapshot would keep the level as it was for a moment."""
    rows = ((BID, 0, 100, 10), (ASK, 0, 101, 10), (BID, 1.01, 100, 7), (BID, 1.02, 99.5, 3), (BID, 1.08, 100, 10))
    venue = paper(venue_name, story(venue_name, (*rows, (BID, 60, 99, 1))))
    client, made = Client(venue), listen(venue, f"$@depth@{interval}")
    client.wait(1.05)
    frames(made)
    snapshot = client.get("/depth", symbol=symbol(venue_name))
    assert float(snapshot["bids"][0][1]) == 7
    client.wait(1)
    (message,) = [frame for frame in frames(made) if frame["u"] > snapshot["lastUpdateId"]]
    assert [[float(px), float(qty)] for px, qty in message["b"]] == [[99.5, 3], [100, 10]]


def test_a_stream_that_nobody_wants_any_more_begins_anew() -> None:
    venue = paper(USDM)
    made = listen(venue, "$@depth@100ms")
    client = Client(venue)
    client.wait(6)
    made.streams.clear()
    client.wait(2)
    made.streams["btcusdt@depth@100ms"] = None
    client.wait(4)
    assert [(m["pu"], m["u"]) for m in frames(made)] == [(15, 18), (21, 27)]
