"""Binance as the kernel's venue: a refusal is an event, not knowing raises, and what happens arrives once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.venues import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    ModifyOrder,
    OpenOrder,
    OrderType,
    PlaceOrder,
    Position,
    QueryFills,
    QueryOrder,
    Role,
    Side,
    TimeInForce,
    VenueDownError,
    VenueEvent,
    VenueSnapshot,
)
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.binance.venue import BinanceVenue
from queuefront.venues.errors import VenueError
from tests.unit.venues.binance.fake_rest import SILENCE, FakeRest, client_of, listing_body, order_body, refused
from tests.unit.venues.fake_link import FakeConnector
from tests.virtual_time import VirtualLoop, run, settle

SPOT, USDM, COINM = Market(Product.SPOT), Market(Product.USDM), Market(Product.COINM)
K = EventKind


class Stage:
    def __init__(self, loop: VirtualLoop, market: Market, **config: Any) -> None:
        self.loop = loop
        self.symbol = "BTCUSD_PERP" if market == COINM else "BTCUSDT"
        self.client, self.rest = client_of(loop, market, symbols=(self.symbol,), **config)
        self.rest.on("GET exchangeInfo", listing_body(self.symbol, inverse=market == COINM))
        self.rest.on("GET positionSide/dual", {"dualSidePosition": False})
        self.rest.on("POST listenKey", {"listenKey": "key"})
        self.rest.on("POST leverage", lambda p: {"symbol": p["symbol"], "leverage": int(p["leverage"])})
        self.rest.on("GET openOrders", [])
        self.connector = FakeConnector()
        answer = b'{"id":"user-data","status":200,"result":{"subscriptionId":0}}'
        self.connector.prepare = lambda link: setattr(link, "answer", lambda _: answer)
        self.venue = BinanceVenue(self.client, self.connector, jitter=lambda: 0.0)

    def place(self, **fields: Any) -> PlaceOrder:
        terms: dict[str, Any] = {
            "cid": "mine", "trade_id": "t", "slot_id": 0, "role": Role.ENTRY, "instrument": self.symbol, "is_buy": True,
            "lots": 10, "order_type": OrderType.LIMIT, "price_tick": 500_000, "time_in_force": TimeInForce.GTC,
            "reduce_only": False, "post_only": False, "leverage": 5,
        }  # fmt: skip
        return PlaceOrder(**{**terms, **fields})

    async def events(self, request: Any) -> list[VenueEvent]:
        answer = await self.venue.send(request)
        assert not isinstance(answer, VenueSnapshot)
        return list(answer)

    async def event(self, request: Any) -> VenueEvent:
        (event,) = await self.events(request)
        return event

    def push(self, **fields: Any) -> None:
        order = {
            "s": self.symbol, "c": "mine", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.010", "p": "50000.0", "x": "NEW",
            "X": "NEW", "i": 7, "l": "0", "z": "0", "L": "0", "T": 1767225600005, "t": 0, "m": False,
        }  # fmt: skip
        message = {"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": {**order, **fields}}
        self.connector.last.say(json.dumps(message).encode())

    def fill(self, trade: int, cum: str, last: str, status: str = "PARTIALLY_FILLED") -> None:
        self.push(x="TRADE", X=status, z=cum, l=last, L="50000.0", t=trade, n="0.05", N="USDT", m=True)


def play(scene: Callable[[Stage], Awaitable[None]], market: Market = USDM, **config: Any) -> Stage:
    async def main(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, market, **config)
        await stage.venue.start()
        await asyncio.sleep(1)
        assert stage.venue.is_streaming
        try:
            await scene(stage)
        finally:
            await stage.venue.close()
            await stage.venue.close()
        assert stage.rest.is_closed
        assert len(asyncio.all_tasks()) == 1
        return stage

    return run(main)


# --- orders ---------------------------------------------------------------------------------------------------------------
def test_an_order_is_placed_in_the_venues_decimals() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order", order_body())
        event = await stage.event(stage.place())
        assert (event.kind, event.cid, event.venue_order_id, event.cum_lots) == (K.ACK, "mine", "7", 0)
        sent = stage.rest.last("POST order")
        assert (sent["quantity"], sent["price"], sent["side"], sent["timeInForce"]) == ("0.010", "50000.0", "BUY", "GTC")
        assert stage.rest.last("POST leverage")["leverage"] == "5"

    play(scene)


def test_a_leverage_is_set_once_and_an_exit_needs_none() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order", order_body())
        await stage.events(stage.place())
        await stage.events(stage.place(cid="b"))
        await stage.events(stage.place(cid="c", role=Role.EXIT, leverage=9, is_buy=False, reduce_only=True))
        assert stage.rest.names().count("POST leverage") == 1
        await stage.events(stage.place(cid="d", leverage=6))
        assert stage.rest.names().count("POST leverage") == 2

    play(scene)


@pytest.mark.parametrize("answer", [refused(-4028, "Leverage 5 is not valid"), SILENCE, {"symbol": "X", "leverage": 3}])
def test_an_order_whose_leverage_is_not_set_is_not_sent(answer: Any) -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST leverage", answer)
        event = await stage.event(stage.place())
        assert (event.kind, event.reason_code) == (K.ORDER_REJECT, "LEVERAGE")
        assert event.reason_text.startswith("leverage 5: ")
        assert event.reason_text.endswith("; the order was not sent")
        assert "POST order" not in stage.rest.names()

    play(scene)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refused(-2019, "Margin is insufficient."), K.ORDER_REJECT, "INSUFFICIENT_FUNDS"),
        (refused(-5022, "x"), K.ORDER_REJECT, "POST_ONLY_WOULD_TAKE"),
        (refused(-4116, "ClientOrderId is duplicated."), K.SUBMIT_UNKNOWN, "DUPLICATE_CLIENT_ID"),
    ],
)
def test_a_refused_order_is_an_event(answer: Any, kind: EventKind, code: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order", answer)
        event = await stage.event(stage.place())
        assert (event.kind, event.reason_code, event.cid) == (kind, code, "mine")

    play(scene)


@pytest.mark.parametrize("answer", [SILENCE, (504, {"code": -1007, "msg": "unknown"}), (200, b"{")])
@pytest.mark.parametrize("what", ["place", "cancel", "modify", "query", "fills"])
def test_not_knowing_raises(answer: Any, what: str) -> None:
    async def scene(stage: Stage) -> None:
        requests = {
            "place": stage.place(),
            "cancel": CancelOrder("mine", "7", stage.symbol),
            "modify": ModifyOrder("mine", "7", stage.symbol, 5, 500_000),
            "query": QueryOrder("mine", "7", stage.symbol),
            "fills": QueryFills("mine", "7", stage.symbol),
        }
        stage.push()  # so that a modification knows its side
        await settle()
        for name in ("POST order", "DELETE order", "PUT order", "GET order", "GET userTrades"):
            stage.rest.on(name, answer)
        with pytest.raises(VenueDownError):
            await stage.venue.send(requests[what])

    play(scene)


@pytest.mark.parametrize(("lots", "tick"), [(0, 500_000), (10, 0), (10, 10_000_001), (1_000_001, 500_000)])
def test_what_the_filters_refuse_is_not_sent(lots: int, tick: int) -> None:
    async def scene(stage: Stage) -> None:
        event = await stage.event(stage.place(lots=lots, price_tick=tick))
        assert (event.kind, event.reason_code) == (K.ORDER_REJECT, "FILTER")
        assert "POST order" not in stage.rest.names()

    play(scene)


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"post_only": True}, {"type": "LIMIT", "timeInForce": "GTX"}),
        ({"time_in_force": TimeInForce.FOK}, {"timeInForce": "FOK"}),
        ({"order_type": OrderType.MARKET}, {"type": "MARKET", "price": None, "timeInForce": None}),
        ({"reduce_only": True, "role": Role.EXIT, "is_buy": False}, {"reduceOnly": "true", "side": "SELL"}),
    ],
)
def test_terms_are_told_in_the_venues_words(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order", order_body())
        await stage.events(stage.place(**fields))
        asked = stage.rest.last("POST order")
        assert {name: asked.get(name) for name in sent} == sent

    play(scene)


@pytest.mark.parametrize(
    ("role", "is_buy", "side"), [(Role.ENTRY, True, "LONG"), (Role.EXIT, False, "LONG"), (Role.ENTRY, False, "SHORT")]
)
def test_in_hedge_mode_the_position_side_says_which_position(role: Role, is_buy: bool, side: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop, USDM, is_hedge_mode=True)
        stage.rest.on("GET positionSide/dual", {"dualSidePosition": True})
        stage.rest.on("POST order", order_body())
        await stage.venue.start()
        await stage.events(stage.place(role=role, is_buy=is_buy, reduce_only=role is Role.EXIT))
        asked = stage.rest.last("POST order")
        assert (asked["positionSide"], asked.get("reduceOnly")) == (side, None)
        await stage.venue.close()

    run(main)


def test_a_spot_order_of_one_fill_tells_its_price_and_fee() -> None:
    async def scene(stage: Stage) -> None:
        fill = {"price": "49999.9", "qty": "0.010", "commission": "0.00001", "commissionAsset": "BTC", "tradeId": 5}
        body = order_body("FILLED", "0.010", cummulativeQuoteQty="499.999", fills=[fill])
        stage.rest.on("POST order", body)
        event = await stage.event(stage.place(leverage=1))
        assert (event.kind, event.last_lots, event.last_tick, event.cum_lots) == (K.FULL_FILL, 10, 499_999, 10)
        assert (event.fee, event.fee_asset, event.cum_notional) == (10_000_000, "BTC", 4_999_990)
        assert stage.rest.names().count("POST leverage") == 0

    play(scene, SPOT)


# --- cancel, modify, query ------------------------------------------------------------------------------------------------
def test_a_cancel_tells_what_had_filled() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("DELETE order", order_body("CANCELED", "0.004"))
        event = await stage.event(CancelOrder("mine", "", stage.symbol))
        assert (event.kind, event.cum_lots) == (K.CANCEL_ACK, 4)
        assert stage.rest.last("DELETE order")["origClientOrderId"] == "mine"

    play(scene)


@pytest.mark.parametrize(
    ("answer", "code"), [(refused(-2011, "Unknown order sent."), "NOT_FOUND"), (refused(-4400, "x"), "REFUSED")]
)
def test_a_refused_cancel_leaves_the_order_unknown(answer: Any, code: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("DELETE order", answer)
        event = await stage.event(CancelOrder("mine", "7", stage.symbol))
        assert (event.kind, event.reason_code) == (K.CANCEL_UNKNOWN, code)

    play(scene)


def test_a_modification_repeats_the_side_and_tells_the_new_terms() -> None:
    async def scene(stage: Stage) -> None:
        stage.push(S="SELL")
        await settle()
        stage.rest.on("PUT order", order_body(side="SELL", price="50000.1", origQty="0.020"))
        event = await stage.event(ModifyOrder("mine", "7", stage.symbol, 20, 500_001))
        assert (event.kind, event.order_lots, event.price_tick) == (K.MODIFY_ACK, 20, 500_001)
        asked = stage.rest.last("PUT order")
        assert (asked["side"], asked["quantity"], asked["price"], asked["orderId"]) == ("SELL", "0.020", "50000.1", "7")

    play(scene)


def test_a_side_that_is_not_known_is_asked_for() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET order", order_body(side="SELL"), refused(-2013))
        stage.rest.on("PUT order", order_body(side="SELL"))
        await stage.events(ModifyOrder("other", "8", stage.symbol, 20, 500_001))
        assert stage.rest.last("PUT order")["side"] == "SELL"
        event = await stage.event(ModifyOrder("third", "9", stage.symbol, 20, 500_001))
        assert (event.kind, event.reason_code) == (K.MODIFY_REJECT, "NOT_FOUND")

    play(scene)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(-5026, "too many"), K.MODIFY_REJECT),
        (refused(-2013, "Order does not exist."), K.MODIFY_REJECT),
        (order_body("CANCELED"), K.CANCEL_ACK),
        (order_body("EXPIRED"), K.EXPIRED),
        (order_body("PARTIALLY_FILLED", "0.004"), K.MODIFY_ACK),
    ],
)
def test_a_modification_may_be_refused_or_end_the_order(answer: Any, kind: EventKind) -> None:
    async def scene(stage: Stage) -> None:
        stage.push()
        await settle()
        stage.rest.on("PUT order", answer)
        assert (await stage.event(ModifyOrder("mine", "7", stage.symbol, 20, 500_001))).kind is kind

    play(scene)


@pytest.mark.parametrize(("price", "kind"), [("50000.1", K.MODIFY_ACK), ("50000.0", K.MODIFY_REJECT)])
def test_nothing_to_change_is_done_where_the_order_is_as_it_was_asked_to_be(price: str, kind: EventKind) -> None:
    async def scene(stage: Stage) -> None:
        stage.push()
        await settle()
        stage.rest.on("PUT order", refused(-5027, "No need to modify the order."))
        stage.rest.on("GET order", order_body(price=price, origQty="0.020"))
        assert (await stage.event(ModifyOrder("mine", "7", stage.symbol, 20, 500_001))).kind is kind

    play(scene)


def test_spot_makes_an_order_smaller_and_nothing_else() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order", order_body(origQty="0.010"))
        await stage.events(stage.place(leverage=1))
        for lots, tick in ((10, 500_000), (20, 500_000), (5, 500_001)):
            event = await stage.event(ModifyOrder("mine", "7", stage.symbol, lots, tick))
            assert (event.kind, event.reason_code) == (K.MODIFY_REJECT, "MODIFY_REFUSED")
        amended = order_body(origQty=None, qty="0.005") | {"origClientOrderId": "mine"}
        stage.rest.on("PUT order/amend/keepPriority", {"transactTime": 1, "amendedOrder": amended})
        event = await stage.event(ModifyOrder("mine", "7", stage.symbol, 5, 500_000))
        assert (event.kind, event.order_lots) == (K.MODIFY_ACK, 5)

    play(scene, SPOT)


def test_a_query_finds_an_order_or_misses_it() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET order", order_body("PARTIALLY_FILLED", "0.004"), refused(-2013), refused(-2015))
        request = QueryOrder("mine", "", stage.symbol)
        found = await stage.event(request)
        assert (found.kind, found.cum_lots, found.order_lots, found.price_tick) == (K.PARTIAL_FILL, 4, 10, 500_000)
        missed, failed = await stage.event(request), await stage.event(request)
        assert (missed.kind, missed.reason_code) == (K.ORDER_MISSED, "NOT_FOUND")
        assert (failed.kind, failed.reason_code) == (K.QUERY_FAILED, "AUTH")

    play(scene)


def test_fills_are_asked_by_the_venues_id_which_is_looked_up_where_it_is_not_known() -> None:
    def trade(i: int, qty: str) -> dict[str, Any]:
        return {
            "symbol": "BTCUSDT", "id": i, "orderId": 7, "price": "50000.0", "qty": qty, "time": 5, "commission": "0.1",
            "commissionAsset": "USDT", "buyer": True, "maker": True,
        }  # fmt: skip

    async def scene(stage: Stage) -> None:
        stage.rest.on("GET userTrades", [trade(1, "0.004"), trade(2, "0.006")], refused(-1121))
        stage.rest.on("GET order", order_body(), refused(-2013))
        event = await stage.event(QueryFills("mine", "", stage.symbol))
        assert (event.kind, event.cum_lots, event.cum_notional) == (K.FILL_REPORT, 10, 5_000_000)
        assert event.cum_fee == 200_000_000_000  # 0.2 in 10^-12
        assert stage.rest.last("GET userTrades")["orderId"] == "7"
        assert (await stage.event(QueryFills("mine", "7", stage.symbol))).kind is K.QUERY_FAILED
        assert (await stage.event(QueryFills("gone", "", stage.symbol))).reason_code == "NO_ORDER_ID"

    play(scene)


# --- the snapshot ---------------------------------------------------------------------------------------------------------
def test_a_snapshot_has_positions_and_open_orders() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET openOrders", [order_body(cum="0.003")])
        rows = [("BTCUSDT", "0.5", "BOTH"), ("BTCUSDT", "0", "BOTH"), ("BTCUSDT", "-0.2", "SHORT"), ("BTCUSDT", "1", "ODD")]
        stage.rest.on("GET positionRisk", [{"symbol": s, "positionAmt": a, "positionSide": p} for s, a, p in rows])
        snapshot = await stage.venue.send(FetchSnapshot("test"))
        assert isinstance(snapshot, VenueSnapshot)
        assert snapshot.open_orders == (OpenOrder("mine", "7", stage.symbol, 3),)
        assert snapshot.positions == (Position("BTCUSDT", Side.LONG, 500), Position("BTCUSDT", Side.SHORT, 200))
        assert stage.venue.foreign["position side ODD"] == 1
        assert snapshot.fetch_start_ts <= snapshot.fetch_end_ts
        stage.rest.on("GET positionRisk", SILENCE)
        with pytest.raises(VenueDownError):
            await stage.venue.send(FetchSnapshot("test"))

    play(scene)


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_snapshot_that_knows_more_of_an_order_than_pushes_said_begins_a_reconciliation(is_gone: bool) -> None:
    """A push is lost on a connection that stands: the venue has filled more, or the whole order."""

    async def scene(stage: Stage) -> None:
        stage.rest.on("GET positionRisk", [])
        stage.rest.on("POST order", order_body())
        await stage.events(stage.place())
        reconciled = stage.venue.reconciliations
        stage.rest.on("GET openOrders", [order_body()])
        await stage.venue.send(FetchSnapshot("test"))
        await asyncio.sleep(5)
        assert stage.venue.reconciliations == reconciled  # both say the same
        status, cum = ("FILLED", "0.010") if is_gone else ("PARTIALLY_FILLED", "0.003")
        stage.rest.on("GET openOrders", [] if is_gone else [order_body(status, cum=cum)])
        stage.rest.on("GET order", order_body(status, cum=cum))
        await stage.venue.send(FetchSnapshot("test"))
        await asyncio.sleep(5)
        assert stage.venue.reconciliations == reconciled + 1
        (event,) = stage.venue.pump()
        assert (event.kind, event.cum_lots) == (K.FULL_FILL, 10) if is_gone else (K.PARTIAL_FILL, 3)
        assert stage.venue.foreign["a push was lost"] == 1

    play(scene)


def test_a_spot_snapshot_holds_what_is_held_in_whole_lots() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on(
            "GET account", {"balances": [{"asset": "BTC", "free": "0.0104", "locked": "0.002"}]}, {"balances": []}
        )
        first, second = [await stage.venue.send(FetchSnapshot("test")) for _ in range(2)]
        assert isinstance(first, VenueSnapshot)
        assert isinstance(second, VenueSnapshot)
        assert (first.positions, second.positions) == ((Position("BTCUSDT", Side.LONG, 12),), ())
        assert second.sequence == first.sequence + 1

    play(scene, SPOT)


# --- what is pushed -------------------------------------------------------------------------------------------------------
def test_pushes_come_once_in_their_order() -> None:
    async def scene(stage: Stage) -> None:
        stage.push()
        stage.push()
        stage.fill(1, "0.004", "0.004")
        stage.fill(1, "0.004", "0.004")
        stage.fill(2, "0.010", "0.006", "FILLED")
        stage.push()
        events = stage.venue.pump()
        assert [(e.kind, e.cum_lots) for e in events] == [(K.ACK, 0), (K.PARTIAL_FILL, 4), (K.FULL_FILL, 10)]
        assert (events[1].last_tick, events[1].fee, events[1].fee_asset) == (500_000, 50_000_000_000, "USDT")
        assert stage.venue.pump() == []

    play(scene)


def test_a_word_that_nobody_knows_is_delivered_and_the_order_asked_for() -> None:
    """H8.17, H8.18: nothing is lost."""

    async def scene(stage: Stage) -> None:
        stage.rest.on("GET order", order_body("PARTIALLY_FILLED", "0.004"))
        stage.push(X="HALF_DONE", z="0.004")
        await settle()
        first, second = stage.venue.pump()
        assert (first.kind, first.raw_kind, first.cum_lots) == (K.UNSUPPORTED, "HALF_DONE", 4)
        assert (second.kind, second.cum_lots) == (K.PARTIAL_FILL, 4)

    play(scene)


def test_funding_is_an_event_and_other_account_news_are_counted() -> None:
    async def scene(stage: Stage) -> None:
        for reason in ("FUNDING_FEE", "ORDER"):
            account = {
                "m": reason,
                "B": [{"a": "USDT", "wb": "100", "bc": "-1.5"}, {"a": "BNB", "wb": "1", "bc": "0"}],
                "P": [],
            }
            stage.connector.last.say(json.dumps({"e": "ACCOUNT_UPDATE", "E": 1, "T": 5, "a": account}).encode())
        stage.connector.last.say(b'{"e":"SOMETHING_NEW"}')
        (event,) = stage.venue.pump()
        assert (event.kind, event.amount, event.fee_asset) == (K.FUNDING, -1_500_000_000_000, "USDT")
        assert (stage.venue.foreign["AccountUpdate"], stage.venue.foreign["Other"]) == (1, 1)

    play(scene)


def test_an_order_of_a_symbol_that_is_not_listed_is_counted() -> None:
    async def scene(stage: Stage) -> None:
        stage.push(s="NEWUSDT")
        assert stage.venue.pump() == []
        assert stage.venue.foreign["order of NEWUSDT"] == 1

    play(scene)


def test_an_inverse_market_counts_contracts() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order", order_body(symbol="BTCUSD_PERP", origQty="10"))
        await stage.events(stage.place())
        assert stage.rest.last("POST order")["quantity"] == "10"

    play(scene, COINM)


# --- reconciliation -------------------------------------------------------------------------------------------------------
def test_after_a_lost_connection_what_was_missed_is_asked_for() -> None:
    """H8.27: open orders, orders that vanished, fills that nobody told."""

    async def scene(stage: Stage) -> None:
        stage.push()
        stage.fill(1, "0.004", "0.004")
        stage.push(c="other", i=8)
        stage.venue.pump()
        stage.rest.on("GET openOrders", [order_body(cid="other", orderId=8)])
        stage.rest.on("GET order", order_body("FILLED", "0.010"))
        fills = [
            {"symbol": "BTCUSDT", "id": i, "orderId": 7, "price": "50000.0", "qty": q, "time": 5, "commission": "0",
             "commissionAsset": "USDT"}
            for i, q in ((1, "0.004"), (2, "0.006"))
        ]  # fmt: skip
        stage.rest.on("GET userTrades", lambda p: fills if "orderId" in p else fills[1:])
        stage.connector.last.break_off()
        await asyncio.sleep(3)
        assert stage.venue.reconciliations == 2
        events = stage.venue.pump()
        assert [(e.kind, e.cum_lots) for e in events] == [(K.FULL_FILL, 10), (K.FILL_REPORT, 10)]
        assert stage.rest.last("GET userTrades") == stage.rest.last("GET userTrades") | {"orderId": "7"}
        assert stage.venue.tracker.last_fill_id("BTCUSDT") == 2

    play(scene)


def test_an_order_that_the_venue_does_not_know_any_more_is_forgotten() -> None:
    async def scene(stage: Stage) -> None:
        stage.push()
        stage.rest.on("GET order", refused(-2013, "Order does not exist."))
        stage.connector.last.break_off()
        await asyncio.sleep(3)
        assert stage.venue.reconciliations == 2
        assert len(stage.venue.tracker) == 0

    play(scene)


def test_a_leverage_that_somebody_else_set_is_set_back_for_the_next_entry() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order", order_body())
        await stage.events(stage.place())
        stage.connector.last.say(b'{"e":"ACCOUNT_CONFIG_UPDATE","E":1,"T":1,"ac":{"s":"BTCUSDT","l":25}}')
        await stage.events(stage.place(cid="b"))
        assert stage.rest.names().count("POST leverage") == 2

    play(scene)


def test_a_reconciliation_is_tried_until_it_is_answered() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET openOrders", refused(-1003, "x", 429), refused(-1003, "x", 429), [])
        stage.connector.last.break_off()
        await asyncio.sleep(120)
        assert stage.venue.reconciliations == 2
        assert stage.venue.is_streaming

    play(scene)


# --- begin and end --------------------------------------------------------------------------------------------------------
def start(stage_of: Callable[[VirtualLoop], Stage]) -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = stage_of(loop)
        try:
            await stage.venue.start()
        finally:
            await stage.venue.close()

    run(main)


def test_an_account_in_another_mode_is_refused_and_never_changed() -> None:
    def stage_of(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, USDM)
        stage.rest.on("GET positionSide/dual", {"dualSidePosition": True})
        return stage

    with pytest.raises(ConfigError) as caught:
        start(stage_of)
    assert str(caught.value) == (
        "the account at binance-usdm is in hedge (one position a side) mode and the configuration says one-way "
        "(one position a symbol); change is_hedge_mode, or the account by hand"
    )


def test_a_symbol_that_does_not_trade_is_refused() -> None:
    def stage_of(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, USDM)
        body = listing_body("BTCUSDT")
        body["symbols"][0] |= {"status": "HALT", "contractStatus": ""}
        stage.rest.on("GET exchangeInfo", body)
        return stage

    with pytest.raises(VenueError) as caught:
        start(stage_of)
    assert str(caught.value) == "BTCUSDT is not trading at binance-usdm; choose another, or wait"


def test_before_the_start_nothing_can_be_asked() -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop, USDM)
        with pytest.raises(VenueError) as caught:
            await stage.venue.send(stage.place())
        assert str(caught.value) == "the venue was not started; await start() first"
        await stage.venue.close()

    run(main)


def test_it_is_leased_to_one_kernel() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = Stage(loop, USDM).venue
        assert venue.backend_kind == "binance-usdm"
        venue.lease("a")
        with pytest.raises(ConfigError) as caught:
            venue.lease("b")
        assert str(caught.value) == (
            "lease 'b': another lease holds this venue; give each kernel an account and a connector of its own"
        )
        venue.release("b")
        venue.release("a")
        venue.lease("b")

    run(main)


def test_closing_ends_everything_in_the_middle_of_a_request() -> None:
    """H8.6."""

    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop, USDM)
        await stage.venue.start()
        await asyncio.sleep(1)
        stage.rest.delay_s = 3.0
        stage.connector.last.break_off()
        await asyncio.sleep(1)
        await stage.venue.close()
        assert len(asyncio.all_tasks()) == 1
        assert isinstance(stage.rest, FakeRest)

    run(main)
