"""Where the market data of a case come from: literal rows, a recorded feed, or a seeded random market.

The random markets are valid but strange on purpose (spec B1 and B2): rows of one half only, bursts of equal times, bids
above the ask that hide levels, quantities of zero, trades without a side, kinds that the books do not know.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from queuefront.core import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import convert_databento, convert_lines

BOTH = EXCH_EVENT | LOCAL_EVENT

FEEDS_DIR = Path(__file__).parents[3] / "shared" / "data" / "feeds"
FEED_FILES = {
    "usdm": "binance_usdm_btcusdt_20240808.gz",
    "coinm": "binance_coinm_btcusd_perp_20240808.gz",
    "spot": "binance_spot_btcusdt_20240808.gz",
}


ORDER_FEED_FILE = "databento/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst"


class Market(Protocol):
    """Anything that can say what happened."""

    def events(self) -> np.ndarray: ...


def rows_to_events(rows: Iterable[tuple[float, ...]]) -> np.ndarray:
    """Make an event array of (ev, exch_ts, local_ts, px, qty) rows, or with an order id behind."""
    return np.array([(*row[:5], row[5] if len(row) > 5 else 0, 0, 0.0) for row in rows], dtype=EVENT)


@dataclass(frozen=True)
class Rows:
    """A market written out: (ev, exch_ts, local_ts, px, qty) rows, or with an order id behind."""

    rows: tuple[tuple[float, ...], ...]

    def events(self) -> np.ndarray:
        return rows_to_events(self.rows)

    def __repr__(self) -> str:
        lines = "".join(f"    ({row[0]:#x}, {', '.join(map(_literal, row[1:]))}),\n" for row in self.rows)
        return f"Rows((\n{lines}))"

    @classmethod
    def of(cls, events: np.ndarray) -> Rows:
        """Write an event array out."""
        names = ["ev", "exch_ts", "local_ts", "px", "qty"] + ["order_id"] * bool(events["order_id"].any())
        return cls(tuple(zip(*(events[name].tolist() for name in names), strict=True)))


def _literal(value: float) -> str:
    return repr(value) if np.isfinite(value) else f'float("{value}")'


@dataclass(frozen=True)
class Feed:
    """The first rows of a recorded feed, its snapshot among them."""

    name: str
    stop: int = 60_000

    def events(self) -> np.ndarray:
        return recorded_events(self.name)[: self.stop]


@dataclass(frozen=True)
class Synthetic:
    """A random market of about so many events around tick 1,000."""

    seed: int
    events_wanted: int = 200
    tick_size: float = 1.0
    lot_size: float = 1.0

    def events(self) -> np.ndarray:
        return _synthetic_events(self).copy()


@dataclass(frozen=True)
class OrderFeed:
    """Two recorded seconds of E-mini S&P 500 futures by order, the book before them included."""

    def events(self) -> np.ndarray:
        return _recorded_orders().copy()

    @staticmethod
    def is_recorded() -> bool:
        return (FEEDS_DIR / ORDER_FEED_FILE).exists()


@functools.cache
def _recorded_orders() -> np.ndarray:
    return convert_databento(FEEDS_DIR / ORDER_FEED_FILE, tick_size="0.25", lot_size="1").events


@dataclass(frozen=True)
class WithoutClears:
    """A market without the rows that clear a side: the reference's vector book does not clear asks (row D12)."""

    market: Market

    def events(self) -> np.ndarray:
        events = self.market.events()
        return events[(events["ev"] & np.uint64(KIND_MASK)) != DEPTH_CLEAR_EVENT].copy()


def feed_is_recorded(name: str) -> bool:
    return (FEEDS_DIR / FEED_FILES[name]).exists()


@functools.cache
def recorded_events(name: str) -> np.ndarray:
    """Convert a recorded feed with the reference's own converter, once a machine; spot, where it has none, with ours."""
    from hftbacktest.data.utils import binancefutures

    if name == "spot":
        return convert_lines("binance-spot", FEEDS_DIR / FEED_FILES[name]).events

    source = FEEDS_DIR / FEED_FILES[name]
    digest = hashlib.blake2b(source.read_bytes(), digest_size=8).hexdigest()
    target = Path(tempfile.gettempdir()) / f"queuefront-differential-{name}-{digest}.npy"
    if not target.exists():
        with contextlib.redirect_stdout(io.StringIO()):
            events = binancefutures.convert(str(source), opt="t", buffer_size=2_000_000)
        partial = target.with_suffix(f".{os.getpid()}.npy")
        np.save(partial, events)
        partial.replace(target)
    events = np.load(target)
    events.flags.writeable = False
    return events


# --- random markets -------------------------------------------------------------------------------------------------
MID_TICK = 1_000
CARRIED_KINDS = (DEPTH_BBO_EVENT, 100, 101, 102, 103, 104)


@functools.lru_cache(maxsize=64)
def _synthetic_events(market: Synthetic) -> np.ndarray:
    return _Writer(market).write()


class _Writer:
    """Writes a random market, event by event, keeping the levels it has named."""

    def __init__(self, market: Synthetic):
        self.rng = np.random.default_rng(market.seed)
        self.market = market
        self.grid = [Fraction(str(size)).as_integer_ratio() for size in (market.tick_size, market.lot_size)]
        self.rows: list[tuple[int, int, int, float, float]] = []
        self.now = 1_000_000
        self.mid = MID_TICK
        self.named: dict[int, dict[int, int]] = {BUY_EVENT: {self.mid: 0}, SELL_EVENT: {self.mid: 0}}
        # Each market has a temper of its own.
        self.burst = self.rng.uniform(0.2, 0.8)  # how often time stands still
        self.step = int(self.rng.choice([3, 30, 300]))
        self.feed_latency = int(self.rng.choice([0, 5, 50, 500]))
        self.depth = int(self.rng.integers(2, 9))
        self.lots_max = int(self.rng.choice([3, 12, 60]))
        self.drift = self.rng.choice([0.0, 0.005, 0.05])
        self.crossing = self.rng.choice([0.0, 0.005, 0.1])
        self.is_calm = self.rng.random() < 0.6  # levels breathe and nothing runs away, so that queues decide
        if self.is_calm:
            self.lots_max, self.drift, self.crossing = int(self.rng.choice([12, 60])), 0.0, 0.0
        self.loses_rows = self.rng.random() < 0.3  # rows that only one half sees
        self.local_ts = 0

    def write(self) -> np.ndarray:
        if self.rng.random() < 0.8:
            self.snapshot(BUY_EVENT)
            self.snapshot(SELL_EVENT)
        makers = (self.depth_row, self.trade, self.removal, self.crossing_row, self.clear, self.oddity)
        weights = np.array([0.45, 0.3, 0.0 if self.is_calm else 0.1, self.crossing, 0.003, 0.04])
        choices = self.rng.choice(len(makers), size=self.market.events_wanted, p=weights / weights.sum())
        for choice in choices:
            if self.rng.random() > self.burst:
                self.now += int(self.rng.integers(1, self.step))
            if self.rng.random() < self.drift:
                self.mid += int(self.rng.integers(-2, 3))
            makers[choice]()
        return _split_rows(rows_to_events(self.rows), self.rng)

    # --- one event -----------------------------------------------------------------------------------------------
    def put(self, ev: int, tick: float, lots: int) -> None:
        # Receipt never runs backwards here; _split_rows lets the halves drift apart.
        self.local_ts = max(self.local_ts, self.now + int(self.rng.integers(0, self.feed_latency + 1)))
        halves = BOTH
        if self.loses_rows and self.rng.random() < 0.05 and ev & 0xFF != DEPTH_CLEAR_EVENT:
            halves = (EXCH_EVENT, LOCAL_EVENT, 0)[int(self.rng.integers(3))]
        px, qty = (count * num / den for count, (num, den) in zip((tick, lots), self.grid, strict=True))
        self.rows.append((ev | halves, self.now, self.local_ts, px, qty))

    def side(self) -> int:
        return BUY_EVENT if self.rng.random() < 0.5 else SELL_EVENT

    def tick(self, side: int, low: int = 1) -> int:
        distance = int(self.rng.integers(low, self.depth + 1))
        if self.rng.random() < 0.02:
            distance *= 40  # a lonely level far away
        return self.mid - distance if side == BUY_EVENT else self.mid + distance

    def lots(self) -> int:
        return int(self.rng.integers(1, self.lots_max + 1))

    def set_level(self, kind: int, side: int, tick: int, lots: int) -> None:
        self.named[side][tick] = lots
        self.put(kind | side, tick, lots)

    def depth_row(self) -> None:
        """Change a level a little, so that queues advance; or set it anew."""
        side = self.side()
        tick = self.tick(side)
        lots = self.named[side].get(tick, 0) + int(self.rng.integers(-3, 3))
        is_small_change = lots > 0 and (self.is_calm or self.rng.random() < 0.8)
        self.set_level(DEPTH_EVENT, side, tick, lots if is_small_change else self.lots())

    def crossing_row(self) -> None:
        side = self.side()
        self.set_level(DEPTH_EVENT, side, self.tick(side, low=-self.depth), self.lots())

    def removal(self) -> None:
        side = self.side()
        named = sorted(t for t in self.named[side] if abs(t - self.mid) <= self.depth)
        tick = int(self.rng.choice(named)) if named and self.rng.random() < 0.9 else self.tick(side)
        self.set_level(DEPTH_EVENT, side, tick, 0)

    def trade(self) -> None:
        side = self.side()
        # A buyer takes asks; now and then a price on the wrong side of the market, or far through it.
        tick = self.mid + (1 if side == BUY_EVENT else -1)
        if not self.is_calm and self.rng.random() < 0.1:
            tick = self.tick(side, low=-self.depth)
        flags = 0 if self.rng.random() < 0.05 else side
        taken = BUY_EVENT if side == SELL_EVENT else SELL_EVENT
        resting = self.named[taken].get(tick, 0)
        lots = int(self.rng.integers(0, 1 + max(3, resting // 3)))
        self.put(TRADE_EVENT | flags, tick, lots)
        if self.rng.random() < 0.6:
            self.set_level(DEPTH_EVENT, taken, tick, max(int(self.is_calm), resting - lots))

    def clear(self) -> None:
        """Empty a side and write it anew at the same time, so that no level is left beside the cleared ones (D11)."""
        if self.rng.random() < 0.3:
            self.put(DEPTH_CLEAR_EVENT, np.nan, 0)
            sides = [BUY_EVENT, SELL_EVENT]
        else:
            sides = [self.side()]
            worst = min(self.named[BUY_EVENT]) if sides[0] == BUY_EVENT else max(self.named[SELL_EVENT])
            self.put(DEPTH_CLEAR_EVENT | sides[0], worst if self.rng.random() < 0.5 else np.nan, 0)
        for side in sides:
            if self.rng.random() < 0.95:
                self.snapshot(side)

    def snapshot(self, side: int) -> None:
        away = -1 if side == BUY_EVENT else 1
        for i in range(1, self.depth + 1):
            self.set_level(DEPTH_SNAPSHOT_EVENT, side, self.mid + away * i, self.lots())

    def oddity(self) -> None:
        """Rows that mean nothing to the books, or mean it oddly."""
        which = self.rng.integers(3)
        if which == 0:
            self.put(int(self.rng.choice(CARRIED_KINDS)) | (0, BUY_EVENT)[int(self.rng.integers(2))], self.mid + 0.37, 0)
        elif which == 1:
            self.put(DEPTH_EVENT, self.mid, self.lots())  # no side: nothing happens
        else:
            tick = self.tick(BUY_EVENT)
            self.set_level(DEPTH_EVENT | SELL_EVENT, BUY_EVENT, tick, self.lots())  # both sides: it is a bid


def _split_rows(events: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Write some rows of both halves as two rows of one half each, in an order that either half may see."""
    split_share = rng.choice([0.0, 0.3, 1.0])
    is_split = (rng.random(len(events)) < split_share) & (events["ev"] & np.uint64(BOTH) == np.uint64(BOTH))
    lag = int(rng.integers(1, 12))
    out: list[np.ndarray] = []
    waiting: list[np.ndarray] = []
    for event, splits in zip(events, is_split, strict=True):
        exchange = event.copy()
        if splits:
            exchange["ev"] &= ~np.uint64(LOCAL_EVENT)
            local = event.copy()
            local["ev"] &= ~np.uint64(EXCH_EVENT)
            waiting.append(local)
        elif waiting and event["ev"] & np.uint64(LOCAL_EVENT):
            out.extend(waiting)  # the local half sees rows in this order
            waiting.clear()
        out.append(exchange)
        if len(waiting) > lag:
            out.append(waiting.pop(0))
    return np.array([tuple(row) for row in (*out, *waiting)], dtype=EVENT)
