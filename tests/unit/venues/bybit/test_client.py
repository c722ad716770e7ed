"""The REST client: what is asked, what is understood, and what is left unknown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.venues.bybit.client import BybitClient
from queuefront.venues.bybit.config import SessionConfig
from queuefront.venues.bybit.encode import OrderTerms
from queuefront.venues.bybit.market_data import MarketDecoder
from queuefront.venues.bybit.markets import Product
from queuefront.venues.errors import VenueError
from queuefront.venues.outcome import Done, Reason, Refused, Unknown, value_of
from tests.unit.venues.bybit.fake_rest import (
    CREDENTIALS,
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
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

D = Decimal
TERMS = OrderTerms("BTCUSDT", True, "mine", D("0.010"), D("50000.0"))

Scene = Callable[[BybitClient, FakeRest], Awaitable[None]]


def play(scene: Scene, product: Product = Product.LINEAR, **options: Any) -> None:
    async def main(loop: VirtualLoop) -> None:
        client, rest = client_of(loop, product, **options)
        await scene(client, rest)
        await client.close()
        assert rest.is_closed

    run(main)


def test_everything_that_was_asked_is_read() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("GET market/instruments-info", page(instrument_row(), cursor="2"), page(instrument_row("ETHUSDT")))
        rest.on("POST order/create", {"orderId": "v-1", "orderLinkId": "mine"})
        rest.on("POST order/amend", {"orderId": "v-1", "orderLinkId": "mine"})
        rest.on("POST order/cancel", {"orderId": "v-1", "orderLinkId": "mine"})
        rest.on("POST order/cancel-all", page({"orderId": "v-1"}, {"orderId": "v-2"}))
        rest.on("GET order/realtime", page(order_row()))
        rest.on("GET position/list", page(position_row("Sell", "0.5")))
        rest.on("GET account/wallet-balance", page({"coin": [{"coin": "X", "walletBalance": "2"}]}))
        rest.on("GET account/fee-rate", page({"symbol": "BTCUSDT", "makerFeeRate": "0.0001", "takerFeeRate": "0.0006"}))
        rest.on("GET account/info", {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 5})
        rest.on("POST position/set-leverage", {}, refused(110043))
        assert value_of(await client.server_time(), "t") == EPOCH_NS
        assert set((await client.listing()).listed) == {"BTCUSDT", "ETHUSDT"}
        assert value_of(await client.place(TERMS), "p").order_id == "v-1"
        assert value_of(await client.amend("BTCUSDT", D(1), D(2), cid="mine"), "a").order_id == "v-1"
        assert value_of(await client.cancel("BTCUSDT", "mine"), "c").order_id == "v-1"
        assert [row.order_id for row in value_of(await client.cancel_all("BTCUSDT"), "ca")] == ["v-1", "v-2"]
        assert value_of(await client.query("BTCUSDT", "mine"), "q").order_status == "New"
        assert len(value_of(await client.open_orders(), "o")) == 1
        assert value_of(await client.positions(), "pos")[0].side == "Sell"
        assert value_of(await client.balances(), "b")[0].total == 2
        assert value_of(await client.account(), "acc").unified_margin_status == 5
        assert value_of(await client.fees("BTCUSDT"), "f").maker_fee_rate == "0.0001"
        assert value_of(await client.set_leverage("BTCUSDT", 9), "l") == 9
        assert value_of(await client.set_leverage("BTCUSDT", 9), "l") == 9
        assert rest.last("POST position/set-leverage")["buyLeverage"] == "9"

    play(scene)


def test_an_order_is_sent_once_however_it_ends() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("POST order/create", SILENCE)
        assert isinstance(await client.place(TERMS), Unknown)
        rest.on("POST order/create", refused(10016))
        assert isinstance(await client.place(TERMS), Unknown)
        rest.on("POST order/create", (200, b"<html>"))
        assert isinstance(await client.place(TERMS), Unknown)
        assert rest.names().count("POST order/create") == 3

    play(scene)


def test_a_refused_time_sets_the_clock_and_the_order_is_sent_again_under_its_id() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("POST order/create", refused(10002), {"orderId": "v-1"})
        assert isinstance(await client.place(TERMS), Done)
        assert rest.names() == ["GET market/time", "POST order/create", "GET market/time", "POST order/create"]
        assert rest.last("POST order/create")["orderLinkId"] == "mine"

    play(scene)


def test_a_query_looks_among_the_open_and_then_in_the_history() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("GET order/realtime", page())
        rest.on("GET order/history", page(order_row("Cancelled")), page())
        assert value_of(await client.query("BTCUSDT", "mine"), "q").order_status == "Cancelled"
        assert rest.last("GET order/history") == {"symbol": "BTCUSDT", "category": "linear", "orderLinkId": "mine"}
        absent = await client.query("BTCUSDT", "mine")
        assert isinstance(absent, Refused)
        assert absent.reason is Reason.UNKNOWN_ORDER
        rest.on("GET order/realtime", page({"symbol": 7}))
        assert isinstance(await client.query("BTCUSDT", "mine"), Unknown)

    play(scene)


def test_lists_are_read_page_after_page() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("GET order/realtime", page(order_row(cid="a"), cursor="x"), page(order_row(cid="b"), cursor="y"), page())
        rows = value_of(await client.open_orders(), "o")
        assert [row.order_link_id for row in rows] == ["a", "b"]
        asked = [parameters.get("cursor") for name, parameters in rest.asked if name == "GET order/realtime"]
        assert asked == [None, "x", "y"]
        rest.on("GET execution/list", page(execution_row("2", "1"), cursor="x"), page(execution_row("1", "1")))
        fills = value_of(await client.executions("BTCUSDT", start_ms=5), "e")
        assert [row.exec_id for row in fills] == ["1", "2"]
        assert rest.last("GET execution/list")["startTime"] == "5"

    play(scene)


def test_a_list_without_end_is_not_read_for_ever() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        cursors = iter(range(1000))
        rest.on("GET order/realtime", lambda _: page(order_row(), cursor=str(next(cursors))))
        outcome = await client.open_orders()
        assert isinstance(outcome, Unknown)
        assert "more than 100 pages" in outcome.text
        rest.on("GET market/instruments-info", lambda _: page(instrument_row(), cursor=str(next(cursors))))
        with pytest.raises(VenueError, match="more than 100 pages"):
            await client.listing()

    play(scene, orders_per_s=1000)


# H8.4
@pytest.mark.parametrize("result", [{}, {"list": None}, {"list": []}])
def test_positions_without_a_list_are_unknown_with_code_and_excerpt_and_an_empty_list_is_none(result: Any) -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("GET position/list", {"retCode": 0, "retMsg": "OK", "result": result})
        outcome = await client.positions()
        if result == {"list": []}:
            assert outcome == Done([])
            return
        assert isinstance(outcome, Unknown)
        assert outcome.text.startswith('positions: the answer with retCode 0 has no list; it begins \'{"retCode": 0')
        with pytest.raises(VenueError, match=r"positions: no answer: positions: the answer with retCode 0 has no list"):
            value_of(outcome, "positions")

    play(scene)


def test_a_row_that_cannot_be_read_is_counted_and_the_others_are_there() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("GET position/list", page(position_row("Buy", "1"), {"symbol": 7}))
        assert len(value_of(await client.positions(), "p")) == 1
        assert sum(client.unreadable.values()) == 1

    play(scene)


def test_a_book_is_event_rows() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        book = {"s": "BTCUSDT", "b": [["100", "1"]], "a": [["101", "1"]], "ts": 1767225600001, "u": 5, "cts": 1767225600000}
        rest.on("GET market/orderbook", book, {"retCode": 0, "result": {}}, refused(10001))
        found = value_of(await client.book("BTCUSDT", MarketDecoder()), "b")
        assert (found.last_id, found.rows["px"].tolist()) == (5, [100.0, 101.0])
        assert isinstance(await client.book("BTCUSDT", MarketDecoder()), Unknown)
        assert isinstance(await client.book("BTCUSDT", MarketDecoder()), Refused)

    play(scene, is_private=False)


def test_what_is_private_needs_keys() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        with pytest.raises(VenueError, match="positions: this needs credentials"):
            await client.positions()
        assert rest.asked == []

    play(scene, is_private=False)


def test_a_live_address_takes_no_order_and_still_takes_cancels() -> None:
    async def main(loop: VirtualLoop) -> None:
        rest = FakeRest(loop.now_ns)
        client = BybitClient(SessionConfig("bybit-linear"), rest, CREDENTIALS, jitter=lambda: 0.0, clock=loop.now_ns)
        for attempt in (
            client.place(TERMS),
            client.amend("BTCUSDT", D(1), D(1), cid="a"),
            client.set_leverage("BTCUSDT", 2),
        ):
            with pytest.raises(ConfigError, match="is live"):
                await attempt
        assert rest.asked == []
        rest.on("POST order/cancel", {"orderId": "1"})
        assert isinstance(await client.cancel("BTCUSDT", "mine"), Done)

    run(main)


@pytest.mark.parametrize("result", [{"timeSecond": "1", "timeNano": "x"}, {"timeSecond": "1", "timeNano": "-5"}])
def test_a_time_that_is_none_sets_no_clock(result: Any) -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("GET market/time", result)
        assert isinstance(await client.server_time(), Unknown)
        assert client.server_clock.uncertainty_ns is None

    play(scene)


def test_an_answer_that_names_no_fee_or_no_wallet_proves_nothing() -> None:
    async def scene(client: BybitClient, rest: FakeRest) -> None:
        rest.on("GET account/fee-rate", page({"symbol": "ETHUSDT"}))
        rest.on("GET account/wallet-balance", page({"coin": 7}))
        assert isinstance(await client.fees("BTCUSDT"), Unknown)
        assert isinstance(await client.balances(), Unknown)

    play(scene)
