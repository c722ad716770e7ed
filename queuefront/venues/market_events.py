"""What a market stream hands on: event rows in order, and notices about the book as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from queuefront.venues.book_sync import Notice

__all__ = ["MarketEvents"]


class MarketEvents(NamedTuple):
    """What consumers get, in order: rows of one message, or of a whole book, or a notice about the book."""

    symbol: str
    kind: str
    local_ts: int
    exch_ts: int
    is_exch_ts_local: bool
    rows: npt.NDArray[Any]
    notice: Notice | None = None
    reason: str = ""
