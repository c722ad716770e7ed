"""Convert Databento's files to events: market by order (MBO) here, market by price and trades in `databento_prices`.

Rules of market by order, which makes one row for each order added, modified, canceled, traded or filled:

- Actions A, C, M, R, T and F are add, cancel, modify, clear, trade and fill; sides B, A and N are buy, sell and none.
  Action N changes nothing and makes no row. `ival` carries the record's flags.
- `exch_ts` is `ts_event`, `local_ts` is `ts_recv`, both as they stand, to the nanosecond.
- A price is the decimal that its 1e-9 steps stand for, as the nearest float64. Where it is undefined, a clear or cancel has
  no price (NaN), and any other record is refused.
- A snapshot begins with a clear without a side and lasts while `ts_recv` stays. Its orders carry the times at which they
  were entered, before the clear; they take the snapshot's time instead, which keeps both orders of events.
"""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    FILL_EVENT,
    KIND_NAMES,
    MODIFY_ORDER_EVENT,
    TRADE_EVENT,
    ContractKind,
)
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument, Number, format_decimal
from queuefront.feed.conversion import Conversion, ConversionAccount
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.databento_prices import price_rows
from queuefront.feed.sources.databento_records import (
    SIDES,
    UNDEF_PRICE,
    codes_of,
    find_silence,
    prices_of,
    refuse_records,
    time_faults,
)
from queuefront.feed.sources.dbn import DbnFile, Interval
from queuefront.feed.sources.tail import OnBad, count_kinds, grid_step, ready_for_replay

__all__ = ["DATABENTO", "convert_databento"]

Records = npt.NDArray[Any]

DATABENTO: Final = "databento"

_KINDS: Final = {
    "A": ADD_ORDER_EVENT,
    "C": CANCEL_ORDER_EVENT,
    "M": MODIFY_ORDER_EVENT,
    "R": DEPTH_CLEAR_EVENT,
    "T": TRADE_EVENT,
    "F": FILL_EVENT,
}
_NO_ROW: Final = "N"  # an action that changes nothing
_UNPRICED: Final = (CANCEL_ORDER_EVENT, DEPTH_CLEAR_EVENT)
_NS_PER_DAY: Final = 86_400_000_000_000


def convert_databento(
    path: str | os.PathLike[str],
    *,
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
    """Convert one file of market by order (`mbo`), by price (`mbp-1`, `mbp-10`) or of trades, `.dbn` or `.dbn.zst`.

    Parameters
    ----------
    path : the file.
    symbol : whose records to take; needed where the file holds several instruments. An instrument id does, too.
    on_bad : `stop` raises at the first record that cannot be used; `skip` leaves such records out and lists them in the
        account, and takes what stands before the end of a file that is cut off.
    base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier, gap_threshold_ns, progress : as in
        `convert_lines`.

    Raises
    ------
    ConfigError
        If the symbol is needed and not given, or not in the file.
    DataFormatError, TruncatedFileError
        For a file that is no DBN file of these schemas, mixes them, is cut off, or holds a record that cannot be used.
    DataError
        If the grid cannot be inferred.
    """
    if on_bad not in ("stop", "skip"):
        raise ConfigError(f"on_bad is {on_bad!r}; choose 'stop' or 'skip'")
    file = DbnFile(path, salvage=on_bad == "skip")
    account = ConversionAccount(DATABENTO, str(file.path), gap_threshold_ns=gap_threshold_ns)
    records = file.read(progress)
    account.damage = file.damage
    symbol, is_chosen = _choose(records, symbol, file)
    chosen = np.flatnonzero(is_chosen)
    make_rows = _rows if file.schema.name == "mbo" else price_rows
    rows = make_rows(records[chosen], chosen, account, stops=on_bad == "stop")
    account.sha256, account.input_bytes, account.lines = file.digest(), file.input_bytes, len(records) + file.other_count
    _count_left_out(account, len(records) - len(chosen), file.other_count)
    count_kinds(rows, account)
    tick, account.tick_size_inferred_from = grid_step(tick_size, rows["px"][np.isfinite(rows["px"])], "tick_size", account)
    lot, account.lot_size_inferred_from = grid_step(lot_size, rows["qty"], "lot_size", account)
    account.tick_size, account.lot_size = format_decimal(tick), format_decimal(lot)
    instrument = Instrument(DATABENTO, symbol, tick, lot, contract)  # type: ignore[arg-type]
    events = ready_for_replay(rows, account, base_latency_ns, always=always_add_latency)
    return Conversion(events, account, instrument.override(multiplier=multiplier))


def _choose(records: Records, symbol: str | None, file: DbnFile) -> tuple[str, npt.NDArray[np.bool_]]:
    """Return the symbol, and which records are its."""
    ids = records["instrument_id"]
    if symbol is None:
        found = np.unique(ids)
        if len(found) > 1:
            names = ", ".join(_symbol_of(int(i), file.intervals) for i in found[:20])
            raise ConfigError(f"{file.path}: the file holds {len(found):,} instruments; give symbol, one of {names}")
        name = _symbol_of(int(found[0]), file.intervals) if len(found) else "UNKNOWN"
        return name, np.ones(len(records), np.bool_)
    day = (records["ts_recv"] // np.uint64(_NS_PER_DAY)).astype(np.int64)
    is_chosen = np.zeros(len(records), np.bool_)
    mine = [interval for interval in file.intervals if interval.symbol == symbol]
    for interval in mine:
        is_chosen |= (ids == interval.instrument_id) & (day >= interval.first_day) & (day < interval.end_day)
    if not mine and symbol.isdigit() and int(symbol) in ids:
        return symbol, ids == int(symbol)
    if not mine:
        known = sorted({interval.symbol for interval in file.intervals})
        raise ConfigError(
            f"{file.path}: the file knows no symbol {symbol!r}; it knows {', '.join(known[:20]) or 'none: give the id'}"
        )
    return symbol, is_chosen


def _symbol_of(instrument_id: int, intervals: tuple[Interval, ...]) -> str:
    names = sorted({interval.symbol for interval in intervals if interval.instrument_id == instrument_id})
    return "/".join(names) or str(instrument_id)


def _rows(records: Records, number: npt.NDArray[np.int64], account: ConversionAccount, *, stops: bool) -> Records:
    """Make the rows in file order; `number` counts the records in the file from 0."""
    kind = codes_of(_KINDS)[records["action"]]
    side = codes_of(SIDES)[records["side"]]
    is_idle = records["action"] == ord(_NO_ROW)
    is_undefined = (records["price"] == UNDEF_PRICE) & ~np.isin(kind, _UNPRICED)
    faults = (
        ("action", (kind < 0) & ~is_idle, "is no action of market by order"),
        ("side", side < 0, "is no side"),
        ("price", is_undefined & ~is_idle, "is undefined where a price is needed"),
        *time_faults(records),
    )
    is_refused = refuse_records(records, number, faults, account, stops=stops)
    for letter, name in (*((a, KIND_NAMES[k]) for a, k in _KINDS.items()), (_NO_ROW, "none")):
        count = int(np.count_nonzero(~is_refused & (records["action"] == ord(letter))))
        if count:
            account.lines_by_kind[name] = count
    is_row = ~is_refused & ~is_idle
    taken = records[is_row]
    rows = np.zeros(len(taken), EVENT)
    rows["ev"] = kind[is_row] | side[is_row]
    rows["exch_ts"], rows["local_ts"] = taken["ts_event"], taken["ts_recv"]
    rows["px"] = prices_of(taken["price"])
    rows["qty"], rows["order_id"], rows["ival"] = taken["size"], taken["order_id"], taken["flags"]
    in_snapshot = _in_snapshot(rows)
    rows["exch_ts"][in_snapshot] = rows["local_ts"][in_snapshot]
    if in_snapshot.any():
        account.notes.append(f"{int(in_snapshot.sum()):,} rows of snapshots took the time of their snapshot")
    find_silence(rows, number[is_row], account)
    return rows


def _in_snapshot(rows: Records) -> npt.NDArray[np.bool_]:
    """Tell which rows stand in a snapshot: behind a clear without a side, and received at its time."""
    n = len(rows)
    index = np.arange(n)
    local_ts = np.ascontiguousarray(rows["local_ts"])
    is_start = np.ones(n, np.bool_)
    is_start[1:] = local_ts[1:] != local_ts[:-1]
    start = np.maximum.accumulate(np.where(is_start, index, 0))
    clear = np.maximum.accumulate(np.where(rows["ev"] == DEPTH_CLEAR_EVENT, index, -1))
    in_snapshot: npt.NDArray[np.bool_] = clear >= start
    return in_snapshot


def _count_left_out(account: ConversionAccount, of_others: int, of_other_types: int) -> None:
    for name, count in (
        ("refused", account.refused_count),
        ("of other instruments", of_others),
        ("of other types", of_other_types),
    ):
        if count:
            account.lines_by_kind[name] = count
