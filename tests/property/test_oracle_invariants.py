"""What must hold of the naive engine by itself, where no fast engine stands beside it: single orders, honest liquidity."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core.enums import (
    BUY,
    BUY_EVENT,
    CANCELED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    GTX,
    IOC,
    LIMIT,
    MARKET,
    NO_ASK_TICK,
    NO_BID_TICK,
    SELL,
    TRADE_EVENT,
)
from tests.differential.markets import Synthetic
from tests.differential.storms import QUEUES, seeded
from tests.naive.engine import AssetConfig, NaiveEngine
from tests.naive.exchange import opposite
from tests.naive.grid import Row
from tests.naive.honest import HonestExchange
from tests.naive.l3 import L3Book, L3Exchange
from tests.naive.latency import ConstantLatency
from tests.naive.market import lots_at, sets_level
from tests.naive.orders import Order
from tests.naive.queue import QueueModel
from tests.property.order_market import order_market
from tests.scenario.naive_story import PLAIN

SEEDS = st.integers(0, 2**32 - 1)
MID_TICK = 1_000


def play(hbt: NaiveEngine, seed: int, calls: int, look: Any = lambda: None) -> Counter[int]:
    """Make random calls on the first asset; return how many lots each order asked for, modifies included."""
    draw = seeded(seed)
    asked: Counter[int] = Counter()
    for n in range(1, calls + 1):
        hbt.elapse(draw.integer(0, 120))
        look()
        side, price = draw.choice((BUY, SELL)), MID_TICK + draw.integer(-4, 4)
        older, lots = draw.integer(max(1, n - 8), n), draw.integer(1, 9)
        if draw.one_in(5) and hbt.cancel(0, older, False) == 0:
            continue
        if draw.one_in(4) and hbt.modify(0, older, price, lots, False) == 0:
            asked[older] += lots
            continue
        tif, kind = draw.choice((GTC, GTC, GTC, GTX, IOC, FOK)), MARKET if draw.one_in(12) else LIMIT
        submit = hbt.submit_buy_order if side == BUY else hbt.submit_sell_order
        assert submit(0, n, price, lots, tif, kind, False) == 0
        asked[n] += lots
    hbt._goto_end()
    look()
    return asked


def assert_no_order_is_overfilled(hbt: NaiveEngine, asked: Counter[int]) -> None:
    filled: Counter[int] = Counter()
    for fill in hbt.account(0).fills:
        filled[fill.order_id] += fill.lots
    assert all(0 < lots <= asked[order_id] for order_id, lots in filled.items())
    assert sum(f.side * f.lots for f in hbt.account(0).fills) == hbt.account(0).position_lots


# --- single orders ------------------------------------------------------------------------------------------------------
def assert_book_adds_up(book: L3Book) -> None:
    levels: dict[int, Counter[int]] = {BUY: Counter(), SELL: Counter()}
    for order in book.market_orders.values():
        levels[order.side][order.tick] += order.lots
    assert book.bids == levels[BUY]
    assert book.asks == levels[SELL]
    assert book.best_bid_tick < book.best_ask_tick
    assert book.best_bid_tick == NO_BID_TICK or book.bids[book.best_bid_tick] > 0
    assert book.best_ask_tick == NO_ASK_TICK or book.asks[book.best_ask_tick] > 0


def assert_queues_hold_every_order_once(exchange: L3Exchange) -> None:
    entries = [(side, tick, entry) for (side, tick), queue in exchange.fifos.items() for entry in queue]
    own = {e.order_id: (side, tick) for side, tick, e in entries if e.is_own}
    theirs = {e.order_id: (side, tick) for side, tick, e in entries if not e.is_own}
    assert len(own) + len(theirs) == len(entries)
    assert own == {order_id: (order.side, order.price_tick) for order_id, order in exchange.resting.items()}
    assert theirs == {order_id: (order.side, order.tick) for order_id, order in exchange.book.market_orders.items()}
    # None of ours rests where the market's other side would take it.
    for order in exchange.resting.values():
        best = exchange.best(opposite(order.side))
        assert order.price_tick < best if order.is_buy else order.price_tick > best


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(SEEDS, st.booleans())
def test_books_add_up_and_queues_hold_every_order_once(seed, gaps):
    config = AssetConfig(
        order_market(seed, 400, gaps=gaps, depth=True),
        PLAIN,
        latency=ConstantLatency(7, 3),
        market_by_order=True,
        skips_gaps=gaps,
    )
    hbt = NaiveEngine([config])
    asset = hbt.assets[0]

    def look() -> None:
        assert_book_adds_up(asset.local.book)
        assert_book_adds_up(asset.exchange.book)
        assert_queues_hold_every_order_once(asset.exchange)

    asked = play(hbt, seed, 60, look)
    assert_no_order_is_overfilled(hbt, asked)
    assert hbt.error_code == 0
    assert asset.local.gap_count <= asset.exchange.gap_count  # fills of unknown orders are gaps at the exchange only
    assert (asset.exchange.gap_count > 0) == gaps
    # A local record that is over is over at the exchange.
    over = {i for i, order in asset.local.orders.items() if order.status in (FILLED, CANCELED, EXPIRED)}
    assert not over & asset.exchange.resting.keys()


# --- honest liquidity ---------------------------------------------------------------------------------------------------
class Ledger:
    """Watches an honest exchange and adds up, by itself, who got what of what."""

    def __init__(self, exchange: HonestExchange) -> None:
        self.exchange = exchange
        self.had: Counter[tuple[int, int]] = Counter()  # lots of a displayed level that we have had since it was set
        self.row: Row | None = None
        self.of_this_trade = 0
        self.executions = 0
        self.on_row, self.send = exchange.on_row, exchange.send
        exchange.on_row, exchange.send = self.watch_row, self.watch_message  # type: ignore[method-assign]

    def watch_row(self, row: Row) -> None:
        self.row, self.of_this_trade = row, 0
        tick = self.exchange.grid.tick(row.px) if sets_level(row) or row.kind == TRADE_EVENT else 0
        if sets_level(row):
            self.had[row.side, tick] = 0
        self.on_row(row)
        self.had = Counter({key: lots for key, lots in self.had.items() if lots_at(self.exchange.book, *key) > 0})
        if row.kind == TRADE_EVENT:
            assert self.of_this_trade <= self.exchange.grid.lots(row.qty)
        self.row = None

    def watch_message(self, message: Order, now: int) -> None:
        if message.is_execution:
            self.executions += 1
            if not message.is_maker:
                assert self.row is None
                self.note(opposite(message.side), message.exec_price_tick, message.exec_lots)
            elif self.row is not None and self.row.kind == TRADE_EVENT:
                self.of_this_trade += message.exec_lots
            elif self.row is not None:
                self.note(self.row.side, self.exchange.grid.tick(self.row.px), message.exec_lots)
        self.send(message, now)

    def note(self, side: int, tick: int, lots: int) -> None:
        self.had[side, tick] += lots
        assert self.had[side, tick] <= lots_at(self.exchange.book, side, tick)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(SEEDS, st.sampled_from(QUEUES))
def test_no_quantity_of_the_market_is_had_twice(seed, queue):
    config = AssetConfig(
        Synthetic(seed % 2**20, 400).events(),
        PLAIN,
        latency=ConstantLatency(7, 3),
        queue=QueueModel(*queue),
        partial_fills=True,
        honest_liquidity=True,
    )
    hbt = NaiveEngine([config])
    exchange = hbt.assets[0].exchange
    assert isinstance(exchange, HonestExchange)
    Ledger(exchange)
    asked = play(hbt, seed, 60)
    assert_no_order_is_overfilled(hbt, asked)
    assert all(order.leaves_lots > 0 for order in exchange.resting.values())


def test_the_ledger_sees_a_plain_exchange_take_a_level_twice():
    config = AssetConfig(Synthetic(3, 400).events(), PLAIN, partial_fills=True)
    hbt = NaiveEngine([config])
    Ledger(hbt.assets[0].exchange)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        play(hbt, 3, 60)


def test_a_random_market_of_orders_knows_its_kinds():
    events = order_market(1, 400, tick_size=0.5, lot_size=0.25, depth=True)
    assert set((events["ev"] & 0xFF).tolist()) == {1, 2, 3, 10, 11, 12, 13}
    assert ((events["ev"] & BUY_EVENT) > 0).mean() > 0.3
    assert (events["exch_ts"][1:] >= events["exch_ts"][:-1]).all()
    assert (events["local_ts"] >= events["exch_ts"]).all()
