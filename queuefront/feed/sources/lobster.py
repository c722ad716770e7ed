"""Convert LOBSTER message files to market by order. Source: lobsterdata.com, "Data structure", read 2026-11.

A record has no header: time (seconds since midnight with nanoseconds), type, order id, size, price × 10,000, direction of
the resting order (1 buy, -1 sell).

| type | rows |
| --- | --- |
| 1 new limit order | add |
| 2 partial cancel | modify, to what is left of the order |
| 3 deletion | cancel |
| 4 visible execution | trade (the side of the taker), fill, then cancel, or modify to what is left |
| 5 hidden execution | trade |
| 6 cross trade | trade without a side |
| 7 trading halt | none; counted |

A file begins in the middle of a day, when orders rest that it does not tell of. Records of such orders make no rows but the
trades, and are counted; the book of the tape lacks these orders. Exchange and local time are the same: LOBSTER has NASDAQ's
clock only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date as Date  # noqa: N812 - `date` is the parameter
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from queuefront.core.clock import INT64_MAX, NS_PER
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import BUY_EVENT, SELL_EVENT, ContractKind
from queuefront.core.errors import ConfigError, DataFormatError
from queuefront.core.instrument import Number
from queuefront.feed.conversion import Conversion
from queuefront.feed.row_spill import RowSpill
from queuefront.feed.sources.archive import Archive, Events, PathLike, later_by, paths_of
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.csv_columns import Column
from queuefront.feed.sources.csv_records import CsvFile, Layout, Table
from queuefront.feed.sources.lobster_compiled import (
    CANCEL_PART,
    CROSS,
    DELETE,
    EXECUTE,
    EXECUTE_HIDDEN,
    HALT,
    SUBMIT,
    no_orders,
    order_rows,
)
from queuefront.feed.sources.tail import Ending, OnBad

__all__ = ["LOBSTER", "convert_lobster"]

LOBSTER: Final = "lobster"

_PRICE_SCALE: Final = 10_000
_KINDS: Final = {
    SUBMIT: "new order",
    CANCEL_PART: "partial cancel",
    DELETE: "deletion",
    EXECUTE: "execution",
    EXECUTE_HIDDEN: "hidden execution",
    CROSS: "cross trade",
    HALT: "trading halt",
}
_LAYOUT: Final = Layout(
    "messages",
    (
        Column("time", "seconds", is_since_midnight=True),
        Column("type", "choice", choices={str(kind).encode(): kind for kind in _KINDS}),
        Column("order_id", "whole"),
        Column("size", "whole"),
        Column("price", "whole"),
        Column("direction", "choice", choices={b"1": BUY_EVENT, b"-1": SELL_EVENT}),
    ),
    ("time", "type", "order_id", "size", "price", "direction"),
)
_NAME: Final = re.compile(r"([A-Za-z0-9.]+)_([0-9]{4}-[0-9]{2}-[0-9]{2})_.*message")
_WHOLE_MAX: Final = 2**53


def convert_lobster(
    path: PathLike | Sequence[PathLike],
    *,
    date: str | Date | None = None,
    timezone: str = "America/New_York",
    symbol: str | None = None,
    feed_latency_ns: int = 0,
    base_latency_ns: int = 0,
    always_add_latency: bool = False,
    on_bad: OnBad = "stop",
    tick_size: Number | None = "0.01",
    lot_size: Number | None = 1,
    contract: ContractKind | str = ContractKind.LINEAR,
    multiplier: Number | None = None,
    gap_threshold_ns: int = 600_000_000_000,
    progress: Progress | None = None,
) -> Conversion:
    """Convert one message file, one day of one stock.

    Parameters
    ----------
    path : the file, plain, gzip, zip or zstd.
    date : the day, as `2012-06-21`; None: as the file's name says.
    timezone : in which the file's midnight is; NASDAQ's where not given.
    symbol : the stock; None: as the file's name says.
    feed_latency_ns : from the exchange's time to the local time, for all rows alike.
    on_bad, base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier, gap_threshold_ns, progress : as
        in `convert_lines`.

    Raises
    ------
    ConfigError
        For a day or time zone that is none, or if the day is not known.
    DataFormatError, TruncatedFileError, SchemaMismatchError
        For a file that is no message file, is cut off, or holds a record that cannot be used.
    """
    paths = paths_of(path)
    if len(paths) != 1:
        raise ConfigError(f"{LOBSTER} takes one file, and there are {len(paths)}; convert each day alone")
    match = _NAME.match(Path(paths[0]).name)
    archive = Archive(
        LOBSTER,
        paths,
        on_bad=on_bad,
        symbol=symbol or (match[1] if match else None),
        gap_threshold_ns=gap_threshold_ns,
        progress=progress,
    )
    midnight_ns = _midnight(date or (match[2] if match else None), timezone, Path(paths[0]))
    made, messages = RowSpill(), _Messages(midnight_ns)
    for given in CsvFile(archive, paths[0], (_LAYOUT,)).tables():
        table = _checked(archive, given)
        rows = messages.rows(table)
        rows["local_ts"] = later_by(np.ascontiguousarray(rows["exch_ts"]), feed_latency_ns, paths[0])
        archive.find_silence(table.columns["time"] + np.int64(midnight_ns + feed_latency_ns), table.line)
        made.take(rows)
    messages.end(archive)
    return archive.finish([made], Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier))


def _midnight(date: str | Date | None, timezone: str, path: Path) -> int:
    if date is None:
        raise ConfigError(f"{path}: times count from midnight and the file's name says no day; give date")
    try:
        day = Date.fromisoformat(date) if isinstance(date, str) else date
    except ValueError as e:
        raise ConfigError(f"date is {date!r}; give a day, such as 2012-06-21") from e
    if not 1990 <= day.year < 2100:
        raise ConfigError(f"date is {day}; give a day from 1990 to 2099")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise ConfigError(f"timezone is {timezone!r}, which is not known here; give one such as America/New_York") from e
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NS_PER["s"]


def _checked(archive: Archive, table: Table) -> Table:
    """Refuse sizes, ids and prices that cannot be; a halt has none of them."""
    for name, low, high, reason in (
        ("size", 1, _WHOLE_MAX, "the size is not positive, or beyond 2^53"),
        ("price", 1, _WHOLE_MAX, "the price is not positive, or beyond 2^53"),
        ("order_id", 0, INT64_MAX, "the order id is negative"),
    ):
        values = table.columns[name]
        is_bad = ((values < low) | (values > high)) & (table.columns["type"] != HALT)
        table = table.without(archive, is_bad, name, reason)
    return table


class _Messages:
    """Make rows of messages, and remember the orders that are open."""

    def __init__(self, midnight_ns: int) -> None:
        self._midnight_ns = midnight_ns
        self._left = no_orders()
        self._counts = dict.fromkeys(_KINDS, 0)
        self._unknown_count = 0

    def rows(self, table: Table) -> Events:
        """Return the rows of messages.

        Raises
        ------
        DataFormatError
            If an order is entered twice, or more is taken from it than it has.
        """
        columns = table.columns
        count = len(table.line)
        for kind in _KINDS:
            self._counts[kind] += int(np.count_nonzero(columns["type"] == kind))
        record, ev, qty = (np.zeros(3 * count, np.int64) for _ in range(3))
        row_count, unknown_count, doubled, overfull = order_rows(
            columns["type"], columns["order_id"], columns["size"], columns["direction"], self._left, record, ev, qty
        )
        for place, what in ((doubled, "is entered a second time"), (overfull, "has less left than is taken from it")):
            if place >= 0:
                raise DataFormatError(
                    f"{table.path}: line {table.line[place]:,}, field order_id: order {columns['order_id'][place]} {what}; "
                    "the file is damaged or of several days"
                )
        self._unknown_count += unknown_count
        place = record[:row_count]
        rows = np.zeros(row_count, EVENT)
        rows["ev"], rows["qty"] = ev[:row_count], qty[:row_count]
        rows["exch_ts"] = columns["time"][place] + np.int64(self._midnight_ns)
        rows["px"] = columns["price"][place] / np.float64(_PRICE_SCALE)
        is_of_order = (ev[:row_count] & 0xFF) >= 10
        rows["order_id"][is_of_order] = columns["order_id"][place][is_of_order]
        return rows

    def end(self, archive: Archive) -> None:
        """Tell the account what was seen."""
        for kind, name in _KINDS.items():
            archive.counts[name] = self._counts[kind]
        archive.counts[_LAYOUT.kind] = 0  # they are counted by type
        archive.counts["of orders entered before the file"] = self._unknown_count
        if self._unknown_count:
            archive.account.notes.append(
                f"{self._unknown_count:,} records are of orders entered before the file begins, which the book lacks"
            )
