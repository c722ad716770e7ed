"""The kernel on Binance's connector: orders, fills, lost answers and lost streams end as the exchange has them.

The exchange below keeps orders and fills and speaks USD-M's REST and private stream; it matches nothing by itself. Time is
virtual.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from queuefront.kernel import Cancel, Enter, Exit, Kernel, Stage, VenueOutcome, open_kernel
from queuefront.kernel.desk import config_of, spec_of
from queuefront.venues import OrderType, Side
from queuefront.venues.binance import BinanceVenue, Market, Product
from queuefront.venues.rest import SilenceError
from tests.unit.venues.binance.fake_rest import client_of, listing_body, refused
from tests.unit.venues.fake_link import FakeConnector
from tests.virtual_time import VirtualLoop, run, settle

D = Decimal
S = 10**9


class Exchange:
    """USD-M with one symbol and one account."""

    def __init__(self, loop: VirtualLoop, rest: Any, connector: FakeConnector) -> None:
        self.loop = loop
        self.connector = connector
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: list[dict[str, Any]] = []
        self.position = D(0)
        self.loses_next: str | None = None
        self.pushes = True
        for name, answer in {
            "GET exchangeInfo": listing_body("BTCUSDT"),
            "GET positionSide/dual": {"dualSidePosition": False},
            "POST listenKey": {"listenKey": "key"},
            "POST leverage": lambda p: {"symbol": p["symbol"], "leverage": int(p["leverage"])},
            "POST order": self.place,
            "DELETE order": self.cancel,
            "GET order": self.query,
            "GET openOrders": lambda _: [o for o in self.orders.values() if o["status"] in ("NEW", "PARTIALLY_FILLED")],
            "GET positionRisk": lambda _: [
                {"symbol": "BTCUSDT", "positionAmt": str(self.position), "positionSide": "BOTH"}
            ],
            "GET userTrades": self.fills,
        }.items():
            rest.on(name, answer)

    def answer(self, name: str, body: Any) -> Any:
        if self.loses_next == name:
            self.loses_next = None
            raise SilenceError("cut")
        return body

    def find(self, asked: dict[str, str]) -> dict[str, Any] | None:
        for order in self.orders.values():
            if asked.get("origClientOrderId") == order["clientOrderId"] or asked.get("orderId") == str(order["orderId"]):
                return order
        return None

    def place(self, asked: dict[str, str]) -> Any:
        cid = asked["newClientOrderId"]
        if self.loses_next == "before":
            self.loses_next = None
            raise SilenceError("cut")
        self.orders[cid] = order = {
            "symbol": "BTCUSDT", "orderId": len(self.orders) + 1, "clientOrderId": cid, "status": "NEW",
            "type": asked["type"], "timeInForce": asked.get("timeInForce", "GTC"), "side": asked["side"],
            "price": asked.get("price", "0"),
            "origQty": asked["quantity"], "executedQty": "0", "updateTime": self.ms(), "positionSide": "BOTH",
        }  # fmt: skip
        self.push(order, "NEW")
        return self.answer("POST order", dict(order))

    def cancel(self, asked: dict[str, str]) -> Any:
        order = self.find(asked)
        if order is None or order["status"] not in ("NEW", "PARTIALLY_FILLED"):
            return refused(-2011, "Unknown order sent.")
        order |= {"status": "CANCELED", "updateTime": self.ms()}
        self.push(order, "CANCELED")
        return self.answer("DELETE order", dict(order))

    def query(self, asked: dict[str, str]) -> Any:
        order = self.find(asked)
        return refused(-2013, "Order does not exist.") if order is None else self.answer("GET order", dict(order))

    def fills(self, asked: dict[str, str]) -> Any:
        first, order_id = int(asked.get("fromId", 0)), asked.get("orderId")
        return [t for t in self.trades if t["id"] >= first and order_id in (None, str(t["orderId"]))]

    def fill(self, cid: str, qty: str, price: str) -> None:
        order = self.orders[cid]
        total = D(order["executedQty"]) + D(qty)
        done = total == D(order["origQty"])
        order |= {"executedQty": str(total), "status": "FILLED" if done else "PARTIALLY_FILLED", "updateTime": self.ms()}
        self.position += D(qty) if order["side"] == "BUY" else -D(qty)
        fee = str(D(qty) * D(price) * D("0.0004"))
        trade = {
            "symbol": "BTCUSDT", "id": len(self.trades) + 1, "orderId": order["orderId"], "side": order["side"],
            "price": price, "qty": qty, "commission": fee, "commissionAsset": "USDT", "time": self.ms(),
            "buyer": order["side"] == "BUY",
            "maker": True,
        }  # fmt: skip
        self.trades.append(trade)
        self.push(order, "TRADE", l=qty, L=price, t=trade["id"], n=fee, N="USDT", m=True)

    def push(self, order: dict[str, Any], execution: str, **fields: Any) -> None:
        if not self.pushes:
            return
        told = {
            "s": "BTCUSDT", "c": order["clientOrderId"], "S": order["side"], "o": order["type"], "f": order["timeInForce"],
            "q": order["origQty"], "p": order["price"], "x": execution, "X": order["status"], "i": order["orderId"],
            "l": "0", "z": order["executedQty"], "L": "0", "T": order["updateTime"], "t": 0, "ps": "BOTH",
        }  # fmt: skip
        message = {"e": "ORDER_TRADE_UPDATE", "E": self.ms(), "T": self.ms(), "o": {**told, **fields}}
        self.connector.last.say(json.dumps(message).encode())

    def ms(self) -> int:
        return self.loop.now_ns() // 10**6


class Story:
    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.client, self.rest = client_of(loop, Market(Product.USDM), symbols=("BTCUSDT",))
        self.connector = FakeConnector()
        self.exchange = Exchange(loop, self.rest, self.connector)
        self.venue = BinanceVenue(self.client, self.connector, jitter=lambda: 0.0)

    async def open(self) -> Kernel:
        await self.venue.start()
        await asyncio.sleep(1)
        instrument = (await self.client.listing())["BTCUSDT"].instrument
        spec = spec_of(instrument, 12, maker_rate="0.0004", taker_rate="0.0004")
        config = config_of([spec], lease="lease1", capital=10_000)
        self.kernel = await open_kernel(self.venue, journal=":memory:", config=config, clock=self.loop.now_ns)
        await self.wait(2)
        return self.kernel

    async def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            await asyncio.sleep(1)
            self.kernel.pump()
            self.kernel.tick()
            await settle()

    def enter(self, lots: int = 100) -> Enter:
        return Enter(
            ts=self.loop.now_ns(), intent_id="enter", trade_id="t1", slot_id=0, instrument="BTCUSDT", side=Side.LONG,
            lots=lots, reference_tick=500_000, order_type=OrderType.LIMIT, limit_tick=500_000,
        )  # fmt: skip

    @property
    def cid(self) -> str:
        return next(reversed(self.exchange.orders))

    @property
    def capital(self) -> Decimal:
        return D(self.kernel.state.book.capital).scaleb(-12)


def tell(story_of: Callable[[Story, Kernel], Awaitable[None]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        story = Story(loop)
        kernel = await story.open()
        try:
            await story_of(story, kernel)
            for slot in kernel.slots:
                held = D(slot.size) / 1000 * slot.side.sign if slot.size else D(0)
                if slot.slot_id == 0:
                    assert held == story.exchange.position
        finally:
            await kernel.close()
            await story.venue.close()

    run(main)


def test_an_order_rests_fills_twice_and_its_rest_is_canceled() -> None:
    async def story_of(story: Story, kernel: Kernel) -> None:
        outcome = await kernel.submit(story.enter())
        assert outcome.venue_outcome is VenueOutcome.PLACED
        story.exchange.fill(story.cid, "0.030", "49999.9")
        await story.wait(1)
        assert kernel.slots[0].size == 30
        story.exchange.fill(story.cid, "0.040", "50000.0")
        await story.wait(1)
        await kernel.submit(Cancel(ts=story.loop.now_ns(), intent_id="cancel", slot_id=0))
        await story.wait(1)
        slot = kernel.slots[0]
        assert (slot.size, slot.stage) == (70, Stage.POSITION_OPEN)
        fees = (D("0.030") * D("49999.9") + D("0.040") * D("50000.0")) * D("0.0004")
        assert story.capital == D(10_000) - fees

    tell(story_of)


def test_a_round_trip_ends_flat_with_exact_capital() -> None:
    async def story_of(story: Story, kernel: Kernel) -> None:
        await kernel.submit(story.enter())
        story.exchange.fill(story.cid, "0.100", "50000.0")
        await story.wait(1)
        await asyncio.gather(
            kernel.submit(Exit(ts=story.loop.now_ns(), intent_id="exit", slot_id=0, reference_tick=500_000)),
            story.wait(1),
        )
        story.exchange.fill(story.cid, "0.060", "50010.0")
        story.exchange.fill(story.cid, "0.040", "50020.0")
        await story.wait(2)
        assert kernel.slots[0].size == 0
        sold = D("0.060") * D(50010) + D("0.040") * D(50020)
        bought = D("0.100") * D(50000)
        assert story.capital == D(10_000) + sold - bought - (sold + bought) * D("0.0004")
        assert story.rest.last("POST order")["reduceOnly"] == "true"

    tell(story_of)


@pytest.mark.parametrize("is_live", [True, False])
def test_an_order_whose_answer_is_lost_is_found_or_found_missing(is_live: bool) -> None:
    async def story_of(story: Story, kernel: Kernel) -> None:
        story.exchange.pushes = False
        story.exchange.loses_next = "POST order" if is_live else "before"
        await asyncio.gather(kernel.submit(story.enter()), story.wait(15))
        assert len(story.exchange.orders) == is_live  # asked about, never sent again
        assert story.rest.names().count("POST order") == 1
        assert kernel.slots[0].stage is (Stage.ENTRY_WORKING if is_live else Stage.IDLE)

    tell(story_of)


def test_fills_during_a_lost_stream_are_found_with_their_prices_and_fees() -> None:
    async def story_of(story: Story, kernel: Kernel) -> None:
        await kernel.submit(story.enter())
        story.exchange.fill(story.cid, "0.010", "50000.0")
        await story.wait(1)
        story.exchange.pushes = False
        story.connector.last.break_off()
        story.exchange.fill(story.cid, "0.030", "49999.9")
        story.exchange.fill(story.cid, "0.060", "49999.8")
        await story.wait(10)
        assert kernel.slots[0].size == 100
        value = D("0.010") * D("50000.0") + D("0.030") * D("49999.9") + D("0.060") * D("49999.8")
        assert story.capital == D(10_000) - value * D("0.0004")
        assert story.venue.reconciliations == 2

    tell(story_of)


def test_a_cancel_that_crosses_a_fill_on_the_wire_ends_as_the_exchange_has_it() -> None:
    async def story_of(story: Story, kernel: Kernel) -> None:
        await kernel.submit(story.enter())
        story.exchange.fill(story.cid, "0.100", "50000.0")  # pushed, and not yet pumped
        await asyncio.gather(kernel.submit(Cancel(ts=story.loop.now_ns(), intent_id="cancel", slot_id=0)), story.wait(10))
        slot = kernel.slots[0]
        assert (slot.size, slot.stage) == (100, Stage.POSITION_OPEN)

    tell(story_of)
