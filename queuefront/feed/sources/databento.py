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
from queuefront.core.instrument import Instrument, Number
from queuefront.feed.conversion import Conversion, ConversionAccount
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.databento_prices import PriceRows
from queuefront.feed.sources.databento_records import (
    SIDES,
    UNDEF_PRICE,
    Silence,
    codes_of,
    prices_of,
    refuse_records,
    time_faults,
)
from queuefront.feed.sources.dbn import DbnFile, Interval
from queuefront.feed.sources.tail import ALL_KINDS, OnBad, find_grid, ready_for_replay

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
    choice, made, stops = _Choice(symbol, file), RowSpill(), on_bad == "stop"
    maker = _OrderRows(account, stops=stops) if file.schema.name == "mbo" else PriceRows(account, stops=stops)
    record_count = 0
    for records in file.parts(progress):
        chosen = np.flatnonzero(choice.take(records))
        if not choice.is_ambiguous:
            made.take(maker.rows(records[chosen], chosen + record_count))
        record_count += len(records)
    account.damage = file.damage
    name = choice.name()
    maker.end()
    account.sha256, account.input_bytes, account.lines = file.digest(), file.input_bytes, record_count + file.other_count
    _count_left_out(account, record_count - choice.count, file.other_count)
    rows = Rows([made])
    tick, lot = find_grid(rows, account, tick_size, lot_size, ALL_KINDS)
    instrument = Instrument(DATABENTO, name, tick, lot, contract)  # type: ignore[arg-type]
    events = ready_for_replay(rows, account, base_latency_ns, always=always_add_latency)
    return Conversion(events, account, instrument.override(multiplier=multiplier))


class _Choice:
    """Which records are of the symbol that is wanted, or that there is.

    Raises
    ------
    ConfigError
        If the file knows no such symbol.
    """

    def __init__(self, symbol: str | None, file: DbnFile) -> None:
        self.count = 0  # records that were chosen
        self._symbol, self._file = symbol, file
        self._found: set[int] = set()
        self._mine = [interval for interval in file.intervals if interval.symbol == symbol]
        if symbol is not None and not self._mine and not symbol.isdigit():
            raise self._unknown()

    @property
    def is_ambiguous(self) -> bool:
        """Whether there are several instruments, and no symbol that chooses one."""
        return self._symbol is None and len(self._found) > 1

    def take(self, records: Records) -> npt.NDArray[np.bool_]:
        """Return which records are chosen."""
        ids = records["instrument_id"]
        if self._symbol is None:
            self._found.update(np.unique(ids).tolist())
            self.count += len(records)
            return np.ones(len(records), np.bool_)
        is_chosen = np.zeros(len(records), np.bool_)
        day = (records["ts_recv"] // np.uint64(_NS_PER_DAY)).astype(np.int64)
        for interval in self._mine:
            is_chosen |= (ids == interval.instrument_id) & (day >= interval.first_day) & (day < interval.end_day)
        if not self._mine:
            is_chosen = ids == int(self._symbol)
        self.count += int(np.count_nonzero(is_chosen))
        return is_chosen

    def name(self) -> str:
        """Return the symbol, after all records were seen.

        Raises
        ------
        ConfigError
            If the file holds several instruments and none was chosen, or not the one that was.
        """
        if self._symbol is not None:
            if not self._mine and not self.count:
                raise self._unknown()
            return self._symbol
        found = sorted(self._found)
        if len(found) > 1:
            names = ", ".join(_symbol_of(i, self._file.intervals) for i in found[:20])
            raise ConfigError(f"{self._file.path}: the file holds {len(found):,} instruments; give symbol, one of {names}")
        return _symbol_of(found[0], self._file.intervals) if found else "UNKNOWN"

    def _unknown(self) -> ConfigError:
        known = sorted({interval.symbol for interval in self._file.intervals})
        return ConfigError(
            f"{self._file.path}: the file knows no symbol {self._symbol!r}; "
            f"it knows {', '.join(known[:20]) or 'none: give the id'}"
        )


def _symbol_of(instrument_id: int, intervals: tuple[Interval, ...]) -> str:
    names = sorted({interval.symbol for interval in intervals if interval.instrument_id == instrument_id})
    return "/".join(names) or str(instrument_id)


class _OrderRows:
    """Make the rows of market by order in file order."""

    def __init__(self, account: ConversionAccount, *, stops: bool) -> None:
        self._account, self._stops = account, stops
        self._silence = Silence(account)
        self._counts = dict.fromkeys((*_KINDS, _NO_ROW), 0)
        self._last_local_ts: int | None = None
        self._follows_clear = False  # whether a clear stands among the last rows, of one time of receipt
        self._snapshot_count = 0

    def rows(self, records: Records, number: npt.NDArray[np.int64]) -> Records:
        """Return the rows of records; `number` counts them in the file from 0."""
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
        is_refused = refuse_records(records, number, faults, self._account, stops=self._stops)
        for letter in self._counts:
            self._counts[letter] += int(np.count_nonzero(~is_refused & (records["action"] == ord(letter))))
        is_row = ~is_refused & ~is_idle
        taken = records[is_row]
        rows = np.zeros(len(taken), EVENT)
        rows["ev"] = kind[is_row] | side[is_row]
        rows["exch_ts"], rows["local_ts"] = taken["ts_event"], taken["ts_recv"]
        rows["px"] = prices_of(taken["price"])
        rows["qty"], rows["order_id"], rows["ival"] = taken["size"], taken["order_id"], taken["flags"]
        in_snapshot = self._in_snapshot(rows)
        rows["exch_ts"][in_snapshot] = rows["local_ts"][in_snapshot]
        self._snapshot_count += int(in_snapshot.sum())
        self._silence.take(rows, number[is_row])
        return rows

    def _in_snapshot(self, rows: Records) -> npt.NDArray[np.bool_]:
        """Tell which rows stand in a snapshot: behind a clear without a side, and received at its time."""
        if not len(rows):
            return np.zeros(0, np.bool_)
        index = np.arange(len(rows))
        local_ts = np.ascontiguousarray(rows["local_ts"])
        is_start = np.ones(len(rows), np.bool_)
        is_start[0] = local_ts[0] != self._last_local_ts
        is_start[1:] = local_ts[1:] != local_ts[:-1]
        start = np.maximum.accumulate(np.where(is_start, index, -1))
        before = -1 if self._follows_clear else -2
        clear = np.maximum.accumulate(np.where(rows["ev"] == DEPTH_CLEAR_EVENT, index, before))
        in_snapshot: npt.NDArray[np.bool_] = clear >= start
        self._last_local_ts, self._follows_clear = int(local_ts[-1]), bool(in_snapshot[-1])
        return in_snapshot

    def end(self) -> None:
        """Tell the account what was seen."""
        for letter, count in self._counts.items():
            if count:
                self._account.lines_by_kind["none" if letter == _NO_ROW else KIND_NAMES[_KINDS[letter]]] = count
        if self._snapshot_count:
            self._account.notes.append(f"{self._snapshot_count:,} rows of snapshots took the time of their snapshot")


def _count_left_out(account: ConversionAccount, of_others: int, of_other_types: int) -> None:
    for name, count in (
        ("refused", account.refused_count),
        ("of other instruments", of_others),
        ("of other types", of_other_types),
    ):
        if count:
            account.lines_by_kind[name] = count
