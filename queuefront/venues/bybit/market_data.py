"""One public message at a time into event rows: books, trades and tickers, with the venue's time or an honest substitute.

A book takes `cts` of the matching engine, a trade its own `T`. Where that is missing, or cannot be true, the time of the
envelope stands; without that one the time of receipt, and the message says so. Both are counted (H8.3).

Source: Bybit API v5 documentation, "Orderbook", "Trade" and "Ticker", read 2026-07; recordings of 2023 and 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FUNDING_RATE_EVENT,
    INDEX_PRICE_EVENT,
    MARK_PRICE_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.venues.credentials import redacted
from queuefront.venues.errors import MessageError
from queuefront.venues.units import plausible_ns

__all__ = ["BookMessage", "MarketDecoder", "PublicControl", "RowsMessage", "TimeCounts"]

Events = npt.NDArray[Any]
Row = tuple[int, float, float]

_SIDES: Final = {"Buy": BUY_EVENT, "Sell": SELL_EVENT}
_MARKS: Final = (
    ("mark_price", MARK_PRICE_EVENT),
    ("index_price", INDEX_PRICE_EVENT),
    ("funding_rate", FUNDING_RATE_EVENT),
)


class _Head(msgspec.Struct):
    topic: Any = None
    type: Any = None
    ts: Any = None
    cts: Any = None
    data: msgspec.Raw = msgspec.Raw()
    op: Any = None
    success: Any = None
    ret_msg: Any = None
    req_id: Any = None


class _Book(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    bids: list[tuple[float, float]] = msgspec.field(name="b")
    asks: list[tuple[float, float]] = msgspec.field(name="a")
    update_id: int = msgspec.field(name="u")
    cts: Any = None
    ts: Any = None


class _Trade(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    px: float = msgspec.field(name="p")
    qty: float = msgspec.field(name="v")
    ms: Any = msgspec.field(name="T", default=None)
    side: str = msgspec.field(name="S", default="")
    is_block: bool = msgspec.field(name="BT", default=False)


class _Ticker(msgspec.Struct, rename="camel"):
    symbol: str
    mark_price: str | float | None = None
    index_price: str | float | None = None
    funding_rate: str | float | None = None


class _BookAnswer(msgspec.Struct):
    result: msgspec.Raw
    time: Any = None


# Not strict, so that decimals in quotes become the nearest float64 on the way, without text in between.
_head = msgspec.json.Decoder(_Head)
_book = msgspec.json.Decoder(_Book, strict=False)
_trades = msgspec.json.Decoder(list[_Trade], strict=False)
_ticker = msgspec.json.Decoder(_Ticker, strict=False)
_answer = msgspec.json.Decoder(_BookAnswer)


@dataclass(slots=True)
class TimeCounts:
    """How often a message had to do without the time that it should name."""

    by_envelope: int = 0
    by_receipt: int = 0


@dataclass(frozen=True, slots=True)
class BookMessage:
    """A whole book, or a change of it; `first_id` is `last_id`, because each message is one update."""

    symbol: str
    is_whole: bool
    last_id: int
    local_ts: int
    exch_ts: int
    is_exch_ts_local: bool
    rows: Events
    prev_id: int = 0

    @property
    def first_id(self) -> int:
        """The update that it is."""
        return self.last_id


@dataclass(frozen=True, slots=True)
class RowsMessage:
    """Trades, or marks; several times may stand in its rows, of which `exch_ts` is the last."""

    symbol: str
    kind: str
    local_ts: int
    exch_ts: int
    is_exch_ts_local: bool
    rows: Events


@dataclass(frozen=True, slots=True)
class PublicControl:
    """An answer to what we sent; only `success: true` is success."""

    op: str
    request_id: str
    is_success: bool
    text: str


class _Time(NamedTuple):
    ns: int
    is_local: bool


class MarketDecoder:
    """Decode public messages, and count what they lack."""

    def __init__(self) -> None:
        self.times = TimeCounts()
        self.block_trades = 0
        self.sideless_trades = 0

    def decode(self, message: bytes, local_ts: int) -> BookMessage | RowsMessage | PublicControl | str:
        """Decode a message of a public stream, received at `local_ts`; one of another topic is its name.

        Raises
        ------
        MessageError
            If it cannot be used.
        """
        try:
            head = _head.decode(message)
            if not isinstance(head.topic, str) or not head.topic:
                return _control(head)
            kind = head.topic.partition(".")[0]
            if kind == "orderbook":
                return self._book(_book.decode(head.data), head, local_ts)
            if kind in ("publicTrade", "trade"):
                return self._trades(_trades.decode(head.data), head, local_ts)
            if kind == "tickers":
                return self._marks(_ticker.decode(head.data), head, local_ts)
            return head.topic[:80]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as e:
            begin = redacted(message[:120].decode("utf-8", "replace"))
            raise MessageError(f"public stream: {e}; the message begins {begin!r}") from e

    def decode_answer(self, body: bytes, local_ts: int) -> BookMessage:
        """Decode an answer of the REST order book.

        Raises
        ------
        MessageError
            If it is none.
        """
        try:
            answer = _answer.decode(body)
            book = _book.decode(answer.result)
            return self._book(book, _Head(type="snapshot", ts=book.ts), local_ts)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as e:
            begin = redacted(body[:120].decode("utf-8", "replace"))
            raise MessageError(f"order book: {e}; the answer begins {begin!r}") from e

    # --- kinds --------------------------------------------------------------------------------------------------------
    def _book(self, book: _Book, head: _Head, local_ts: int) -> BookMessage:
        if head.type not in ("snapshot", "delta"):
            raise ValueError(f"`type` is {str(head.type)[:40]!r}; it is snapshot or delta")
        if not 0 <= book.update_id < 2**63:
            raise ValueError(f"`u` is {book.update_id}; an update id is at least 0 and below 2^63")
        # After a restart of the service the numbers begin anew, and the message is a whole book whatever it says.
        is_whole = head.type == "snapshot" or book.update_id == 1
        time = self._time(head.cts if head.cts is not None else book.cts, head.ts, local_ts)
        event = DEPTH_SNAPSHOT_EVENT if is_whole else DEPTH_EVENT
        levels = [(event | BUY_EVENT, *_level(level)) for level in book.bids]
        levels += [(event | SELL_EVENT, *_level(level)) for level in book.asks]
        rows = _rows(levels, time.ns, local_ts)
        return BookMessage(book.symbol, is_whole, book.update_id, local_ts, time.ns, time.is_local, rows)

    def _trades(self, trades: list[_Trade], head: _Head, local_ts: int) -> RowsMessage:
        rows = np.zeros(len(trades), EVENT)
        count = 0
        latest = _Time(local_ts, is_local=True)
        for trade in trades:
            if trade.symbol != trades[0].symbol:
                raise ValueError(f"trades of {trades[0].symbol[:40]} and of {trade.symbol[:40]} in one message")
            if trade.is_block:
                self.block_trades += 1  # agreed on beside the book
                continue
            px, qty = _level((trade.px, trade.qty))
            side = _SIDES.get(trade.side, 0)
            self.sideless_trades += side == 0
            latest = self._time(trade.ms, head.ts, local_ts)
            row = rows[count]
            row["ev"], row["px"], row["qty"] = TRADE_EVENT | side, px, qty
            row["exch_ts"], row["local_ts"] = latest.ns, local_ts
            count += 1
        symbol = trades[0].symbol if trades else ""
        return RowsMessage(symbol, "trade", local_ts, latest.ns, latest.is_local, rows[:count])

    def _marks(self, ticker: _Ticker, head: _Head, local_ts: int) -> RowsMessage:
        """Marks, index prices and funding rates; a delta names only what changed."""
        time = self._time(head.ts, None, local_ts)
        told = [(event, getattr(ticker, name)) for name, event in _MARKS]
        rows = [(event, _finite(float(value), "a mark"), 0.0) for event, value in told if value not in (None, "")]
        return RowsMessage(ticker.symbol, "mark price", local_ts, time.ns, time.is_local, _rows(rows, time.ns, local_ts))

    def _time(self, own: Any, envelope: Any, local_ts: int) -> _Time:
        if (ns := _ns(own)) is not None:
            return _Time(ns, is_local=False)
        if (ns := _ns(envelope)) is not None:
            self.times.by_envelope += 1
            return _Time(ns, is_local=False)
        self.times.by_receipt += 1
        return _Time(local_ts, is_local=True)


def _ns(ms: Any) -> int | None:
    """A time in ns, if it is one: milliseconds as a number or as text."""
    if isinstance(ms, str) and ms.isascii() and ms.isdigit() and len(ms) <= 18:
        ms = int(ms)
    return plausible_ns(ms) if isinstance(ms, int) and not isinstance(ms, bool) else None


def _finite(value: float, name: str) -> float:
    if not np.isfinite(value):
        raise ValueError(f"{name} is {value}; it must be finite")
    return value


def _level(level: tuple[float, float]) -> tuple[float, float]:
    px, qty = level
    if not (np.isfinite(px) and px > 0.0 and np.isfinite(qty) and qty >= 0.0):
        raise ValueError(f"a level is {px} × {qty}; a price is positive, a quantity is not negative")
    return px, qty


def _rows(rows: list[Row], exch_ts: int, local_ts: int) -> Events:
    events = np.zeros(len(rows), EVENT)
    if rows:
        events["ev"], events["px"], events["qty"] = np.array(rows).T
        events["exch_ts"], events["local_ts"] = exch_ts, local_ts
    return events


def _control(head: _Head) -> PublicControl:
    return PublicControl(
        op=head.op if isinstance(head.op, str) else "",
        request_id=head.req_id if isinstance(head.req_id, str) else "",
        is_success=head.success is True,
        text=head.ret_msg[:300] if isinstance(head.ret_msg, str) else "",
    )
