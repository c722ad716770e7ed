"""Make one event stream out of best prices and several depth streams of one market.

A venue that sends best prices at once and depth every 100 ms is seen best by both. The rows that the local half sees are
put in the order of receipt; depth, snapshot, clear and best-price rows go through the fused book (`queuefront.book`), the
others (trades, marks) pass as they are; then rows are split where the two clocks disagree, as at the end of a conversion.
Rows that only the exchange half sees are the other halves of rows that were split, and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.book import FusedBook
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FILL_EVENT,
    KIND_MASK,
    KIND_NAMES,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
)
from queuefront.core.errors import DataError
from queuefront.core.instrument import Number
from queuefront.feed.check import validate_events
from queuefront.feed.clean import correct_event_order

__all__ = ["Fusion", "FusionAccount", "fuse_streams"]

Events = npt.NDArray[Any]

_FUSED: Final = (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_CLEAR_EVENT, DEPTH_BBO_EVENT)
_BY_ORDER: Final = (ADD_ORDER_EVENT, CANCEL_ORDER_EVENT, MODIFY_ORDER_EVENT, FILL_EVENT)
_BLOCK_ROWS: Final = 2**18


@dataclass(frozen=True, slots=True)
class FusionAccount:
    """What went in and what came out."""

    rows: int
    rows_of_exchange_only: int
    fused_by_kind: dict[str, int]  # rows that went through the book
    passed_by_kind: dict[str, int]
    rows_made: int  # by the book
    events: int

    def to_dict(self) -> dict[str, Any]:
        """Return the account as JSON-able data."""
        return asdict(self)


class Fusion(NamedTuple):
    """Events ready for replay, read-only, and the account of their making."""

    events: Events
    account: FusionAccount


def fuse_streams(
    streams: Sequence[Events],
    tick_size: Number,
    lot_size: Number,
    *,
    names: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Fusion:
    """Fuse event streams of one market.

    Parameters
    ----------
    streams : EVENT arrays, each in the order of its local times. Best prices are best-price rows with a side, or what the
        Binance converters make of book tickers. Trades should be in one of the streams only.
    tick_size, lot_size : the grid.
    names : of the streams, for messages.
    progress : called with (rows fused, rows to fuse).

    Raises
    ------
    DataError
        If a stream cannot be used, is out of order, or is market by order.
    """
    names = names or [f"stream {i}" for i in range(len(streams))]
    received = [_received(stream, name) for stream, name in zip(streams, names, strict=True)]
    rows = np.concatenate([np.zeros(0, EVENT), *received])
    rows = rows.take(np.argsort(rows["local_ts"], kind="stable"))
    kind = (rows["ev"] & np.uint64(KIND_MASK)).astype(np.int64)
    is_fused = np.isin(kind, _FUSED)
    inputs, passed = rows[is_fused], rows[~is_fused]
    book = FusedBook(tick_size, lot_size)
    made = []
    for begin in range(0, len(inputs), _BLOCK_ROWS):
        made.append(book.fuse(inputs[begin : begin + _BLOCK_ROWS]))
        if progress is not None:
            progress(min(begin + _BLOCK_ROWS, len(inputs)), len(inputs))
    fused = np.concatenate(made) if made else inputs
    events = correct_event_order(np.concatenate([passed, fused]))
    events.setflags(write=False)
    row_count = sum(len(stream) for stream in streams)
    account = FusionAccount(
        row_count,
        row_count - len(rows),
        _count(kind[is_fused]),
        _count(kind[~is_fused]),
        len(fused),
        len(events),
    )
    return Fusion(events, account)


def _received(stream: Events, name: str) -> Events:
    """Return the rows that the local half sees, without the flags of the halves, best prices as best-price rows."""
    validate_events(stream, name)
    rows: Events = stream[(stream["ev"] & np.uint64(LOCAL_EVENT)) != 0]
    back = np.flatnonzero(rows["local_ts"][1:] < rows["local_ts"][:-1])
    if len(back):
        times = rows["local_ts"][back[0] : back[0] + 2]
        raise DataError(f"{name}: local_ts goes back from {times[0]:,} to {times[1]:,}; run correct_event_order")
    kind = (rows["ev"] & np.uint64(KIND_MASK)).astype(np.int64)
    if np.isin(kind, _BY_ORDER).any():
        raise DataError(f"{name}: the stream is market by order, which holds the whole book already; leave it out")
    side = (rows["ev"] & np.uint64(BUY_EVENT | SELL_EVENT)).astype(np.int64)
    side[kind == BEST_BID_EVENT], side[kind == BEST_ASK_EVENT] = BUY_EVENT, SELL_EVENT
    kind[(kind == BEST_BID_EVENT) | (kind == BEST_ASK_EVENT)] = DEPTH_BBO_EVENT
    rows["ev"] = kind | side
    return rows


def _count(kind: npt.NDArray[np.int64]) -> dict[str, int]:
    kinds, counts = np.unique(kind, return_counts=True)
    return {KIND_NAMES[int(k)]: int(n) for k, n in zip(kinds, counts, strict=True)}
