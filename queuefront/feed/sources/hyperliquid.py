"""Convert a raw stream of Hyperliquid: `l2Book`, which sends whole books, and `trades`.

Rules:

- A book is compared with the one before: levels that are new or changed make depth rows, bids before asks; then levels
  that are gone make rows of quantity 0, bids before asks. Levels are compared by the decimals that the venue wrote, so no
  grid is needed for it. Of the first book every level is new.
- A level beyond the worst one shown may be gone or only out of sight. With `delete_out_of_book` it is taken to be gone.
- A trade's side `B` is a buyer who took, `A` a seller; of another one the row has no side.
- Channel `bbo` and all others make no rows and are counted: best prices come again in the book.
- The venue numbers no messages, so only silence can be told.

Source: a recording of January 2025 of the WebSocket subscriptions `l2Book` and `trades`.
"""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT, ContractKind
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Number
from queuefront.feed.conversion import Conversion
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.hyperliquid_compiled import OPT_DELETES_ALL, USE_BOOK, USE_TRADES, scan_lines
from queuefront.feed.sources.message_compiled import STATE_ASKS, STATE_BIDS
from queuefront.feed.sources.message_lines import Message, MessageWalk, Run, finish
from queuefront.feed.sources.message_scan import Scan, State
from queuefront.feed.sources.refusal import NS_PER_MS, LineRefused, Price, Qty, ms_to_ns
from queuefront.feed.sources.tail import Ending, OnBad

__all__ = ["HYPERLIQUID", "HyperliquidDecoder", "convert_hyperliquid"]

HYPERLIQUID: Final = "hyperliquid"

_LEVELS_SCANNED_MAX: Final = 1000  # of one side; a longer one is compared without the scanner
_SIDES: Final = {"B": BUY_EVENT, "A": SELL_EVENT}


class _Envelope(msgspec.Struct):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()


class _Level(msgspec.Struct, gc=False):
    px: Price
    qty: Qty = msgspec.field(name="sz")


class _Book(msgspec.Struct):
    symbol: str = msgspec.field(name="coin")
    levels: tuple[list[_Level], list[_Level]]
    time: int


class _Trade(msgspec.Struct):
    symbol: str = msgspec.field(name="coin")
    px: Price
    qty: Qty = msgspec.field(name="sz")
    time: int
    side: str = ""


# Not strict, so that decimals in quotes become the nearest float64 on the way, without text in between.
_envelope = msgspec.json.Decoder(_Envelope)
_book = msgspec.json.Decoder(_Book, strict=False)
_trades = msgspec.json.Decoder(list[_Trade], strict=False)
_words = msgspec.json.Decoder(str)


class HyperliquidDecoder:
    """Decode the messages of a file, and remember the book of each coin.

    Parameters
    ----------
    levels_max : the most levels of one side; a longer side is refused.
    ns_per_step : ns in one step of the venue's times.
    delete_out_of_book : whether a level that fell out of sight is taken to be gone.
    """

    def __init__(self, levels_max: int, ns_per_step: int, *, delete_out_of_book: bool) -> None:
        self._levels_max = levels_max
        self._ns = ns_per_step
        self._deletes_all = delete_out_of_book
        self._books: dict[str, tuple[dict[float, float], dict[float, float]]] = {}
        self._scanned = np.zeros((4, 2, min(levels_max, _LEVELS_SCANNED_MAX)))
        self.scan = Scan(
            scan_lines,
            option=OPT_DELETES_ALL if delete_out_of_book else 0,
            ns_per_step=ns_per_step,
            books=self._scanned,
            rows_more=2 * self._scanned.shape[2],
            before=self._before_scan,
            after=self._after_scan,
        )
        self.sideless_trades = 0

    def decode(self, message: bytes) -> Message:
        """Decode the message of one line.

        Raises
        ------
        LineRefused, msgspec.MsgspecError
            If it cannot be used.
        """
        envelope = _envelope.decode(message)
        if envelope.channel == "l2Book":
            return self._of_book(envelope.data)
        if envelope.channel == "trades":
            return self._of_trades(envelope.data)
        if envelope.channel == "error":
            return Message("error", answer=_words.decode(envelope.data))
        return Message(envelope.channel or "other", name=envelope.channel)

    def _before_scan(self, state: State, symbol: str) -> None:
        """Tell the scanner the coin's book; it compares only books that are sorted, which the venue's are."""
        sides = self._books.get(symbol, ({}, {}))
        state[STATE_BIDS], state[STATE_ASKS] = (len(side) for side in sides)
        room = self._scanned.shape[2]
        is_sorted = all(a > b for a, b in pairwise(sides[0])) and all(a < b for a, b in pairwise(sides[1]))
        if not is_sorted or max(len(side) for side in sides) > room:
            state[STATE_BIDS] = -1
            return
        for i, side in enumerate(sides):
            self._scanned[0, i, : len(side)] = list(side)
            self._scanned[1, i, : len(side)] = list(side.values())

    def _after_scan(self, state: State, symbol: str) -> None:
        """Take over the book that the scanner came to."""
        if state[STATE_BIDS] < 0:
            return
        px, qty = self._scanned[:2]
        bids, asks = (
            dict(zip(px[i, :count].tolist(), qty[i, :count].tolist(), strict=True))
            for i, count in enumerate((int(state[STATE_BIDS]), int(state[STATE_ASKS])))
        )
        if bids or asks or symbol in self._books:
            self._books[symbol] = bids, asks

    def _of_book(self, data: msgspec.Raw) -> Message:
        book = _book.decode(data)
        exch_ts = ms_to_ns(book.time, "time", self._ns)
        sides = []
        for name, listed in zip(("levels[0]", "levels[1]"), book.levels, strict=True):
            if len(listed) > self._levels_max:
                raise LineRefused(
                    f"`{name}` has {len(listed):,} levels where levels_max is {self._levels_max:,}; give more", name
                )
            sides.append({level.px: level.qty for level in listed})
        bids, asks = sides
        before = self._books.get(book.symbol, ({}, {}))
        runs: list[Run] = [
            (DEPTH_EVENT | BUY_EVENT, exch_ts, _changes(before[0], bids)),
            (DEPTH_EVENT | SELL_EVENT, exch_ts, _changes(before[1], asks)),
            (DEPTH_EVENT | BUY_EVENT, exch_ts, self._deletions(before[0], bids)),
            (DEPTH_EVENT | SELL_EVENT, exch_ts, self._deletions(before[1], asks)),
        ]
        self._books[book.symbol] = bids, asks
        return Message("l2Book", book.symbol, runs, name="l2Book", use=USE_BOOK)

    def _deletions(self, old: dict[float, float], new: dict[float, float]) -> list[tuple[float, float]]:
        gone = [px for px in old if px not in new]
        if gone and not self._deletes_all:
            low, high = (min(new), max(new)) if new else (float("inf"), float("-inf"))
            gone = [px for px in gone if low <= px <= high]
        return [(px, 0.0) for px in gone]

    def _of_trades(self, data: msgspec.Raw) -> Message:
        trades = _trades.decode(data)
        runs: list[Run] = []
        for trade in trades:
            if trade.symbol != trades[0].symbol:
                raise LineRefused(f"trades of {trades[0].symbol[:40]} and of {trade.symbol[:40]} in one message", "coin")
            side = _SIDES.get(trade.side, 0)
            self.sideless_trades += side == 0
            runs.append((TRADE_EVENT | side, ms_to_ns(trade.time, "time", self._ns), [(trade.px, trade.qty)]))
        return Message("trades", trades[0].symbol if trades else "", runs, name="trades", use=USE_TRADES)


def _changes(old: dict[float, float], new: dict[float, float]) -> list[tuple[float, float]]:
    return [(px, qty) for px, qty in new.items() if old.get(px) != qty]


def convert_hyperliquid(
    path: str | os.PathLike[str],
    *,
    levels_max: int = 20,
    exch_ts_multiplier: int = NS_PER_MS,
    delete_out_of_book: bool = True,
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
    """Convert one raw collector file of Hyperliquid.

    Parameters
    ----------
    path : raw lines, gzip or plain text (`raw`).
    levels_max : the most levels of one side of a book.
    exch_ts_multiplier : ns in one step of the venue's times, which are milliseconds.
    delete_out_of_book : whether a level that fell out of sight, beyond the worst one shown, is taken to be gone.
    symbol : whose messages to take; needed where the file holds several coins.
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
    for name, value in (("levels_max", levels_max), ("exch_ts_multiplier", exch_ts_multiplier)):
        if value < 1 or value != int(value):
            raise ConfigError(f"{name} is {value}; give a whole number from 1")
    walk = MessageWalk(HYPERLIQUID, path, symbol=symbol, on_bad=on_bad, gap_threshold_ns=gap_threshold_ns)
    decoder = HyperliquidDecoder(levels_max, int(exch_ts_multiplier), delete_out_of_book=delete_out_of_book)
    rows = walk.run(decoder, progress)
    if decoder.sideless_trades:
        walk.account.notes.append(f"{decoder.sideless_trades:,} trades of an unknown side have none")
    ending = Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier)
    return finish(rows, walk.account, walk.symbol, ending)
