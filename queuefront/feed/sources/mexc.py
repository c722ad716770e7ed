"""Convert a raw stream of MEXC spot: `increase.depth`, `limit.depth` and `deals` of `spot@public…v3.api`.

Rules:

- `increase.depth` makes depth rows, bids before asks; `limit.depth`, the best levels of the book, makes snapshot rows
  without a clear. Both take the message's time `t`.
- A deal takes its own `t`; its side `S` is 1 for a buyer who took, 2 for a seller; of another one the row has no side.
- Times are whole milliseconds and stay integers on the way to nanoseconds.
- Each change carries the book's version `r`, one more than the one before; a hole is a gap in the account. `limit.depth`
  repeats the version that it shows.

Source: messages of January 2025, as hftbacktest's converter shows them; no longer recording was at hand.
"""

from __future__ import annotations

import os
from typing import Any, Final

import msgspec

from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, SELL_EVENT, TRADE_EVENT, ContractKind
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Number
from queuefront.feed.conversion import Conversion
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.message_lines import Message, MessageWalk, Run, finish
from queuefront.feed.sources.message_scan import Scan
from queuefront.feed.sources.mexc_compiled import USE_BEST_LEVELS, USE_CHANGES, USE_DEALS, scan_lines
from queuefront.feed.sources.refusal import NS_PER_MS, Price, Qty, check_update_id, ms_to_ns
from queuefront.feed.sources.tail import Ending, OnBad

__all__ = ["MEXC", "MexcDecoder", "convert_mexc"]

MEXC: Final = "mexc"

_SIDES: Final = {1: BUY_EVENT, 2: SELL_EVENT}


class _Envelope(msgspec.Struct):
    channel: str = msgspec.field(name="c", default="")
    data: msgspec.Raw = msgspec.field(name="d", default=msgspec.Raw())
    symbol: str = msgspec.field(name="s", default="")
    ms: int = msgspec.field(name="t", default=0)
    id: Any = None
    code: Any = None
    msg: Any = ""


class _Level(msgspec.Struct, gc=False):
    px: Price = msgspec.field(name="p")
    qty: Qty = msgspec.field(name="v")


class _Depth(msgspec.Struct):
    bids: list[_Level] = []
    asks: list[_Level] = []
    version: int | None = msgspec.field(name="r", default=None)


class _Deal(msgspec.Struct):
    px: Price = msgspec.field(name="p")
    qty: Qty = msgspec.field(name="v")
    ms: int = msgspec.field(name="t")
    side: int = msgspec.field(name="S", default=0)


class _Deals(msgspec.Struct):
    deals: list[_Deal]


# Not strict, so that decimals in quotes become the nearest float64 on the way, without text in between.
_envelope = msgspec.json.Decoder(_Envelope, strict=False)
_depth = msgspec.json.Decoder(_Depth, strict=False)
_deals = msgspec.json.Decoder(_Deals, strict=False)


class MexcDecoder:
    """Decode the messages of a file.

    Parameters
    ----------
    ns_per_step : ns in one step of the venue's times.
    """

    def __init__(self, ns_per_step: int) -> None:
        self._ns = ns_per_step
        self.scan = Scan(scan_lines, ns_per_step=ns_per_step)
        self.sideless_trades = 0

    def decode(self, message: bytes) -> Message:
        """Decode the message of one line.

        Raises
        ------
        LineRefused, msgspec.MsgspecError
            If it cannot be used.
        """
        envelope = _envelope.decode(message)
        name = envelope.channel.partition("@")[2].partition("@")[0].removeprefix("public.").removesuffix(".v3.api")
        if name == "increase.depth":
            return self._of_depth(envelope, name, DEPTH_EVENT, USE_CHANGES)
        if name == "limit.depth":
            return self._of_depth(envelope, name, DEPTH_SNAPSHOT_EVENT, USE_BEST_LEVELS)
        if name == "deals":
            return self._of_deals(envelope)
        if name:
            return Message(name, name=envelope.channel)
        if envelope.code not in (None, 0):
            return Message("error", answer=f"{envelope.code} {envelope.msg}")
        return Message("answer" if envelope.id is not None else "other")

    def _of_depth(self, envelope: _Envelope, name: str, kind: int, use: int) -> Message:
        depth = _depth.decode(envelope.data)
        exch_ts = ms_to_ns(envelope.ms, "t", self._ns)
        if depth.version is not None:
            check_update_id(depth.version, "d.r")
        runs: list[Run] = [
            (kind | side, exch_ts, [(level.px, level.qty) for level in levels])
            for side, levels in ((BUY_EVENT, depth.bids), (SELL_EVENT, depth.asks))
        ]
        # A book of the best levels says at which version it was made; the changes after it go on from there.
        update_id = depth.version if kind == DEPTH_EVENT and depth.version is not None else -1
        return Message(name, envelope.symbol, runs, "increase.depth", update_id, name=envelope.channel, use=use)

    def _of_deals(self, envelope: _Envelope) -> Message:
        deals = _deals.decode(envelope.data).deals
        runs: list[Run] = []
        for deal in deals:
            side = _SIDES.get(deal.side, 0)
            self.sideless_trades += side == 0
            runs.append((TRADE_EVENT | side, ms_to_ns(deal.ms, "t", self._ns), [(deal.px, deal.qty)]))
        return Message("deals", envelope.symbol, runs, name=envelope.channel, use=USE_DEALS)


def convert_mexc(
    path: str | os.PathLike[str],
    *,
    exch_ts_multiplier: int = NS_PER_MS,
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
    """Convert one raw collector file of MEXC spot.

    Parameters
    ----------
    path : raw lines, gzip or plain text (`raw`).
    exch_ts_multiplier : ns in one step of the venue's times, which are milliseconds.
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
    if exch_ts_multiplier < 1 or exch_ts_multiplier != int(exch_ts_multiplier):
        raise ConfigError(f"exch_ts_multiplier is {exch_ts_multiplier}; give a whole number from 1")
    walk = MessageWalk(MEXC, path, symbol=symbol, on_bad=on_bad, gap_threshold_ns=gap_threshold_ns)
    decoder = MexcDecoder(int(exch_ts_multiplier))
    rows = walk.run(decoder, progress)
    if decoder.sideless_trades:
        walk.account.notes.append(f"{decoder.sideless_trades:,} trades of an unknown side have none")
    ending = Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier)
    return finish(rows, walk.account, walk.symbol, ending)
