"""The book as it stands when the data end: what a backtest over the next day starts from.

The rows that the local half sees are applied to a book, in order and across files; the levels that can be seen at the end
are listed as snapshot rows (spec B2.8). Levels that the other side has crossed are hidden and left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.book import NO_BID
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FILL_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
)
from queuefront.core.errors import CrossedBookError, DataError, OffGridError
from queuefront.core.instrument import Instrument, Number
from queuefront.feed.check import validate_events
from queuefront.feed.last_snapshot_compiled import apply_local, list_levels, open_from_snapshot
from queuefront.feed.npz import read_events, write_npz

__all__ = ["SnapshotBook", "create_last_snapshot"]

Events = npt.NDArray[Any]
Source = str | os.PathLike[str] | Events

_SIDES: Final = BUY_EVENT | SELL_EVENT
_BY_ORDER: Final = (ADD_ORDER_EVENT, CANCEL_ORDER_EVENT, MODIFY_ORDER_EVENT, FILL_EVENT)


def create_last_snapshot(
    events: Source | Iterable[Source],
    tick_size: Number,
    lot_size: Number,
    initial_snapshot: Source | None = None,
    output: str | os.PathLike[str] | None = None,
) -> Events:
    """Return the book after the last event, as snapshot rows: bids from the best down, then asks from the best up.

    Parameters
    ----------
    events : event rows, the path of an event file, or several of these one after the other, which are one sequence; each is
        looked at once and let go, so that a generator needs the memory of one.
    tick_size, lot_size : the grid.
    initial_snapshot : what the book starts from; rows or a path.
    output : an `.npz` file to write the rows to.

    Raises
    ------
    OffGridError
        Naming the first price or quantity that does not lie on the grid.
    CrossedBookError
        If the initial snapshot's best bid is not below its best ask.
    DataError
        For rows or files that cannot be used, market by order among them.
    """
    is_one = isinstance(events, str | os.PathLike | np.ndarray)
    parts: Iterable[Source] = [events] if is_one else events  # type: ignore[list-item, assignment]
    book = SnapshotBook(Instrument("snapshot", "book", tick_size, lot_size))  # type: ignore[arg-type]
    if initial_snapshot is not None:
        book.open(*_rows_of(initial_snapshot, "initial_snapshot"))
    for i, part in enumerate(parts):
        book.apply(*_rows_of(part, "events" if is_one else f"events, part {i}"))
    snapshot = book.visible()
    if output is not None:
        write_npz(output, snapshot)
    return snapshot


def _rows_of(source: Source, name: str) -> tuple[Events, str]:
    if isinstance(source, np.ndarray):
        validate_events(source, name)
        return source, name
    return read_events(source), str(source)


class SnapshotBook:
    """A book over the ticks that were named so far; rows are applied as the local half sees them."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.ticks: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.bid_lots, self.ask_lots = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.state = np.array([NO_BID, 0, 0, NO_BID])  # best_bid, best_ask, low_bid, high_ask

    def open(self, rows: Events, source: str) -> None:
        """Fill the empty book from a snapshot; raise CrossedBookError if its best bid is not below its best ask."""
        rows = rows[(rows["ev"] & np.uint64(_SIDES)) != 0]
        level, lots = self._levels(rows, source, has_price=np.ones(len(rows), np.bool_))
        open_from_snapshot(np.ascontiguousarray(rows["ev"]), level, lots, self.bid_lots, self.ask_lots, self.state)
        bid, ask = int(self.state[0]), int(self.state[1])
        if bid >= ask:
            raise CrossedBookError(
                f"{source}: best bid {self._price(bid)} is not below best ask {self._price(ask)}; take the snapshot again"
            )

    def apply(self, rows: Events, source: str) -> None:
        """Apply rows of depth; raise OffGridError for a price or quantity off the grid, DataError for market by order."""
        kind = rows["ev"] & np.uint64(KIND_MASK)
        if np.isin(kind, _BY_ORDER).any():
            raise DataError(f"{source}: the events are market by order; a snapshot is made of depth rows only")
        is_clear = kind == DEPTH_CLEAR_EVENT
        is_sided = (rows["ev"] & np.uint64(_SIDES)) != 0
        is_seen = (rows["ev"] & np.uint64(LOCAL_EVENT)) != 0
        is_used = is_seen & (is_clear | (is_sided & ((kind == DEPTH_EVENT) | (kind == DEPTH_SNAPSHOT_EVENT))))
        used = rows[is_used]
        has_price = ~is_clear[is_used] | (np.isfinite(used["px"]) & is_sided[is_used])
        level, lots = self._levels(used, source, has_price)
        apply_local(np.ascontiguousarray(used["ev"]), level, lots, self.bid_lots, self.ask_lots, self.state)

    def visible(self) -> Events:
        """Return the levels that can be seen: bids from the best down, then asks from the best up."""
        count = len(self.ticks)
        ev, level, lots = np.zeros(2 * count, np.uint64), np.zeros(2 * count, np.int64), np.zeros(2 * count, np.int64)
        bid, ask = int(self.state[0]), int(self.state[1])
        n = list_levels(self.bid_lots, self.ask_lots, bid, ask, ev, level, lots)
        snapshot = np.zeros(n, EVENT)
        snapshot["ev"] = ev[:n]
        snapshot["px"] = self.instrument.prices(self.ticks[level[:n]])
        snapshot["qty"] = self.instrument.quantities(lots[:n])
        return snapshot

    def _price(self, level: int) -> str:
        return format(self.instrument.tick_to_price(int(self.ticks[level])), "f")

    def _levels(
        self, rows: Events, source: str, has_price: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the level (-1 where a row has no price) and the lots of each row, making room for new ticks."""
        ticks, on_ticks = self.instrument.ticks(rows["px"])
        lots, on_lots = self.instrument.lots(rows["qty"])
        is_clear = (rows["ev"] & np.uint64(KIND_MASK)) == DEPTH_CLEAR_EVENT
        for name, is_off, step in (
            ("px", has_price & ~on_ticks, "tick_size"),
            ("qty", ~is_clear & ~on_lots, "lot_size"),
        ):
            if is_off.any():
                row = int(np.argmax(is_off))
                size = self.instrument.to_dict()[step]
                raise OffGridError(
                    f"{source}: {name} {rows[name][row]} is no multiple of {step} {size}; give the market's {step}"
                )
        self._grow(ticks[has_price])
        return np.where(has_price, np.searchsorted(self.ticks, ticks), -1).astype(np.int64), lots

    def _grow(self, ticks: npt.NDArray[np.int64]) -> None:
        old = self.ticks
        self.ticks = np.union1d(old, ticks).astype(np.int64)
        if len(self.ticks) == len(old):
            return
        to = np.append(np.searchsorted(self.ticks, old), len(self.ticks))  # the last: no ask, no lower limit
        for name in ("bid_lots", "ask_lots"):
            lots = np.zeros(len(self.ticks), np.int64)
            lots[to[:-1]] = getattr(self, name)
            setattr(self, name, lots)
        self.state = np.where(self.state >= 0, to[self.state], self.state)
