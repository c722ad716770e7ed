"""What ends every conversion: the grid, the local clock, and the order of events for both halves."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

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
from queuefront.feed.clean import local_shift, ordered, times
from queuefront.feed.conversion import ConversionAccount
from queuefront.feed.grid import infer_step

__all__ = ["Ending", "OnBad", "count_kinds", "find_grid", "grid_step", "ready_for_replay"]

OnBad = Literal["stop", "skip"]

_GRID_KINDS: Final = (DEPTH_EVENT, TRADE_EVENT, DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT)


@dataclass(frozen=True, slots=True)
class Ending:
    """What was asked of the end of a conversion; see `convert_lines`."""

    base_latency_ns: int = 0
    always_add_latency: bool = False
    tick_size: Number | None = None
    lot_size: Number | None = None
    contract: ContractKind | str = ContractKind.LINEAR
    multiplier: Number | None = None


def ready_for_replay(
    rows: npt.NDArray[Any], account: ConversionAccount, base_latency_ns: int, *, always: bool
) -> npt.NDArray[Any]:
    """Do what ends every conversion: shift the local clock of `rows`, in place, and return them in order for both halves.

    The events are read-only, and may be `rows` themselves; the account learns what was done.

    Raises
    ------
    TimestampRangeError
        If the clocks are so far apart that differences do not fit into int64.
    """
    exch_ts, local_ts = times(rows, "exch_ts"), times(rows, "local_ts")
    try:
        account.local_ts_shift_ns = local_shift(exch_ts, local_ts, base_latency_ns, always=always)
    except TimestampRangeError as e:
        raise TimestampRangeError(f"{account.path}: {e}") from e
    if account.local_ts_shift_ns:
        local_ts += np.int64(account.local_ts_shift_ns)
        rows["local_ts"] = local_ts
    if len(rows):
        account.first_exch_ts, account.last_exch_ts = int(exch_ts.min()), int(exch_ts.max())
        account.first_local_ts, account.last_local_ts = int(local_ts.min()), int(local_ts.max())
    events = ordered(rows, exch_ts, local_ts, in_place=True)
    account.events, account.rows_split = len(events), len(events) - len(rows)
    events.setflags(write=False)
    return events


def count_kinds(rows: npt.NDArray[Any], account: ConversionAccount) -> npt.NDArray[np.int64]:
    """Tell the account how many rows there are of each kind; return the counts by kind."""
    kinds = np.ascontiguousarray(rows["ev"]).astype(np.int64) & KIND_MASK
    counts = np.bincount(kinds, minlength=KIND_MASK + 1)
    account.events_by_kind = {KIND_NAMES[int(k)]: int(counts[k]) for k in np.flatnonzero(counts)}
    return counts


def find_grid(
    rows: npt.NDArray[Any], account: ConversionAccount, tick_size: Number | None, lot_size: Number | None
) -> tuple[Decimal, Decimal]:
    """Return tick and lot size, inferred from the rows of book and trades where not given; count the rows by kind.

    Raises
    ------
    DataError
        If a step cannot be inferred.
    """
    counts = count_kinds(rows, account)
    market = rows if counts[list(_GRID_KINDS)].sum() == len(rows) else rows[_is_of_grid(rows)]
    tick, account.tick_size_inferred_from = grid_step(tick_size, market["px"], "tick_size", account)
    lot, account.lot_size_inferred_from = grid_step(lot_size, market["qty"], "lot_size", account)
    account.tick_size, account.lot_size = format_decimal(tick), format_decimal(lot)
    return tick, lot


def _is_of_grid(rows: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.isin(np.ascontiguousarray(rows["ev"]).astype(np.int64) & KIND_MASK, _GRID_KINDS)


def grid_step(
    given: Number | None, values: npt.NDArray[np.float64], name: str, account: ConversionAccount
) -> tuple[Decimal, int | None]:
    """Return a price or quantity step, and from how many values it was inferred; None if it was given."""
    if given is not None:
        return exact(given, name), None
    step, count = infer_step(values, name, account.path)
    account.notes.append(f"{name} was inferred from {count:,} values; give {name} to be sure")
    return step, count
