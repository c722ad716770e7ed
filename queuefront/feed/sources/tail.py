"""What ends every conversion: the grid, the local clock, and the order of events for both halves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import (
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    KIND_MASK,
    KIND_NAMES,
    TRADE_EVENT,
    ContractKind,
)
from queuefront.core.errors import TimestampRangeError
from queuefront.core.instrument import Number, exact, format_decimal
from queuefront.feed.clean import shift_of
from queuefront.feed.conversion import ConversionAccount
from queuefront.feed.event_order import EventBlocks, order_events
from queuefront.feed.grid import Blocks, infer_step_of
from queuefront.feed.row_spill import Rows

__all__ = ["ALL_KINDS", "GRID_KINDS", "Ending", "OnBad", "count_kinds", "find_grid", "ready_for_replay", "steps_of"]

OnBad = Literal["stop", "skip"]

GRID_KINDS: Final = (DEPTH_EVENT, TRADE_EVENT, DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT)
ALL_KINDS: Final = tuple(range(KIND_MASK + 1))


@dataclass(frozen=True, slots=True)
class Ending:
    """What was asked of the end of a conversion; see `convert_lines`."""

    base_latency_ns: int = 0
    always_add_latency: bool = False
    tick_size: Number | None = None
    lot_size: Number | None = None
    contract: ContractKind | str = ContractKind.LINEAR
    multiplier: Number | None = None


def ready_for_replay(rows: Rows, account: ConversionAccount, base_latency_ns: int, *, always: bool) -> EventBlocks:
    """Do what ends every conversion: shift the local clock of `rows`, and bring them in order for both halves.

    The rows are used up; the account learns what was done.

    Raises
    ------
    TimestampRangeError
        If the clocks are so far apart that differences do not fit into int64.
    StorageFullError
        If the rows in order do not fit on the disk of temporary files.
    """
    count, latency_min_ns = len(rows), rows.latency_min_ns
    if latency_min_ns is None:
        return EventBlocks(rows)
    spans = {}
    for name in ("exch_ts", "local_ts"):
        of_blocks = rows.spans(name)
        spans[name] = min(span.low for span in of_blocks), max(span.high for span in of_blocks)
    try:
        shift = shift_of(spans, latency_min_ns, base_latency_ns, always=always)
    except TimestampRangeError as e:
        raise TimestampRangeError(f"{account.path}: {e}") from e
    account.local_ts_shift_ns = shift
    account.first_exch_ts, account.last_exch_ts = spans["exch_ts"]
    account.first_local_ts, account.last_local_ts = (ts + shift for ts in spans["local_ts"])
    events = order_events(rows, shift)
    account.events, account.rows_split = len(events), len(events) - count
    return events


def count_kinds(rows: Rows, account: ConversionAccount) -> npt.NDArray[np.int64]:
    """Tell the account how many rows there are of each kind; return the counts by kind."""
    counts = rows.kind_counts
    account.events_by_kind = {KIND_NAMES[int(k)]: int(counts[k]) for k in np.flatnonzero(counts)}
    return counts


def find_grid(
    rows: Rows,
    account: ConversionAccount,
    tick_size: Number | None,
    lot_size: Number | None,
    kinds: tuple[int, ...] = GRID_KINDS,
) -> tuple[Decimal, Decimal]:
    """Return tick and lot size, inferred from the rows of some kinds where not given; count the rows by kind.

    Prices that are no numbers say nothing.

    Raises
    ------
    DataError
        If a step cannot be inferred.
    """
    is_of_grid = np.zeros(KIND_MASK + 1, np.bool_)
    is_of_grid[list(kinds)] = True
    is_all = not count_kinds(rows, account)[~is_of_grid].any()

    def values(name: str) -> Iterator[npt.NDArray[np.float64]]:
        for block in rows.blocks():
            x = np.ascontiguousarray(block[name])
            if not is_all:
                x = x[is_of_grid[np.ascontiguousarray(block["ev"]).astype(np.int64) & KIND_MASK]]
            yield x[np.isfinite(x)] if name == "px" else x

    return steps_of(lambda: values("px"), lambda: values("qty"), account, tick_size, lot_size)


def steps_of(
    px: Blocks, qty: Blocks, account: ConversionAccount, tick_size: Number | None, lot_size: Number | None
) -> tuple[Decimal, Decimal]:
    """Return tick and lot size, inferred from prices and quantities where not given.

    Raises
    ------
    DataError
        If a step cannot be inferred.
    """
    tick, account.tick_size_inferred_from = _grid_step(tick_size, px, "tick_size", account)
    lot, account.lot_size_inferred_from = _grid_step(lot_size, qty, "lot_size", account)
    account.tick_size, account.lot_size = format_decimal(tick), format_decimal(lot)
    return tick, lot


def _grid_step(given: Number | None, values: Blocks, name: str, account: ConversionAccount) -> tuple[Decimal, int | None]:
    """Return a price or quantity step, and from how many values it was inferred; None if it was given."""
    if given is not None:
        return exact(given, name), None
    step, count = infer_step_of(values, name, account.path)
    account.notes.append(f"{name} was inferred from {count:,} values; give {name} to be sure")
    return step, count
