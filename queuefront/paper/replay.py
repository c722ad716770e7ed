"""The market of a tape as the venue would publish it: its book, its trades, its best prices.

The book is the one that the matching engine trades against (`sim`): a level that the other side's best price has passed
is hidden, and hidden levels are not published. Our own orders are in neither; they do not move the market.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import (
    OP_AT_EXCH,
    OP_BUY_TRADE,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_CLEAR_BOTH,
    OP_MASK,
    OP_OTHER_TRADE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
)
from queuefront.core.errors import ConfigError
from queuefront.feed import Tape, opening_book

__all__ = ["MarketTrade", "Replay", "TopOfBook"]

_CHUNK_ROWS: Final = 4096
_RECENT_TRADES: Final = 1000


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """A trade of the market. ts : ns, of the tape."""

    ts: int
    trade_id: int
    price_tick: int
    lots: int
    is_buyer_maker: bool


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """The best prices after everything that happened at one time. Ticks are None where a side is empty."""

    ts: int
    update_id: int
    bid_tick: int | None
    bid_lots: int
    ask_tick: int | None
    ask_lots: int


class Replay:
    """One tape, played forward.

    Parameters
    ----------
    tape : told by price.
    id_step : distance between the update ids of two changes; 1 where the venue's ids leave no gap.
    """

    def __init__(self, tape: Tape, id_step: int = 1) -> None:
        if tape.is_by_order:
            raise ConfigError(f"{tape!r} is told by order, which no venue here publishes; give a tape told by price")
        self._tape, self.id_step = tape, id_step
        bid_lots, ask_lots, start = opening_book(tape.opening, tape.levels, tape.instrument)
        self._lots = np.zeros(2 * len(tape.levels), np.int64)
        self._lots[0::2], self._lots[1::2] = bid_lots, ask_lots
        self._bid_level, self._ask_level = int(start[0]), int(start[1])
        self._row = 0
        self._change_count = 1  # an update id of 0 would stand for nothing
        self._trade_count = 0
        self.recent_trades: deque[MarketTrade] = deque(maxlen=_RECENT_TRADES)
        self.last_ts = 0
        self._given: dict[int, npt.NDArray[np.int64]] = {}

    @property
    def is_over(self) -> bool:
        """Whether the tape has nothing left."""
        return self._row >= len(self._tape)

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows of the tape were played, and how many there are."""
        return self._row, len(self._tape)

    @property
    def update_id(self) -> int:
        """The id of the last change of the book."""
        return self._change_count * self.id_step

    # --- playing ------------------------------------------------------------------------------------------------------
    def advance(self, tape_ts: int) -> list[MarketTrade | TopOfBook]:
        """Play every row up to a time of the tape; return the trades, and the best prices wherever they changed."""
        events: list[MarketTrade | TopOfBook] = []
        while self._row < len(self._tape):
            stop = self._row + _CHUNK_ROWS
            columns = self._tape
            op, ts = columns.op[self._row : stop], columns.exch_ts[self._row : stop]
            later = ((op & OP_AT_EXCH) != 0) & (ts > tape_ts)
            count = int(later.argmax()) if later.any() else len(op)
            if count:
                self._play(slice(self._row, self._row + count), events)
                self._row += count
            if count < len(op):
                break
        return events

    def _play(self, rows: slice, events: list[MarketTrade | TopOfBook]) -> None:
        tape = self._tape
        columns = (tape.op, tape.exch_ts, tape.level, tape.lots, tape.best_bid_exch, tape.best_ask_exch)
        op, ts, level, lots, bids, asks = (column[rows].tolist() for column in columns)
        book, top = self._lots, self.top()
        for i, code in enumerate(op):
            if not code & OP_AT_EXCH:
                continue
            if ts[i] != self.last_ts:
                top = self._note_top(top, events)
                self.last_ts = ts[i]
            what = code & OP_MASK
            if what in (OP_SET_BID, OP_SET_ASK):
                book[2 * level[i] + what - 1] = lots[i]
                self._change_count += 1
            elif OP_BUY_TRADE <= what <= OP_OTHER_TRADE:
                self._trade_count += 1
                tick, is_buyer_maker = int(tape.levels[level[i]]), what == OP_SELL_TRADE
                trade = MarketTrade(ts[i], self._trade_count, tick, lots[i], is_buyer_maker)
                self.recent_trades.append(trade)
                events.append(trade)
            elif OP_CLEAR_BIDS <= what <= OP_CLEAR_ALL_ASKS:
                self._clear(what, level[i])
                self._change_count += 1
            self._bid_level, self._ask_level = bids[i], asks[i]
        self._note_top(top, events)

    def _clear(self, what: int, level: int) -> None:
        book = self._lots
        if what == OP_CLEAR_BIDS and level <= self._bid_level:
            book[2 * level : 2 * self._bid_level + 1 : 2] = 0
        elif what == OP_CLEAR_ASKS and level >= self._ask_level:
            book[2 * self._ask_level + 1 : 2 * level + 2 : 2] = 0
        if what in (OP_CLEAR_BOTH, OP_CLEAR_ALL_BIDS):
            book[0::2] = 0
        if what in (OP_CLEAR_BOTH, OP_CLEAR_ALL_ASKS):
            book[1::2] = 0

    def _note_top(self, before: TopOfBook, events: list[MarketTrade | TopOfBook]) -> TopOfBook:
        top = self.top()
        sides = (top.bid_tick, top.bid_lots, top.ask_tick, top.ask_lots)
        if sides != (before.bid_tick, before.bid_lots, before.ask_tick, before.ask_lots):
            events.append(top)
        return top

    # --- reading ------------------------------------------------------------------------------------------------------
    def top(self) -> TopOfBook:
        """Return the best prices as they are."""
        levels, bid, ask = self._tape.levels, self._bid_level, self._ask_level
        has_bid, has_ask = bid >= 0, ask < len(levels)
        return TopOfBook(
            self.last_ts,
            self.update_id,
            int(levels[bid]) if has_bid else None,
            int(self._lots[2 * bid]) if has_bid else 0,
            int(levels[ask]) if has_ask else None,
            int(self._lots[2 * ask + 1]) if has_ask else 0,
        )

    def visible(self) -> npt.NDArray[np.int64]:
        """Return the lots that are published, by level and side: bids at 2 × level, asks at 2 × level + 1; a copy."""
        lots = self._lots.copy()
        lots[2 * (self._bid_level + 1) :: 2] = 0
        lots[1 : 2 * max(self._ask_level, 0) + 1 : 2] = 0
        return lots

    def give(self) -> None:
        """Note that a client is given the published book as it is now, in the middle of a step."""
        self._given[self.update_id] = self.visible()

    def take_given(self) -> list[npt.NDArray[np.int64]]:
        """Return the books that clients were given since the last call."""
        given, self._given = list(self._given.values()), {}
        return given

    def levels_of(self, places: npt.NDArray[np.int64], lots: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
        """Return (tick, lots) of places in the array that `visible` gives."""
        ticks: Any = self._tape.levels[places // 2].tolist()
        return list(zip(ticks, lots[places].tolist(), strict=True))

    def snapshot(self, limit: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the best (tick, lots) of both sides, the best first."""
        lots = self.visible()
        places = np.flatnonzero(lots)
        bids, asks = places[places % 2 == 0][::-1][:limit], places[places % 2 == 1][:limit]
        return self.levels_of(bids, lots), self.levels_of(asks, lots)
