"""Convert a raw stream of Bybit: `orderbook.1/.50/.200/.500/.1000` and `publicTrade`, one level or all of them fused.

Rules:

- Depth takes `ts`, the time at which the venue sent it, and not `cts` of the matching engine; a trade takes its own `T`.
- One level: a snapshot makes for each side a clear up to its worst price and the levels; a delta makes depth rows, bids
  before asks. Messages of other levels are counted.
- Fused: the rows of all levels go through the fused book (`fuse`), snapshots without a clear; then trades join, and all
  rows are ordered by exchange time, at equal times by receipt.
- A block trade (`BT`) was agreed on beside the book: it makes no row and is counted. A trade of an unknown side keeps its
  row, without a side.
- Deltas of one topic carry update ids `u` without holes (recordings of 2023 and 2026; the documentation is silent). A hole
  is a gap in the account; ids may begin anew with a snapshot.

Source: recordings of 2023 and 2026 of the public WebSocket streams of API v5, "Orderbook" and "Trade".
"""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np

from queuefront.book import FusedBook
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    KIND_MASK,
    SELL_EVENT,
    TRADE_EVENT,
    ContractKind,
)
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Number
from queuefront.feed.conversion import Conversion
from queuefront.feed.event_order import sort_rows
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.bybit_compiled import OPT_CLEARS, USE_BOOK, USE_TRADES, scan_lines
from queuefront.feed.sources.message_compiled import STATE_SET_ASIDE
from queuefront.feed.sources.message_lines import Message, MessageWalk, Run, finish
from queuefront.feed.sources.message_scan import Scan, State
from queuefront.feed.sources.refusal import Level, LineRefused, Price, Qty, check_update_id, ms_to_ns
from queuefront.feed.sources.tail import Ending, OnBad

__all__ = ["BYBIT", "BybitDecoder", "convert_bybit"]

BYBIT: Final = "bybit"

_SIDES: Final = {"Buy": BUY_EVENT, "Sell": SELL_EVENT}


class _Envelope(msgspec.Struct):
    topic: str = ""
    type: str = ""
    ts: int = 0
    data: msgspec.Raw = msgspec.Raw()
    success: Any = None
    op: Any = None
    code: Any = None
    ret_msg: Any = ""
    msg: Any = ""


class _Book(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")
    update_id: int = msgspec.field(name="u")


class _Trade(msgspec.Struct):
    ms: int = msgspec.field(name="T")
    symbol: str = msgspec.field(name="s")
    qty: Qty = msgspec.field(name="v")
    px: Price = msgspec.field(name="p")
    side: str = msgspec.field(name="S", default="")
    is_block: bool = msgspec.field(name="BT", default=False)


# Not strict, so that decimals in quotes become the nearest float64 on the way, without text in between.
_envelope = msgspec.json.Decoder(_Envelope, strict=False)
_book = msgspec.json.Decoder(_Book, strict=False)
_trades = msgspec.json.Decoder(list[_Trade], strict=False)


class BybitDecoder:
    """Decode the messages of a file.

    Parameters
    ----------
    level : of which topic `orderbook.<level>` to take the book; None: all of them, for the fused book.
    """

    def __init__(self, level: int | None) -> None:
        self._level = level
        self.scan = Scan(scan_lines, option=0 if level is None else OPT_CLEARS, after=self._after_scan)
        self.block_trades = 0
        self.sideless_trades = 0

    def decode(self, message: bytes) -> Message:
        """Decode the message of one line.

        Raises
        ------
        LineRefused, msgspec.MsgspecError
            If it cannot be used.
        """
        envelope = _envelope.decode(message)
        name, _, rest = envelope.topic.partition(".")
        if name == "orderbook":
            return self._of_book(envelope, rest.partition(".")[0])
        if name == "publicTrade":
            return self._of_trades(envelope)
        if name:
            return Message(name, name=envelope.topic)
        if envelope.code is not None:
            return Message("error", answer=f"{envelope.code} {envelope.msg}")
        if envelope.success is False:
            return Message("error", answer=f"{envelope.op}: {envelope.ret_msg}")
        return Message("answer" if envelope.op is not None else "other")

    def _after_scan(self, state: State, _symbol: str) -> None:
        self.block_trades += int(state[STATE_SET_ASIDE])

    def _of_book(self, envelope: _Envelope, level: str) -> Message:
        kind = f"orderbook.{level}"
        if self._level is not None and level != str(self._level):
            return Message(f"{kind} (not taken)", name=envelope.topic)
        if envelope.type not in ("snapshot", "delta"):
            raise LineRefused(f"`type` is {envelope.type[:40]!r}; it is snapshot or delta", "type", envelope.type)
        book = _book.decode(envelope.data)
        exch_ts = ms_to_ns(envelope.ts, "ts")
        check_update_id(book.update_id, "u")
        is_whole = envelope.type == "snapshot"
        runs: list[Run] = []
        for side, levels in ((BUY_EVENT, book.bids), (SELL_EVENT, book.asks)):
            if is_whole and levels and self._level is not None:
                worst = levels[-1][0]  # stands last
                runs.append((DEPTH_CLEAR_EVENT | side, exch_ts, [(worst, 0.0)]))
            runs.append(((DEPTH_SNAPSHOT_EVENT if is_whole else DEPTH_EVENT) | side, exch_ts, levels))
        return Message(kind, book.symbol, runs, envelope.topic, book.update_id, is_whole, name=envelope.topic, use=USE_BOOK)

    def _of_trades(self, envelope: _Envelope) -> Message:
        trades = _trades.decode(envelope.data)
        runs: list[Run] = []
        for trade in trades:
            if trade.symbol != trades[0].symbol:
                raise LineRefused(f"trades of {trades[0].symbol[:40]} and of {trade.symbol[:40]} in one message", "s")
            exch_ts = ms_to_ns(trade.ms, "T")
            if trade.is_block:
                self.block_trades += 1
                continue
            side = _SIDES.get(trade.side, 0)
            self.sideless_trades += side == 0
            runs.append((TRADE_EVENT | side, exch_ts, [(trade.px, trade.qty)]))
        return Message("publicTrade", trades[0].symbol if trades else "", runs, name=envelope.topic, use=USE_TRADES)


def convert_bybit(
    path: str | os.PathLike[str],
    *,
    level: int | None = None,
    symbol: str | None = None,
    base_latency_ns: int = 0,
    always_add_latency: bool = False,
    on_bad: OnBad = "stop",
    tick_size: Number | None = None,
    lot_size: Number | None = None,
    contract: ContractKind | str = ContractKind.LINEAR,
    multiplier: Number | None = None,
    gap_threshold_ns: int = 10_000_000_000,
    progress: Progress | None = None,
) -> Conversion:
    """Convert one raw collector file of Bybit.

    Parameters
    ----------
    path : raw lines, gzip or plain text (`raw`).
    level : of which topic `orderbook.<level>` to take the book; None fuses all that there are.
    symbol : whose messages to take; needed where the file holds several.
    base_latency_ns, always_add_latency, on_bad, tick_size, lot_size, contract, multiplier, gap_threshold_ns, progress : as
        in `convert_lines`.

    Raises
    ------
    ConfigError
        For an unknown option.
    DataFormatError, TruncatedFileError
        For a file that is no raw file, is cut off, or holds a line that cannot be used.
    DataError
        If the grid cannot be inferred.
    """
    if level is not None and level < 1:
        raise ConfigError(f"level is {level}; give the number in orderbook.<level>, or none to fuse all")
    walk = MessageWalk(BYBIT, path, symbol=symbol, on_bad=on_bad, gap_threshold_ns=gap_threshold_ns)
    decoder = BybitDecoder(level)
    rows = walk.run(decoder, progress)
    account = walk.account
    for count, what in (
        (decoder.block_trades, "block trades, agreed on beside the book, make no rows"),
        (decoder.sideless_trades, "trades of an unknown side have none"),
    ):
        if count:
            account.notes.append(f"{count:,} {what}")
    ending = Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier)
    return finish(rows, account, walk.symbol, ending, _fused if level is None else None)


def _fused(rows: Rows, tick_size: Decimal, lot_size: Decimal) -> Rows:
    book, fused, trades = FusedBook(tick_size, lot_size), RowSpill(), RowSpill()
    depth_count = 0
    for block in rows.blocks():
        is_trade = (block["ev"] & np.uint64(KIND_MASK)) == TRADE_EVENT
        depth = block[~is_trade]
        fused.take(book.fuse(depth, keep=False, first_row=depth_count))
        depth_count += len(depth)
        trades.take(block[is_trade])
    rows.drop()
    return sort_rows(sort_rows(Rows([fused, trades]), "local_ts"), "exch_ts")
