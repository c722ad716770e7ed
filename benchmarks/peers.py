"""One load on another engine, in its own environment: `python -m benchmarks.peers ENGINE LOAD MARKET.json FOLDER`.

Prints JSON: engine, version, events, seconds of the run alone and of preparing the market before it, fills. Run by
`benchmarks.peer_table`; needs nothing of ours but the market's file, so that the engine's environment need not hold our
package.

The feed is the same, the engines are not: each has its own models of latency and queue, so that fills differ and are only
told. Strategies are Python classes there. lrvx tells a strategy no time with a book update: there, 100 ms are the number of
updates that come in 100 ms on average.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import math
import shutil
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

EXCH_EVENT, LOCAL_EVENT, BUY_EVENT = 1 << 31, 1 << 30, 1 << 29
DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
INTERVAL_NS = 100_000_000
LATENCY_NS = 10_000_000
QTY = 1.0

#: What a strategy wants at every wake: orders a side, ticks between them, ticks from the middle, largest position.
LOADS = {"idle": (0, 0, 0, 0), "pair": (1, 1, 0, 10), "grid": (10, 10, 20, 100), "two_grids": (10, 10, 20, 100)}


class Feed:
    """The rows of a market that the exchange side sees, as messages: runs of level rows of one time, or a trade."""

    def __init__(self, market: dict[str, Any]) -> None:
        data = np.load(market["npz"])["data"]
        self.rows = len(data)
        data = data[(data["ev"] & np.uint64(EXCH_EVENT)) != 0]
        self.ev, self.kind = data["ev"].astype(np.int64), (data["ev"] & np.uint64(0xFF)).astype(np.int64)
        self.ts, self.px, self.qty = data["exch_ts"], data["px"], data["qty"]
        self.is_bid = (self.ev & BUY_EVENT) != 0
        is_level = np.isin(self.kind, (DEPTH, SNAPSHOT))
        is_new = np.ones(len(data), bool)
        is_new[1:] = (self.ts[1:] != self.ts[:-1]) | (self.kind[1:] != self.kind[:-1]) | ~is_level[1:]
        self.starts = np.flatnonzero(is_new)
        self.ends = np.append(self.starts[1:], len(data))
        updates = is_level[self.starts]
        span = int(self.ts[-1] - self.ts[0])
        self.updates_per_wake = max(1, int(np.count_nonzero(updates) * INTERVAL_NS / max(span, 1)))
        self.tick_size, self.lot_size = market["tick_size"], market["lot_size"]


def wanted(load: str, bid: float, ask: float, position: float, tick_size: float) -> tuple[set[int], set[int]]:
    """Return the ticks at which a strategy wants to buy and to sell; the rules of `benchmarks/strategies`."""
    levels, step, half_spread, largest = LOADS[load]
    if not levels:
        return set(), set()
    bid_tick, ask_tick = round(bid / tick_size), round(ask / tick_size)
    center = (bid_tick + ask_tick) / 2
    high = int(math.floor(min(center - half_spread, bid_tick) / step) * step)
    low = int(math.ceil(max(center + half_spread, ask_tick) / step) * step)
    bids = {high - i * step for i in range(levels)} if position < largest else set()
    asks = {low + i * step for i in range(levels)} if position > -largest else set()
    return bids, asks


# --- lrvx -------------------------------------------------------------------------------------------------------------
def run_lrvx(feed: Feed, load: str, folder: Path) -> tuple[float, int]:
    """Write the market as lrvx's tape, one symbol or two, and run it."""
    import lrvx

    symbols = 2 if load == "two_grids" else 1
    registry = lrvx.SymbolRegistry()
    ids = [registry.add_symbol("peer", f"S{k}", LRVX_STEP * feed.tick_size) for k in range(symbols)]
    tape = folder / f"lrvx-{feed.rows}-{symbols}"
    shutil.rmtree(tape, ignore_errors=True)
    tape.mkdir(parents=True)
    write_lrvx(lrvx, feed, [int(k) for k in ids], tape)

    class Quoter(lrvx.Strategy):  # type: ignore[misc]
        def __init__(self, ids: Any) -> None:
            super().__init__(ids)
            self.updates = self.fills = 0
            self.orders: dict[int, tuple[int, bool, int]] = {}
            self.ended: set[int] = set()

        def on_order_update(self, _ctx: Any, event: Any) -> None:
            if event.status in ENDED_LRVX:
                self.ended.add(event.order_id)  # an order may end before its id is known
                self.orders.pop(event.order_id, None)

        def on_fill(self, _ctx: Any, event: Any) -> None:
            self.fills += 1
            self.ended.add(event.order_id)
            self.orders.pop(event.order_id, None)

        def on_book_update(self, ctx: Any) -> None:
            self.updates += 1
            if self.updates % (feed.updates_per_wake * symbols) >= symbols:
                return
            bid, ask, symbol = ctx.best_bid, ctx.best_ask, ctx.symbol_id
            if bid is None or ask is None or not bid < ask:
                return
            bids, asks = wanted(load, bid, ask, ctx.position, feed.tick_size)
            there = set()
            for order_id, (of, is_bid, tick) in list(self.orders.items()):
                if of == symbol:
                    there.add((is_bid, tick))
                    if tick not in (bids if is_bid else asks):
                        self.emit_cancel(order_id)
            for is_bid, ticks, emit in ((True, bids, self.emit_limit_buy_tif), (False, asks, self.emit_limit_sell_tif)):
                for tick in ticks:
                    if (is_bid, tick) not in there:
                        order_id = emit(symbol, tick * feed.tick_size, QTY, "post_only")
                        if order_id not in self.ended:
                            self.orders[order_id] = (symbol, is_bid, tick)

    runner = lrvx.BacktestRunner(registry, 0.0002, 1e9)
    strategy = lrvx.Strategy(ids) if load == "idle" else Quoter(ids)
    runner.set_strategy(strategy)
    start = time.perf_counter()
    runner.run_tape(str(tape))
    return time.perf_counter() - start, getattr(strategy, "fills", 0)


#: Its book spans so few steps that it loses the best prices of a market with fine ticks: ten of them are one of its.
LRVX_STEP = 10
ENDED_LRVX = frozenset(("FILLED", "CANCELED", "CANCELLED", "REJECTED", "EXPIRED"))


def write_lrvx(lrvx: Any, feed: Feed, symbols: list[int], tape: Path) -> None:
    """Write level updates and trades, a second of each in turn: the reader sorts within ten."""
    header = np.dtype(
        {
            "names": [
                "exchange_ts_ns",
                "recv_ts_ns",
                "seq",
                "symbol_id",
                "bid_count",
                "ask_count",
                "level_offset",
                "event_type",
            ],
            "formats": ["<i8", "<i8", "<i8", "<u4", "<u2", "<u2", "<u4", "u1"],
            "offsets": [0, 8, 16, 24, 28, 30, 32, 36],
            "itemsize": 40,
        }
    )
    level = np.dtype(
        {"names": ["price_raw", "qty_raw", "side"], "formats": ["<i8", "<i8", "u1"], "offsets": [0, 8, 16], "itemsize": 24}
    )
    raw = np.zeros(len(feed.ts), level)
    is_priced = np.isfinite(feed.px)
    raw["price_raw"][is_priced] = np.rint(feed.px[is_priced] * lrvx.PRICE_SCALE)
    raw["qty_raw"], raw["side"] = np.rint(feed.qty * lrvx.QUANTITY_SCALE), ~feed.is_bid
    kind = feed.kind[feed.starts]
    second = feed.ts[feed.starts] // 1_000_000_000
    edges = np.append(np.flatnonzero(np.diff(second, prepend=second[0] - 1)), len(second))
    writer = lrvx.DataWriter(str(tape))
    for begin, end in itertools.pairwise(edges.tolist()):
        runs = np.arange(begin, end)
        for run in runs[kind[runs] == SNAPSHOT]:  # the batch writer makes changes of them
            rows = np.arange(feed.starts[run], feed.ends[run])
            bids, asks = raw[rows[feed.is_bid[rows]]], raw[rows[~feed.is_bid[rows]]]
            for symbol in symbols:
                writer.write_book(feed.ts[rows[0]], feed.ts[rows[0]], run, symbol, True, bids, asks)
        books = runs[kind[runs] == DEPTH]
        trades = feed.starts[runs[kind[runs] == TRADE]]
        heads, levels, at = np.zeros(len(books), header), [], 0
        for i, run in enumerate(books):
            rows = np.arange(feed.starts[run], feed.ends[run])
            rows = rows[np.argsort(~feed.is_bid[rows], kind="stable")]
            bids = int(np.count_nonzero(feed.is_bid[rows]))
            ts = feed.ts[rows[0]]
            heads[i] = (ts, ts, run, symbols[0], bids, len(rows) - bids, at, 1)
            levels.append(raw[rows])
            at += len(rows)
        for symbol in symbols:
            heads["symbol_id"] = symbol
            if len(books):
                writer.write_books(heads, np.concatenate(levels))
            if len(trades):
                ts = feed.ts[trades]
                who = np.full(len(trades), symbol, np.uint32)
                numbers = np.arange(len(trades), dtype=np.uint64)
                sides = (~feed.is_bid[trades]).astype(np.uint8)
                writer.write_trades(ts, ts, feed.px[trades], feed.qty[trades], numbers, who, sides)
    writer.close()


# --- NautilusTrader ---------------------------------------------------------------------------------------------------
def run_nautilus(feed: Feed, load: str, folder: Path) -> tuple[float, int]:
    """Make the market's data objects, one instrument or two, and run them."""
    del folder
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.backtest.models import LatencyModel
    from nautilus_trader.config import LoggingConfig
    from nautilus_trader.model.currencies import USDT
    from nautilus_trader.model.enums import AccountType, BookType, OmsType
    from nautilus_trader.model.identifiers import Venue
    from nautilus_trader.model.objects import Money

    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        venue=Venue("PEER"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000_000, USDT)],
        base_currency=USDT,
        book_type=BookType.L2_MBP,
        latency_model=LatencyModel(base_latency_nanos=LATENCY_NS),
        trade_execution=True,
        frozen_account=True,  # its margin account stops a run for a rounding error of its balances
    )
    instruments = [nautilus_instrument(feed, f"S{k}") for k in range(2 if load == "two_grids" else 1)]
    for instrument in instruments:
        engine.add_instrument(instrument)
    messages = [message for pair in zip(*(nautilus_data(feed, i) for i in instruments), strict=True) for message in pair]
    engine.add_data(messages, sort=False, validate=False)
    engine.add_strategy(nautilus_strategy(feed, load, instruments))
    start = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - start
    fills = sum(order.filled_qty.as_double() > 0 for order in engine.cache.orders())
    engine.dispose()
    return seconds, int(fills)


def nautilus_instrument(feed: Feed, name: str) -> Any:
    """Return a perpetual contract on the market's grid."""
    from nautilus_trader.model.currencies import BTC, USDT
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
    from nautilus_trader.model.instruments import CryptoPerpetual
    from nautilus_trader.model.objects import Price, Quantity

    tick, lot = Price.from_str(str(feed.tick_size)), Quantity.from_str(str(feed.lot_size))
    return CryptoPerpetual(
        instrument_id=InstrumentId(Symbol(name), Venue("PEER")),
        raw_symbol=Symbol(name),
        base_currency=BTC,
        quote_currency=USDT,
        settlement_currency=USDT,
        is_inverse=False,
        price_precision=tick.precision,
        size_precision=lot.precision,
        price_increment=tick,
        size_increment=lot,
        ts_event=0,
        ts_init=0,
        margin_init=Decimal("0.01"),
        margin_maint=Decimal("0.01"),
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0007"),
    )


def nautilus_data(feed: Feed, instrument: Any) -> list[Any]:
    """Return the messages of the feed: deltas of one time together, and trades."""
    from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas, TradeTick
    from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide
    from nautilus_trader.model.identifiers import TradeId

    which, out = instrument.id, []
    for begin, end in zip(feed.starts.tolist(), feed.ends.tolist(), strict=True):
        kind, ts = int(feed.kind[begin]), int(feed.ts[begin])
        if kind == TRADE:
            side = AggressorSide.BUYER if feed.is_bid[begin] else AggressorSide.SELLER
            px, qty = instrument.make_price(feed.px[begin]), instrument.make_qty(feed.qty[begin])
            out.append(TradeTick(which, px, qty, side, TradeId(str(begin)), ts, ts))
        elif kind in (DEPTH, SNAPSHOT):
            deltas = []
            for i in range(begin, end):
                action = BookAction.UPDATE if feed.qty[i] > 0 else BookAction.DELETE
                side = OrderSide.BUY if feed.is_bid[i] else OrderSide.SELL
                order = BookOrder(side, instrument.make_price(feed.px[i]), instrument.make_qty(feed.qty[i]), 0)
                deltas.append(OrderBookDelta(which, action, order, 0, 0, ts, ts))
            out.append(OrderBookDeltas(which, deltas))
    return out


def nautilus_strategy(feed: Feed, load: str, instruments: list[Any]) -> Any:
    """Return the strategy of a load, woken by a timer."""
    import pandas as pd
    from nautilus_trader.model.enums import BookType, OrderSide, TimeInForce
    from nautilus_trader.trading.strategy import Strategy

    class Quoter(Strategy):  # type: ignore[misc]
        def on_start(self) -> None:
            for instrument in instruments:
                self.subscribe_order_book_deltas(instrument.id, book_type=BookType.L2_MBP)
                self.subscribe_trade_ticks(instrument.id)
            self.clock.set_timer("wake", pd.Timedelta(INTERVAL_NS, "ns"), callback=self.on_wake)

        def on_wake(self, _event: Any) -> None:
            if load == "idle":
                return
            for instrument in instruments:
                self.quote(instrument)

        def quote(self, instrument: Any) -> None:
            book = self.cache.order_book(instrument.id)
            bid, ask = book.best_bid_price(), book.best_ask_price()
            if bid is None or ask is None or not bid < ask:
                return
            position = float(self.portfolio.net_position(instrument.id))
            bids, asks = wanted(load, bid.as_double(), ask.as_double(), position, feed.tick_size)
            there = set()
            for order in self.cache.orders_open(instrument_id=instrument.id) + self.cache.orders_inflight(
                instrument_id=instrument.id
            ):
                is_bid, tick = order.side == OrderSide.BUY, round(order.price.as_double() / feed.tick_size)
                there.add((is_bid, tick))
                if tick not in (bids if is_bid else asks) and order.is_open and not order.is_pending_cancel:
                    self.cancel_order(order)
            for is_bid, ticks in ((True, bids), (False, asks)):
                for tick in ticks:
                    if (is_bid, tick) not in there:
                        order = self.order_factory.limit(
                            instrument_id=instrument.id,
                            order_side=OrderSide.BUY if is_bid else OrderSide.SELL,
                            quantity=instrument.make_qty(QTY),
                            price=instrument.make_price(tick * feed.tick_size),
                            time_in_force=TimeInForce.GTC,
                            post_only=True,
                        )
                        self.submit_order(order)

    return Quoter()


ENGINES = {"lrvx": (run_lrvx, "lrvx"), "nautilus_trader": (run_nautilus, "nautilus-trader")}


def main() -> None:
    """Run and print."""
    name, load, market_text, folder = sys.argv[1:]
    run, package = ENGINES[name]
    start = time.perf_counter()
    feed = Feed(json.loads(market_text))
    seconds, fills = run(feed, load, Path(folder))
    preparing = time.perf_counter() - start - seconds
    events = feed.rows * (2 if load == "two_grids" else 1)
    version = importlib.metadata.version(package)
    result = {"version": version, "events": events, "seconds": seconds, "preparing": preparing, "fills": fills}
    print(json.dumps({"engine": name, **result}))


if __name__ == "__main__":
    main()
