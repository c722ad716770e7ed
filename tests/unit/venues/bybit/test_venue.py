"""Bybit as the kernel's venue: a refusal is an event, not knowing raises, and what happens arrives once."""

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
from queuefront.venues.bybit.markets import Product
from queuefront.venues.bybit.venue import BybitVenue
from queuefront.venues.errors import VenueError
from tests.unit.venues.bybit.fake_rest import (
    SILENCE,
    FakeRest,
    client_of,
    execution_row,
    instrument_row,
    order_row,
    page,
    position_row,
    refused,
)
from tests.unit.venues.bybit.test_private_stream import answers
from tests.unit.venues.fake_link import FakeConnector
from tests.virtual_time import VirtualLoop, run, settle

K = EventKind
RECEIVED = {"orderId": "v-1", "orderLinkId": "mine"}


class Stage:
    def __init__(self, loop: VirtualLoop, product: Product, **config: Any) -> None:
        self.loop = loop
        self.symbol = "BTCUSD" if product is Product.INVERSE else "BTCUSDT"
        self.client, self.rest = client_of(loop, product, symbols=(self.symbol,), **config)
        row = instrument_row(self.symbol)
        if product is Product.SPOT:
            row["lotSizeFilter"] = {"basePrecision": "0.001", "minOrderQty": "0.001", "maxOrderQty": "100"}
        self.rest.on("GET market/instruments-info", page(row))
        self.rest.on("GET position/list", page(position_row("", "0", self.symbol, leverage="")))
        self.rest.on("GET order/realtime", page())
        self.rest.on("GET order/history", page())
        self.rest.on("GET execution/list", page())
        self.rest.on("POST position/set-leverage", {})
        self.rest.on("POST order/create", RECEIVED)
        self.rest.on("POST order/cancel", RECEIVED)
        self.rest.on("POST order/amend", RECEIVED)
        self.connector = FakeConnector()
        self.connector.prepare = lambda link: setattr(link, "answer", answers())
        self.venue = BybitVenue(self.client, self.connector, jitter=lambda: 0.0)

    def place(self, **fields: Any) -> PlaceOrder:
        terms: dict[str, Any] = {
            "cid": "mine", "trade_id": "t", "slot_id": 0, "role": Role.ENTRY, "instrument": self.symbol, "is_buy": True,
            "lots": 10, "order_type": OrderType.LIMIT, "price_tick": 100_000, "time_in_force": TimeInForce.GTC,
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

    async def snapshot(self) -> VenueSnapshot:
        answer = await self.venue.send(FetchSnapshot("test"))
        assert isinstance(answer, VenueSnapshot)
        return answer

    def push(self, topic: str, *rows: Any) -> None:
        self.connector.last.say(json.dumps({"topic": topic, "creationTime": 1, "data": list(rows)}).encode())

    def pumped(self) -> list[EventKind]:
        return [event.kind for event in self.venue.pump()]


def play(scene: Callable[[Stage], Awaitable[None]], product: Product = Product.LINEAR, **config: Any) -> Stage:
    async def main(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, product, **config)
        await stage.venue.start()
        await asyncio.sleep(2)
        assert stage.venue.is_streaming
        stage.venue.pump()
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
def test_an_order_is_placed_in_the_venues_decimals_and_received_is_not_yet_known() -> None:
    async def scene(stage: Stage) -> None:
        event = await stage.event(stage.place())
        assert (event.kind, event.cid, event.venue_order_id) == (K.SUBMIT_UNKNOWN, "mine", "v-1")
        sent = stage.rest.last("POST order/create")
        assert (sent["qty"], sent["price"], sent["side"], sent["orderLinkId"]) == ("0.010", "50000.0", "Buy", "mine")
        assert stage.rest.last("POST position/set-leverage")["buyLeverage"] == "5"
        stage.push("order", order_row())
        assert stage.pumped() == [K.ACK]

    play(scene)


def test_a_leverage_is_set_once_and_an_exit_needs_none() -> None:
    async def scene(stage: Stage) -> None:
        await stage.events(stage.place())
        await stage.events(stage.place(cid="b"))
        await stage.events(stage.place(cid="c", role=Role.EXIT, leverage=9))
        assert stage.rest.names().count("POST position/set-leverage") == 1
        stage.push("position", position_row("Buy", "1", leverage="7"))
        await stage.events(stage.place(cid="d"))
        assert stage.rest.names().count("POST position/set-leverage") == 2
        stage.rest.on("POST position/set-leverage", refused(110013, "risk"))
        event = await stage.event(stage.place(cid="e", leverage=99))
        assert (event.kind, event.reason_code) == (K.ORDER_REJECT, "LEVERAGE")
        assert stage.rest.names().count("POST order/create") == 4

    play(scene)


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"post_only": True}, {"timeInForce": "PostOnly"}),
        ({"time_in_force": TimeInForce.GTX}, {"timeInForce": "PostOnly"}),
        ({"time_in_force": TimeInForce.IOC}, {"timeInForce": "IOC"}),
        ({"time_in_force": TimeInForce.FOK}, {"timeInForce": "FOK"}),
        ({"order_type": OrderType.MARKET}, {"orderType": "Market"}),
        ({"is_buy": False, "reduce_only": True}, {"side": "Sell", "reduceOnly": True}),
    ],
)
def test_terms_become_the_venues_words(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    async def scene(stage: Stage) -> None:
        await stage.events(stage.place(**fields))
        assert sent.items() <= stage.rest.last("POST order/create").items()
        assert ("price" in stage.rest.last("POST order/create")) == (fields.get("order_type") is not OrderType.MARKET)

    play(scene)


@pytest.mark.parametrize(
    ("role", "is_buy", "index"),
    [(Role.ENTRY, True, 1), (Role.EXIT, False, 1), (Role.ENTRY, False, 2), (Role.EXIT, True, 2)],
)
def test_in_hedge_mode_an_order_names_its_position(role: Role, is_buy: bool, index: int) -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop, Product.LINEAR, is_hedge_mode=True)
        stage.rest.on("GET position/list", page(position_row("", "0", positionIdx=1), position_row("", "0", positionIdx=2)))
        await stage.venue.start()
        await stage.events(stage.place(role=role, is_buy=is_buy))
        assert stage.rest.last("POST order/create")["positionIdx"] == index
        await stage.venue.close()

    run(main)


def test_what_the_filters_refuse_is_not_sent() -> None:
    async def scene(stage: Stage) -> None:
        event = await stage.event(stage.place(lots=200_000))
        assert (event.kind, event.reason_code) == (K.ORDER_REJECT, "FILTER")
        assert "POST order/create" not in stage.rest.names()

    play(scene)


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (110007, K.ORDER_REJECT, "INSUFFICIENT_FUNDS"),
        (110072, K.SUBMIT_UNKNOWN, "DUPLICATE_CLIENT_ID"),
        (110017, K.ORDER_REJECT, "REDUCE_ONLY"),
    ],
)
def test_a_refusal_is_an_event(code: int, kind: EventKind, reason: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order/create", refused(code, "words"))
        event = await stage.event(stage.place())
        assert (event.kind, event.reason_code, event.reason_text) == (kind, reason, f"{code} words")

    play(scene)


def test_what_is_not_known_raises() -> None:
    async def scene(stage: Stage) -> None:
        for path in ("create", "cancel", "amend"):
            stage.rest.on(f"POST order/{path}", SILENCE)
        stage.rest.on("GET order/realtime", SILENCE)
        stage.rest.on("GET execution/list", SILENCE)
        which = ("mine", "v-1", stage.symbol)
        requests: list[Any] = [stage.place(), CancelOrder(*which), QueryOrder(*which), QueryFills(*which)]
        requests += [ModifyOrder(*which, 10, 100_000), FetchSnapshot("test")]
        for request in requests:
            with pytest.raises(VenueDownError):
                await stage.venue.send(request)

    play(scene)


def test_a_cancel_is_received_refused_or_too_late() -> None:
    async def scene(stage: Stage) -> None:
        event = await stage.event(CancelOrder("mine", "", stage.symbol))
        assert (event.kind, event.reason_code) == (K.CANCEL_UNKNOWN, "SUCCESS")
        assert stage.rest.last("POST order/cancel")["orderLinkId"] == "mine"
        stage.push("order", order_row("Cancelled", "0", cancelType="CancelByUser"))
        assert stage.pumped() == [K.CANCEL_ACK]
        stage.rest.on("POST order/cancel", refused(110001), refused(10006))
        found = [(await stage.event(CancelOrder("mine", "v-1", stage.symbol))).reason_code for _ in range(2)]
        assert found == ["NOT_FOUND", "REFUSED"]
        assert stage.rest.last("POST order/cancel")["orderId"] == "v-1"

    play(scene)


def test_a_change_is_received_and_the_stream_tells_that_it_is_done() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row())
        stage.pumped()
        event = await stage.event(ModifyOrder("mine", "v-1", stage.symbol, 8, 100_002))
        assert event.kind is K.MODIFY_UNKNOWN
        sent = stage.rest.last("POST order/amend")
        assert (sent["qty"], sent["price"], sent["orderId"]) == ("0.008", "50001.0", "v-1")
        stage.push("order", order_row(qty="0.008", price="50001.0", updatedTime="1767225600007"))
        (told,) = stage.venue.pump()
        assert (told.kind, told.order_lots, told.price_tick) == (K.MODIFY_ACK, 8, 100_002)

    play(scene)


def test_a_change_that_is_so_already_is_done_and_another_refusal_is_one() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("POST order/amend", refused(10001, "The order remains unchanged as the parameters match"))
        stage.rest.on("GET order/realtime", page(order_row()))
        assert (await stage.event(ModifyOrder("mine", "v-1", stage.symbol, 10, 100_000))).kind is K.MODIFY_ACK
        refusal = await stage.event(ModifyOrder("mine", "v-1", stage.symbol, 9, 100_000))
        assert (refusal.kind, refusal.reason_code) == (K.MODIFY_REJECT, "WRONG_REQUEST")
        stage.rest.on("POST order/amend", refused(110001))
        assert (await stage.event(ModifyOrder("mine", "v-1", stage.symbol, 9, 100_000))).reason_code == "NOT_FOUND"

    play(scene)


# --- questions ------------------------------------------------------------------------------------------------------------
def test_an_order_is_asked_for_by_client_id() -> None:
    async def scene(stage: Stage) -> None:
        question = QueryOrder("mine", "", stage.symbol)
        absent = await stage.event(question)
        assert (absent.kind, absent.reason_code) == (K.ORDER_MISSED, "NOT_FOUND")
        stage.rest.on("GET order/realtime", page(order_row("PartiallyFilled", "0.004")), refused(10005))
        for kind in (K.PARTIAL_FILL, K.QUERY_FAILED):
            assert (await stage.event(question)).kind is kind
        assert stage.rest.last("GET order/realtime")["orderLinkId"] == "mine"
        stage.rest.on("GET order/realtime", page(order_row(cumExecQty="x")))
        with pytest.raises(VenueDownError, match="cumExecQty is 'x'"):
            await stage.venue.send(question)

    play(scene)


def test_fills_are_an_exact_sum() -> None:
    async def scene(stage: Stage) -> None:
        fills = page(execution_row("b", "0.006", execPrice="50000.5"), execution_row("a", "0.004"))
        stage.rest.on("GET execution/list", fills, refused(10005))
        event = await stage.event(QueryFills("mine", "v-1", stage.symbol))
        assert (event.kind, event.cum_lots, event.cum_notional) == (K.FILL_REPORT, 10, 4 * 100_000 + 6 * 100_001)
        assert (event.cum_fee, event.fee_asset) == (100_000_000_000, "USDT")
        assert stage.rest.last("GET execution/list")["orderId"] == "v-1"
        assert (await stage.event(QueryFills("mine", "v-1", stage.symbol))).kind is K.QUERY_FAILED

    play(scene)


def test_fills_of_an_order_whose_number_is_not_known_are_asked_for_after_it() -> None:
    async def scene(stage: Stage) -> None:
        missing = await stage.event(QueryFills("mine", "", stage.symbol))
        assert (missing.kind, missing.reason_code) == (K.QUERY_FAILED, "NO_ORDER_ID")
        stage.rest.on("GET order/realtime", page(order_row("Filled", "0.010")))
        stage.rest.on("GET execution/list", page(execution_row("a", "0.010")))
        assert (await stage.event(QueryFills("mine", "", stage.symbol))).cum_lots == 10

    play(scene)


def test_a_snapshot_is_open_orders_and_positions() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET order/realtime", page(order_row("PartiallyFilled", "0.004"), order_row("Filled", "0.01", "old")))
        stage.rest.on("GET position/list", page(position_row("Sell", "0.5")))
        snapshot = await stage.snapshot()
        assert snapshot.open_orders == (OpenOrder("mine", "v-1", stage.symbol, 4),)
        assert snapshot.positions == (Position(stage.symbol, Side.SHORT, 500),)
        assert (await stage.snapshot()).sequence == snapshot.sequence + 1

    play(scene)


# H8.5
def test_an_unknown_side_among_three_is_surfaced_and_the_others_are_told() -> None:
    async def scene(stage: Stage) -> None:
        rows = [position_row("Buy", "1"), position_row("Both", "2", positionIdx=7), position_row("Sell", "3")]
        stage.rest.on("GET position/list", page(*rows))
        snapshot = await stage.snapshot()
        assert [(p.side, p.lots) for p in snapshot.positions] == [(Side.LONG, 1000), (Side.SHORT, 3000)]
        (event,) = stage.venue.pump()
        assert (event.kind, event.raw_kind, event.instrument) == (K.UNSUPPORTED, "position side Both", stage.symbol)
        assert stage.venue.foreign["position side Both"] == 1
        stage.push("position", *rows)
        assert stage.pumped() == [K.UNSUPPORTED]
        assert len(stage.venue.positions) == 2

    play(scene)


# H8.4
def test_positions_without_a_list_are_asked_for_again_with_growing_delays() -> None:
    async def scene(stage: Stage) -> None:
        bodies = [{"retCode": 0, "retMsg": "OK", "result": result} for result in ({}, {"list": None})]
        stage.rest.on("GET position/list", *bodies, page())
        with pytest.raises(VenueDownError, match=r"the answer with retCode 0 has no list; it begins"):
            await stage.venue.send(FetchSnapshot("test"))
        stage.rest.on("GET position/list", *bodies, page())
        before = stage.venue.reconciliations
        asked: list[float] = []
        stage.rest.answers["GET position/list"] = [
            lambda _: asked.append(stage.loop.time()) or (bodies.pop(0) if bodies else page())  # type: ignore[func-returns-value]
        ]
        stage.connector.last.break_off()
        await asyncio.sleep(30)
        assert stage.venue.reconciliations == before + 1
        assert len(asked) == 3
        assert asked[1] - asked[0] >= 0.5
        assert sum(count for text, count in stage.venue.foreign.items() if text.startswith("reconcile: positions")) == 2

    play(scene)


# --- the private stream ---------------------------------------------------------------------------------------------------
def test_a_fill_arrives_once_with_price_and_fee() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row())
        stage.push("execution", execution_row("a", "0.004"))
        stage.push("execution", execution_row("a", "0.004"))
        stage.push("order", order_row("PartiallyFilled", "0.004"))
        events = stage.venue.pump()
        assert [event.kind for event in events] == [K.ACK, K.PARTIAL_FILL]
        assert (events[1].cum_lots, events[1].last_lots, events[1].last_tick, events[1].fee) == (4, 4, 100_000, 5 * 10**10)
        stage.push("execution", execution_row("b", "0.002"), execution_row("c", "0.004"))
        assert [(e.kind, e.cum_lots) for e in stage.venue.pump()] == [(K.PARTIAL_FILL, 6), (K.FULL_FILL, 10)]

    play(scene)


# H8.10
def test_an_execution_after_the_final_order_update_brings_exact_prices_and_fees() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row(), order_row("Filled", "0.010"))
        assert [(e.kind, e.cum_lots, e.cum_notional) for e in stage.venue.pump()] == [
            (K.ACK, 0, 0), (K.FULL_FILL, 10, 1_000_000),
        ]  # fmt: skip
        stage.push("execution", execution_row("a", "0.004"), execution_row("b", "0.006"))
        (report,) = stage.venue.pump()
        assert (report.kind, report.cum_lots, report.cum_fee) == (K.FILL_REPORT, 10, 10**11)
        for topic, row in (("execution", execution_row("b", "0.006")), ("order", order_row("Filled", "0.010"))):
            stage.push(topic, row)
            assert stage.pumped() == []

    play(scene)


# H8.10
def test_a_final_order_update_after_its_executions_closes_the_order_once() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row())
        stage.push("execution", execution_row("a", "0.010"))
        stage.push("order", order_row("Filled", "0.010"))
        assert stage.pumped() == [K.ACK, K.FULL_FILL, K.FULL_FILL, K.FILL_REPORT]
        echo = order_row("Cancelled", "0.010", rejectReason="EC_OrigClOrdIDDoesNotExist")
        stage.push("order", order_row("Filled", "0.010"), echo)
        assert stage.pumped() == []
        assert stage.venue.tracker.live == []

    play(scene)


# H8.10
def test_updates_of_an_order_that_was_forgotten_do_no_harm() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row("Filled", "0.010"))
        assert stage.venue.tracker.remove("mine")
        assert not stage.venue.tracker.remove("mine")
        stage.push("execution", execution_row("a", "0.010"))
        stage.push("order", order_row("Filled", "0.010"))
        assert stage.venue.is_streaming
        assert stage.venue.tracker.counts.removed_absent == 1
        assert stage.venue.tracker.live == []

    play(scene)


def test_a_cancel_that_says_less_than_its_fills_keeps_them() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row())
        stage.push("execution", execution_row("a", "0.004"))
        stage.push("order", order_row("Cancelled", "0"))
        assert [(e.kind, e.cum_lots) for e in stage.venue.pump()][:3] == [
            (K.ACK, 0), (K.PARTIAL_FILL, 4), (K.CANCEL_ACK, 4),
        ]  # fmt: skip

    play(scene)


def test_a_status_that_nobody_knows_is_told_and_the_order_asked_for() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET order/realtime", page(order_row("PartiallyFilled", "0.004")))
        stage.push("order", order_row("Frozen"))
        await settle()
        events = stage.venue.pump()
        assert [(e.kind, e.raw_kind) for e in events] == [(K.UNSUPPORTED, "Frozen"), (K.PARTIAL_FILL, "")]
        stage.rest.on("GET order/realtime", page(order_row(cumExecQty="x")))
        stage.push("order", order_row("Frozen"))
        await settle()
        assert any(text.startswith("asking again") for text in stage.venue.foreign)

    play(scene)


def test_executions_of_the_venues_own_are_told_as_such() -> None:
    async def scene(stage: Stage) -> None:
        rows = [
            execution_row("l", "0.004", execType="BustTrade", side="Sell", orderLinkId=""),
            execution_row("f", "0.500", execType="Funding", execFee="0.25"),
            execution_row("m", "0.500", execType="MovePosition"),
        ]
        stage.push("execution", *rows, *rows)
        liquidation, funding, moved = stage.venue.pump()
        assert (liquidation.kind, liquidation.side, liquidation.last_lots) == (K.LIQUIDATION, Side.LONG, 4)
        assert (funding.kind, funding.amount) == (K.FUNDING, -25 * 10**10)
        assert (moved.kind, moved.raw_kind) == (K.UNSUPPORTED, "MovePosition")
        assert stage.venue.tracker.live == []

    play(scene)


def test_what_is_of_another_category_or_no_number_ends_nothing() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row(category="spot"), order_row(symbol="XUSDT"), order_row(cumExecQty="x"), order_row())
        stage.push("wallet", {"accountType": "UNIFIED", "coin": [{"coin": "USDT", "walletBalance": "5"}]})
        assert stage.pumped() == [K.ACK]
        assert stage.venue.foreign["category spot"] == 1
        assert stage.venue.is_streaming

    play(scene)


# --- reconciliation -------------------------------------------------------------------------------------------------------
def test_a_new_connection_tells_what_was_missed() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row(), order_row(cid="gone", orderId="v-2"), order_row(cid="lost", orderId="v-3"))
        stage.pumped()

        def realtime(parameters: dict[str, str]) -> dict[str, Any]:
            which = parameters.get("orderId")
            if which is None:
                return page(order_row("PartiallyFilled", "0.004"))
            return page(order_row("Cancelled", "0", "gone", orderId="v-2")) if which == "v-2" else page()

        stage.rest.on("GET order/realtime", realtime)
        stage.rest.on("GET execution/list", page(execution_row("a", "0.004")))
        stage.connector.last.break_off()
        await asyncio.sleep(10)
        told = [(e.kind, e.cid, e.cum_lots) for e in stage.venue.pump()]
        assert told == [(K.PARTIAL_FILL, "mine", 4), (K.CANCEL_ACK, "gone", 0), (K.FILL_REPORT, "mine", 4)]
        assert stage.venue.tracker.get("lost") is None
        assert stage.venue.reconciliations == 2
        start_ms = int(stage.rest.last("GET execution/list")["startTime"])
        assert 0 < stage.loop.now_ns() // 10**6 - start_ms < 120_000

    play(scene)


def test_a_push_that_was_lost_shows_in_the_snapshot_and_is_mended() -> None:
    async def scene(stage: Stage) -> None:
        stage.push("order", order_row())
        stage.pumped()
        stage.rest.on("GET order/realtime", page(order_row("PartiallyFilled", "0.004")))
        await stage.snapshot()
        await asyncio.sleep(1)
        assert stage.pumped() == [K.PARTIAL_FILL]
        assert stage.venue.foreign["a push was lost"] == 1

    play(scene)


# --- begin and end --------------------------------------------------------------------------------------------------------
def test_nothing_begins_where_the_account_is_set_otherwise() -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop, Product.LINEAR)
        stage.rest.on("GET position/list", page(position_row("", "0", positionIdx=1), position_row("", "0", positionIdx=2)))
        with pytest.raises(ConfigError, match=r"BTCUSDT at bybit-linear is in hedge .* and the configuration says one-way"):
            await stage.venue.start()
        stage = Stage(loop, Product.LINEAR)
        stage.rest.on("GET market/instruments-info", page(instrument_row(status="Delivering")))
        with pytest.raises(VenueError, match="BTCUSDT is not trading at bybit-linear"):
            await stage.venue.start()

    run(main)


def test_nothing_is_asked_of_a_venue_that_was_not_started() -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop, Product.LINEAR)
        with pytest.raises(VenueError, match=r"the venue was not started; await start\(\) first"):
            await stage.venue.send(stage.place())

    run(main)


def test_a_venue_is_leased_to_one_kernel() -> None:
    async def scene(stage: Stage) -> None:
        stage.venue.lease("a")
        with pytest.raises(ConfigError, match="lease 'b': another lease holds this venue"):
            stage.venue.lease("b")
        stage.venue.release("b")
        stage.venue.release("a")
        stage.venue.lease("b")
        assert stage.venue.backend_kind == "bybit-linear"

    play(scene)


def test_closing_ends_everything_in_the_middle_of_a_reconciliation() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET order/realtime", refused(10016))
        stage.connector.last.break_off()
        await asyncio.sleep(3)

    assert isinstance(play(scene).rest, FakeRest)


# --- the other categories -------------------------------------------------------------------------------------------------
def test_spot_has_holdings_and_no_leverage() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET account/wallet-balance", page({"coin": [{"coin": "BTC", "walletBalance": "1.23456"}]}))
        assert (await stage.snapshot()).positions == (Position("BTCUSDT", Side.LONG, 1234),)
        await stage.events(stage.place(order_type=OrderType.MARKET, leverage=1))
        sent = stage.rest.last("POST order/create")
        assert (sent["category"], sent["marketUnit"]) == ("spot", "baseCoin")
        assert "POST position/set-leverage" not in stage.rest.names()
        assert "GET position/list" not in stage.rest.names()

    play(scene, Product.SPOT)


@pytest.mark.parametrize(
    ("terms", "code", "text"),
    [
        ({"is_buy": False, "leverage": 1}, "FILTER", "spot has no short positions"),
        ({"leverage": 5}, "LEVERAGE", "leverage 5: spot has none"),
    ],
)
def test_spot_refuses_an_entry_that_it_has_no_form_of(terms: dict[str, Any], code: str, text: str) -> None:
    async def scene(stage: Stage) -> None:
        event = await stage.event(stage.place(**terms))
        assert (event.kind, event.reason_code) == (K.ORDER_REJECT, code)
        assert text in event.reason_text
        assert "POST order/create" not in stage.rest.names()
        leaving = await stage.event(stage.place(is_buy=False, role=Role.EXIT, leverage=5))
        assert leaving.kind is K.SUBMIT_UNKNOWN
        assert stage.rest.last("POST order/create")["side"] == "Sell"

    play(scene, Product.SPOT)


def test_inverse_fills_are_told_one_by_one() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET execution/list", page(execution_row("a", "0.004", symbol="BTCUSD", category="inverse")))
        event = await stage.event(QueryFills("mine", "v-1", stage.symbol))
        assert (event.cum_fills, event.cum_notional) == (((4, 100_000),), None)
        assert stage.rest.last("GET execution/list")["category"] == "inverse"

    play(scene, Product.INVERSE)
