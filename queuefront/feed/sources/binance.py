"""What Binance's market-data messages mean: the authority on which lines are valid.

The streams are `trade`, `depthUpdate`, `bookTicker` and `markPriceUpdate` of USD-M and COIN-M futures and of spot, single
or in the envelope of a combined stream, and bodies of the REST order book. Source: Binance developer documentation,
"Websocket Market Streams" and "Order Book", read 2024-08.

Times: futures name the transaction time `T`; spot depth has only the event time `E`; the spot book ticker and the spot REST
order book have none (see `convert`). `markPriceUpdate` takes `E`, since its `T` is the *next funding time*, hours ahead.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FUNDING_RATE_EVENT,
    INDEX_PRICE_EVENT,
    MARK_PRICE_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed.sources.binance_compiled import (
    LINE_BOOK_TICKER,
    LINE_DEPTH,
    LINE_ERROR,
    LINE_MARK_PRICE,
    LINE_OTHER,
    LINE_SNAPSHOT,
    LINE_TRADE,
    LINE_TRADE_OFF_MARKET,
)
from queuefront.feed.sources.refusal import LineRefused, check_update_id, ms_to_ns, refusal_of

__all__ = ["Decoded", "Wanted", "decode_message"]

_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")

Number = str | int | float
Levels = list[tuple[Number, Number]]
Row = tuple[int, float, float]


class Wanted(NamedTuple):
    """Which lines make rows."""

    is_spot: bool
    is_combined: bool
    book_ticker: bool
    mark_price: bool
    agg_trade: bool = False  # trades of one taker at one price as one, where the stream of single trades is mute


@dataclass(slots=True)
class Decoded:
    """One valid line: its kind, its time (0: it names none), its rows (ev, px, qty), and what the account needs."""

    kind: int
    exch_ts: int = 0
    rows: list[Row] = field(default_factory=list)
    symbol: str = ""
    first_id: int = 0
    last_id: int = 0
    prev_id: int = 0
    name: str = ""  # of a kind that is not converted
    message: str = ""  # the venue's own words, of an error


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()
    e: Any = None
    code: int | None = None
    msg: str = ""
    last_update_id: int | None = msgspec.field(name="lastUpdateId", default=None)


class _Name(msgspec.Struct):
    e: str = ""
    s: str = ""
    b: msgspec.Raw = msgspec.Raw()
    a: msgspec.Raw = msgspec.Raw()
    bid_qty: msgspec.Raw = msgspec.field(name="B", default=msgspec.Raw())
    ask_qty: msgspec.Raw = msgspec.field(name="A", default=msgspec.Raw())


class _SpotTrade(msgspec.Struct):
    trade_ms: int = msgspec.field(name="T")
    price: Number = msgspec.field(name="p")
    qty: Number = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")


class _FuturesTrade(_SpotTrade):
    order_type: str = msgspec.field(name="X")


class _Depth(msgspec.Struct):
    bids: Levels = msgspec.field(name="b")
    asks: Levels = msgspec.field(name="a")
    first_id: int = msgspec.field(name="U", default=0)
    last_id: int = msgspec.field(name="u", default=0)
    prev_id: int = msgspec.field(name="pu", default=0)


class _SpotDepth(_Depth, kw_only=True):
    event_ms: int = msgspec.field(name="E")


class _FuturesDepth(_Depth, kw_only=True):
    event_ms: int = msgspec.field(name="T")


class _SpotTicker(msgspec.Struct):
    bid: Number = msgspec.field(name="b")
    bid_qty: Number = msgspec.field(name="B")
    ask: Number = msgspec.field(name="a")
    ask_qty: Number = msgspec.field(name="A")


class _FuturesTicker(_SpotTicker):
    event_ms: int = msgspec.field(name="T")


class _MarkPrice(msgspec.Struct):
    event_ms: int = msgspec.field(name="E")
    index: Number = msgspec.field(name="i")
    mark: Number = msgspec.field(name="p")
    funding_rate: Number = msgspec.field(name="r")


class _SpotSnapshot(msgspec.Struct):
    last_id: int = msgspec.field(name="lastUpdateId")
    bids: Levels
    asks: Levels
    symbol: str = ""


class _FuturesSnapshot(_SpotSnapshot, kw_only=True):
    event_ms: int = msgspec.field(name="T")


_envelope = msgspec.json.Decoder(_Envelope)
_agg_trade = msgspec.json.Decoder(_SpotTrade)
_name = msgspec.json.Decoder(_Name)
_mark_price = msgspec.json.Decoder(_MarkPrice)
_trades: dict[bool, msgspec.json.Decoder[_SpotTrade | _FuturesTrade]] = {
    True: msgspec.json.Decoder(_SpotTrade),
    False: msgspec.json.Decoder(_FuturesTrade),
}
_depths: dict[bool, msgspec.json.Decoder[_SpotDepth | _FuturesDepth]] = {
    True: msgspec.json.Decoder(_SpotDepth),
    False: msgspec.json.Decoder(_FuturesDepth),
}
_tickers: dict[bool, msgspec.json.Decoder[_SpotTicker | _FuturesTicker]] = {
    True: msgspec.json.Decoder(_SpotTicker),
    False: msgspec.json.Decoder(_FuturesTicker),
}
_snapshots: dict[bool, msgspec.json.Decoder[_SpotSnapshot | _FuturesSnapshot]] = {
    True: msgspec.json.Decoder(_SpotSnapshot),
    False: msgspec.json.Decoder(_FuturesSnapshot),
}


def decode_message(message: bytes, wanted: Wanted) -> Decoded:
    """Decode the message of one raw line.

    Raises
    ------
    LineRefused
        If it is no JSON object, lacks a field that its kind needs, or holds a number that is none, is not finite, or has a
        sign or size that it cannot have.
    """
    try:
        return _decode(message, wanted)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as e:
        raise refusal_of(e) from e


def _decode(message: bytes, wanted: Wanted) -> Decoded:
    envelope = _envelope.decode(message)
    data = bytes(envelope.data)
    if wanted.is_combined and data not in (b"", b"null"):
        return _event(data, wanted)
    if not wanted.is_combined and (envelope.e is not None or _is_ticker(_name.decode(message), wanted)):
        return _event(message, wanted)
    if envelope.code is not None:
        return Decoded(LINE_ERROR, name="error", message=f"{envelope.code} {envelope.msg}".strip())
    if envelope.last_update_id is not None:
        return _snapshot(message, wanted)
    if envelope.e is not None:
        raise LineRefused("the message has no `data`, as in a single stream; convert with combined_stream=False", "data")
    if data not in (b"", b"null"):
        raise LineRefused("the message has `data`, as in a combined stream; convert with combined_stream=True", "data")
    return Decoded(LINE_OTHER, name="other")


def _is_ticker(head: _Name, wanted: Wanted) -> bool:
    # The spot book ticker is the one event that does not name its kind.
    return wanted.is_spot and not head.e and all(bytes(x) for x in (head.b, head.a, head.bid_qty, head.ask_qty))


def _event(body: bytes, wanted: Wanted) -> Decoded:
    head = _name.decode(body)
    if head.e == "trade":
        decoded = _trade(body, wanted)
    elif head.e == "depthUpdate":
        decoded = _depth(body, wanted)
    elif head.e == "bookTicker" or _is_ticker(head, wanted):
        decoded = _ticker(body, wanted)
    elif head.e == "markPriceUpdate":
        decoded = _mark(body) if wanted.mark_price else Decoded(LINE_MARK_PRICE)
    elif head.e == "aggTrade" and wanted.agg_trade:
        decoded = _trade_of(_agg_trade.decode(body))
    else:
        decoded = Decoded(LINE_OTHER, name=head.e[:40] or "other")
    decoded.symbol = head.s
    return decoded


def _trade(body: bytes, wanted: Wanted) -> Decoded:
    trade = _trades[wanted.is_spot].decode(body)
    if isinstance(trade, _FuturesTrade) and trade.order_type != "MARKET":
        return Decoded(LINE_TRADE_OFF_MARKET, ms_to_ns(trade.trade_ms, "T"))
    return _trade_of(trade)


def _trade_of(trade: _SpotTrade) -> Decoded:
    exch_ts = ms_to_ns(trade.trade_ms, "T")
    side = SELL_EVENT if trade.buyer_is_maker else BUY_EVENT
    return Decoded(LINE_TRADE, exch_ts, [(TRADE_EVENT | side, _price(trade.price, "p"), _qty(trade.qty, "q"))])


def _depth(body: bytes, wanted: Wanted) -> Decoded:
    depth = _depths[wanted.is_spot].decode(body)
    exch_ts = ms_to_ns(depth.event_ms, "E" if wanted.is_spot else "T")
    for name, number in (("U", depth.first_id), ("u", depth.last_id), ("pu", depth.prev_id)):
        check_update_id(number, name)
    rows = [(DEPTH_EVENT | BUY_EVENT, px, qty) for px, qty in _levels(depth.bids, "b")]
    rows += [(DEPTH_EVENT | SELL_EVENT, px, qty) for px, qty in _levels(depth.asks, "a")]
    return Decoded(LINE_DEPTH, exch_ts, rows, first_id=depth.first_id, last_id=depth.last_id, prev_id=depth.prev_id)


def _ticker(body: bytes, wanted: Wanted) -> Decoded:
    if not wanted.book_ticker:
        return Decoded(LINE_BOOK_TICKER)
    ticker = _tickers[wanted.is_spot].decode(body)
    exch_ts = ms_to_ns(ticker.event_ms, "T") if isinstance(ticker, _FuturesTicker) else 0
    rows = [
        (BEST_BID_EVENT, _price(ticker.bid, "b"), _qty(ticker.bid_qty, "B")),
        (BEST_ASK_EVENT, _price(ticker.ask, "a"), _qty(ticker.ask_qty, "A")),
    ]
    return Decoded(LINE_BOOK_TICKER, exch_ts, rows)


def _mark(body: bytes) -> Decoded:
    mark = _mark_price.decode(body)
    rows = [
        (INDEX_PRICE_EVENT, _price(mark.index, "i"), 0.0),
        (MARK_PRICE_EVENT, _price(mark.mark, "p"), 0.0),
        (FUNDING_RATE_EVENT, _number(mark.funding_rate, "r"), 0.0),
    ]
    return Decoded(LINE_MARK_PRICE, ms_to_ns(mark.event_ms, "E"), rows)


def _snapshot(message: bytes, wanted: Wanted) -> Decoded:
    snapshot = _snapshots[wanted.is_spot].decode(message)
    exch_ts = ms_to_ns(snapshot.event_ms, "T") if isinstance(snapshot, _FuturesSnapshot) else 0
    check_update_id(snapshot.last_id, "lastUpdateId")
    rows: list[Row] = []
    for side, levels in ((BUY_EVENT, _levels(snapshot.bids, "bids")), (SELL_EVENT, _levels(snapshot.asks, "asks"))):
        if levels:
            rows.append((DEPTH_CLEAR_EVENT | side, levels[-1][0], 0.0))  # up to the worst price, which stands last
            rows += [(DEPTH_SNAPSHOT_EVENT | side, px, qty) for px, qty in levels]
    return Decoded(LINE_SNAPSHOT, exch_ts, rows, symbol=snapshot.symbol, last_id=snapshot.last_id)


def _levels(levels: Levels, name: str) -> list[tuple[float, float]]:
    return [(_price(px, f"{name}[{i}][0]"), _qty(qty, f"{name}[{i}][1]")) for i, (px, qty) in enumerate(levels)]


def _number(value: Number, name: str) -> float:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise LineRefused(f"`{name}` is {value[:40]!r}, which is no decimal number", name, value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise LineRefused(f"`{name}` is {str(value)[:40]}, which is out of range", name, value)
    return number


def _price(value: Number, name: str) -> float:
    number = _number(value, name)
    if number <= 0.0:
        raise LineRefused(f"`{name}` is {str(value)[:40]}; a price is positive", name, value)
    return number


def _qty(value: Number, name: str) -> float:
    number = _number(value, name)
    if number < 0.0:
        raise LineRefused(f"`{name}` is {str(value)[:40]}; a quantity is not negative", name, value)
    return number
