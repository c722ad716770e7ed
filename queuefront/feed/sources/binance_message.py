"""One Binance message at a time, as it arrives, into the rows that `qf convert` makes of recorded ones.

The scanner and the decoder are those of the converter: a live session and the file that was recorded of it cannot differ.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.errors import DataFormatError
from queuefront.feed.conversion import QUOTE_MAX
from queuefront.feed.sources.binance import Decoded, Wanted, decode_message
from queuefront.feed.sources.binance_compiled import (
    LINE_BOOK_TICKER,
    LINE_COLUMNS,
    LINE_DEPTH,
    LINE_ERROR,
    LINE_MARK_PRICE,
    LINE_OTHER,
    LINE_SNAPSHOT,
    LINE_TRADE,
    LINE_TRADE_OFF_MARKET,
    OPT_BOOK_TICKER,
    OPT_COMBINED,
    OPT_MARK_PRICE,
    OPT_SPOT,
    scan_message,
)
from queuefront.feed.sources.refusal import LineRefused

__all__ = ["KIND_NAMES", "MarketMessage", "MessageDecoder"]

Events = npt.NDArray[Any]

#: What a message turned out to be.
KIND_NAMES: Final = {
    LINE_TRADE: "trade",
    LINE_TRADE_OFF_MARKET: "trade off market",
    LINE_DEPTH: "depth",
    LINE_BOOK_TICKER: "book ticker",
    LINE_MARK_PRICE: "mark price",
    LINE_SNAPSHOT: "snapshot",
    LINE_ERROR: "error",
    LINE_OTHER: "other",
}
_ROW_BYTES_MIN: Final = 5
_EVENT_BYTES: Final = EVENT.itemsize
_NO_ROWS: Final = np.zeros(0, EVENT)
_TS_MIN, _TS_MAX = 10**18, 2**63 - 1


class MarketMessage(NamedTuple):
    """One message of the market.

    `exch_ts` is our receipt time where the message names none (`is_exch_ts_local`): an update id is never taken for a time.
    The ids are those of the venue, 0 where it sends none: first and last update of a diff, last of the diff before
    (futures), last of a snapshot.
    """

    kind: str
    local_ts: int
    exch_ts: int
    is_exch_ts_local: bool
    first_id: int
    last_id: int
    prev_id: int
    rows: Events
    name: str  # of a kind that makes no rows; the venue's words, of an error


class MessageDecoder:
    """Decode the messages of one symbol.

    Parameters
    ----------
    symbol : as the venue writes it in messages; a message of another one is refused.
    is_spot : whether the rules of spot hold, or those of futures.
    is_combined : whether messages come in the envelope of a combined stream.
    """

    def __init__(self, symbol: str, *, is_spot: bool, is_combined: bool) -> None:
        self.symbol = symbol
        self._wanted = Wanted(is_spot, is_combined, book_ticker=True, mark_price=True, agg_trade=True)
        self._options = OPT_SPOT * is_spot | OPT_COMBINED * is_combined | OPT_BOOK_TICKER | OPT_MARK_PRICE
        self._symbol = np.frombuffer(bytearray(symbol, "ascii"), np.uint8)
        # What a message is scanned in, kept from one to the next. The views of bytes are there because numpy copies a
        # structured array field by field, ten times slower.
        self._line = np.zeros((1, LINE_COLUMNS), np.int64)
        self._columns = self._line[0].data
        self._make_room(4096)
        self._last_exch_ts = 0

    def decode(self, message: bytes, local_ts: int) -> MarketMessage:
        """Decode a message of a stream, received at `local_ts`.

        Raises
        ------
        DataFormatError
            If it is no valid message, or one of another symbol.
        """
        if not _TS_MIN <= local_ts <= _TS_MAX:
            raise DataFormatError(f"the receipt time {local_ts:,} is not in ns since the epoch; hand in the wall clock")
        size = len(message)
        if size >= len(self._buffer):
            self._make_room(size)
        self._bytes[:size] = message
        used, last_exch_ts = scan_message(
            self._buffer, size, self._options, self._symbol, local_ts, self._last_exch_ts, self._line, self._rows
        )
        if used < 0:
            return self._decode(message, self._wanted, local_ts)
        self._last_exch_ts = last_exch_ts
        kind, _, exch_ts, *ids = self._columns.tolist()
        first_id, last_id, prev_id = ids if kind == LINE_DEPTH else (0, 0, 0)  # other messages have numbers of that name
        rows = np.frombuffer(self._row_bytes[: used * _EVENT_BYTES].tobytes(), EVENT) if used else _NO_ROWS
        return MarketMessage(
            KIND_NAMES[kind], local_ts, exch_ts or local_ts, exch_ts == 0, first_id, last_id, prev_id, rows, ""
        )

    def decode_snapshot(self, body: bytes, local_ts: int) -> MarketMessage:
        """Decode an answer of the REST order book."""
        message = self._decode(body, self._wanted._replace(is_combined=False), local_ts)
        if message.kind != "snapshot":
            raise DataFormatError(f"{self.symbol}: the order book is an answer of kind {message.kind}: {_quote(body)!r}")
        return message

    def _make_room(self, size: int) -> None:
        """Make buffers for messages of so many bytes; they grow and are kept."""
        self._buffer = np.zeros(2 * size, np.uint8)
        self._rows = np.zeros(2 * size // _ROW_BYTES_MIN + 1, EVENT)
        self._bytes, self._row_bytes = self._buffer.data, self._rows.view(np.uint8).data

    def _decode(self, message: bytes, wanted: Wanted, local_ts: int) -> MarketMessage:
        try:
            decoded = decode_message(message, wanted)
            self._refuse_another_symbol(decoded)
        except LineRefused as e:
            where = f", field {e.field}" if e.field else ""
            raise DataFormatError(f"{self.symbol}{where}: {e.reason}; the message begins {_quote(message)!r}") from e
        exch_ts = decoded.exch_ts
        if exch_ts and decoded.kind not in (LINE_TRADE_OFF_MARKET, LINE_SNAPSHOT):
            self._last_exch_ts = exch_ts
        elif not exch_ts and decoded.kind == LINE_BOOK_TICKER:
            exch_ts = self._last_exch_ts
        rows = np.zeros(len(decoded.rows), EVENT)
        if decoded.rows:
            rows["ev"], rows["px"], rows["qty"] = np.array(decoded.rows).T
            rows["exch_ts"] = exch_ts or local_ts
            rows["local_ts"] = local_ts
        return MarketMessage(
            KIND_NAMES[decoded.kind],
            local_ts,
            exch_ts or local_ts,
            exch_ts == 0,
            decoded.first_id,
            decoded.last_id,
            decoded.prev_id,
            rows,
            decoded.message or decoded.name,
        )

    def _refuse_another_symbol(self, decoded: Decoded) -> None:
        if decoded.symbol and decoded.kind != LINE_OTHER and decoded.symbol != self.symbol:
            raise LineRefused(f"the message is of {decoded.symbol[:40]}", "s", decoded.symbol)


def _quote(message: bytes) -> str:
    return message[:QUOTE_MAX].decode("utf-8", "replace")
