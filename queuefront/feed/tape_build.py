"""From events to the columns of a tape: what each row does, on which level, and the index that a replay looks up.

A market by order (L3) is resolved here, once: what each row did to which order, and where that order stood in its queue. A
replay then needs neither the map of orders nor their queues, see `order_index_compiled`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    KIND_MASK,
    KIND_NAMES,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    OP_ADD_ORDER,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BID,
    OP_BUY_TRADE,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_CLEAR_BOTH,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MODIFY_ORDER,
    OP_NOTHING,
    OP_OTHER_TRADE,
    OP_OUTSIDE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.errors import DataError, OffGridError
from queuefront.core.instrument import Instrument
from queuefront.feed.check import validate_events
from queuefront.feed.order_index_compiled import new_orders, new_totals, trace_orders
from queuefront.feed.tape_index_compiled import trace_best
from queuefront.feed.tape_layout import OffGrid, is_priced, opening_book

__all__ = [
    "Description",
    "GridFaults",
    "bounded_columns",
    "differing_columns",
    "gap_error",
    "has_order_rows",
    "join_halves",
    "lots_of",
    "names_a_tick",
    "opening_ticks",
    "operations",
    "refuse_two_tellings",
    "ticks_of",
    "unique_ticks",
]

_ORDER_KINDS: Final = (ADD_ORDER_EVENT, CANCEL_ORDER_EVENT, MODIFY_ORDER_EVENT, FILL_EVENT)
_LEVEL_KINDS: Final = (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT)
Column = npt.NDArray[Any]
Columns = dict[str, Column]


def bounded_columns(
    columns: Columns,
    levels: npt.NDArray[np.int64],
    opening: npt.NDArray[np.void] | None,
    instrument: Instrument,
    tick_range: tuple[int, int],
) -> tuple[Columns, npt.NDArray[np.void] | None]:
    """Return the columns and the opening of a tape whose books hold a range of ticks only (spec B2.6).

    columns : of a tape, with those of its orders; those that differ are replaced.
    tick_range : lowest and highest tick, both included.
    """
    low, high = tick_range
    first, last = int(np.searchsorted(levels, low)), int(np.searchsorted(levels, high, side="right")) - 1
    if first == 0 and last == len(levels) - 1:
        return columns, opening
    if "order_no" in columns:
        traced = [
            _trace(columns, half, columns["order_no"], len(levels), (first, last)) for half in (OP_AT_EXCH, OP_AT_LOCAL)
        ]
        bests = {
            f"{side}_{name}": half[side]
            for half, name in zip(traced, ("exch", "local"), strict=True)
            for side in ("best_bid", "best_ask")
        }
        return columns | bests, opening
    if opening is not None:
        ticks = instrument.ticks(opening["px"])[0]
        opening = opening[(ticks >= low) & (ticks <= high)]
    op = columns["op"].copy()
    what = _what(op)
    is_outside = (columns["level"] < first) | (columns["level"] > last)
    for sets, side in ((OP_SET_BID, OP_BID), (OP_SET_ASK, 0)):
        rows = is_outside & (what == sets)
        op[rows] = (op[rows] & np.uint8(OP_AT_EXCH | OP_AT_LOCAL)) | np.uint8(OP_OUTSIDE | side)
    columns = columns | {"op": op}
    return columns | _best_columns(columns, levels, opening, instrument), opening


def has_order_rows(kind_counts: npt.NDArray[np.int64]) -> bool:
    """Whether the market is told by order (L3). kind_counts : how many rows there are of each kind."""
    return bool(kind_counts[list(_ORDER_KINDS)].any())


def refuse_two_tellings(
    kind_counts: npt.NDArray[np.int64], blocks: Callable[[], Iterable[npt.NDArray[np.void]]], source: str
) -> None:
    """Refuse a market by order that also tells of levels.

    blocks : gives the rows, to name the first that is wrong.

    Raises
    ------
    DataError
        Naming the first row that tells of a level.
    """
    if not kind_counts[list(_LEVEL_KINDS)].any():
        return
    first_row = 0
    for block in blocks():
        kinds = (block["ev"] & np.uint64(KIND_MASK)).astype(np.int64)
        is_level = np.isin(kinds, _LEVEL_KINDS)
        if is_level.any():
            row = int(np.argmax(is_level))
            raise DataError(
                f"{source}: row {first_row + row:,}: {KIND_NAMES[int(kinds[row])]} in a market by order; a book is "
                "told by price or by order, not both: leave the rows of one kind out"
            )
        first_row += len(block)


def opening_ticks(
    opening: npt.NDArray[np.void], instrument: Instrument, source: str, off_grid: OffGrid, *, is_by_order: bool
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int64]]:
    """Return the rows of a snapshot that both books start from, valid and as such, and their ticks."""
    if is_by_order:
        raise DataError(
            f"{source}: a market by order cannot start from a snapshot of levels; begin with rows that add orders"
        )
    opening = _snapshot_rows(opening)
    validate_events(opening, f"{source} (opening snapshot)")
    quantities, prices = (GridFaults(name, instrument, f"{source} (opening)") for name in ("qty", "px"))
    quantities.counts(opening["qty"])
    quantities.settle(off_grid)
    ticks = prices.counts(opening["px"])
    prices.settle(off_grid)
    return opening, ticks


def _snapshot_rows(opening: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the rows of a snapshot as such: of `ev` only the side counts (spec B2.8)."""
    rows = opening.copy()
    rows["ev"] = (rows["ev"] & np.uint64(BUY_EVENT | SELL_EVENT)) | np.uint64(DEPTH_SNAPSHOT_EVENT)
    return rows


def operations(ev: npt.NDArray[np.uint64], px: npt.NDArray[np.float64], *, is_by_order: bool) -> npt.NDArray[np.uint8]:
    """Return what each row does, and which half sees it (`core.enums.OP_*`)."""
    kind = ev & np.uint64(KIND_MASK)
    is_buy = (ev & np.uint64(BUY_EVENT)) != 0
    is_sell = ((ev & np.uint64(SELL_EVENT)) != 0) & ~is_buy  # a row with both bits acts as a buy (spec B1.2)
    is_depth = (kind == DEPTH_EVENT) | (kind == DEPTH_SNAPSHOT_EVENT)
    is_trade, is_clear = kind == TRADE_EVENT, kind == DEPTH_CLEAR_EVENT
    op = np.select(
        [
            is_depth & is_buy,
            is_depth & is_sell,
            is_trade & is_buy,
            is_trade & is_sell,
            is_trade,
            is_clear & is_buy,
            is_clear & is_sell,
            is_clear,
            (kind == ADD_ORDER_EVENT) & (is_buy | is_sell),
            kind == CANCEL_ORDER_EVENT,
            kind == MODIFY_ORDER_EVENT,
            kind == FILL_EVENT,
        ],
        [
            OP_SET_BID,
            OP_SET_ASK,
            OP_BUY_TRADE,
            OP_SELL_TRADE,
            OP_OTHER_TRADE,
            OP_CLEAR_BIDS,
            OP_CLEAR_ASKS,
            OP_CLEAR_BOTH,
            OP_ADD_ORDER,
            OP_CANCEL_ORDER,
            OP_MODIFY_ORDER,
            OP_FILL_ORDER,
        ],
        OP_NOTHING,
    ).astype(np.uint8)
    op[(op == OP_ADD_ORDER) & is_buy] |= OP_BID
    # A clear of a market by order empties its side whatever price it names (spec B2.9).
    has_no_price = ~np.isfinite(px) | is_by_order
    op[has_no_price & (op == OP_CLEAR_BIDS)] = OP_CLEAR_ALL_BIDS
    op[has_no_price & (op == OP_CLEAR_ASKS)] = OP_CLEAR_ALL_ASKS
    op |= np.where((ev & np.uint64(EXCH_EVENT)) != 0, OP_AT_EXCH, 0).astype(np.uint8)
    op |= np.where((ev & np.uint64(LOCAL_EVENT)) != 0, OP_AT_LOCAL, 0).astype(np.uint8)
    return op


def _what(op: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return op & np.uint8(OP_MASK)


def names_a_tick(op: npt.NDArray[np.uint8], px: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which rows name a price of the grid and have it: a cancel names an order, and its price may be missing."""
    named: npt.NDArray[np.bool_] = is_priced(op) & ~((_what(op) == OP_CANCEL_ORDER) & ~np.isfinite(px))
    return named


def ticks_of(
    events: npt.NDArray[np.void], op: npt.NDArray[np.uint8], named: npt.NDArray[np.bool_], faults: GridFaults
) -> npt.NDArray[np.int64]:
    """Return the price of each row that names one in ticks, 0 elsewhere."""
    ticks = np.zeros(len(events), np.int64)
    rows = np.flatnonzero(named)
    what = _what(op[rows])
    # A clear names a bound and a cancel an order, not a price that was traded or quoted: they need not lie on the grid.
    is_exempt = ((what >= OP_CLEAR_BIDS) & (what <= OP_CLEAR_ASKS)) | (what == OP_CANCEL_ORDER)
    ticks[rows] = faults.counts(events["px"][rows], rows, is_exempt)
    faults.row_count += len(events)
    return ticks


def lots_of(events: npt.NDArray[np.void], op: npt.NDArray[np.uint8], faults: GridFaults) -> npt.NDArray[np.int64]:
    """Return the quantity of each row in lots, 0 where it has none."""
    what = _what(op)
    lots = np.zeros(len(events), np.int64)
    is_sized = ((what != OP_NOTHING) & (what < OP_CLEAR_BIDS)) | ((what >= OP_ADD_ORDER) & (what != OP_CANCEL_ORDER))
    rows = np.flatnonzero(is_sized)
    lots[rows] = faults.counts(events["qty"][rows], rows)
    faults.row_count += len(events)
    return lots


class GridFaults:
    """Prices or quantities off the grid: how many there are, and the first one; rows may come part by part."""

    def __init__(self, field: Literal["px", "qty"], instrument: Instrument, source: str) -> None:
        self.row_count = 0  # of the parts before
        self._field, self._instrument, self._source = field, instrument, source
        self._count = 0
        self._first: tuple[int, float] | None = None

    def counts(
        self,
        values: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int64] | None = None,
        is_exempt: npt.NDArray[np.bool_] | None = None,
    ) -> npt.NDArray[np.int64]:
        """Return the values in steps, the nearest ones where they lie off the grid.

        rows : their numbers in the part.   is_exempt : which need not lie on the grid.
        """
        counts, is_on_grid = self._instrument.ticks(values) if self._field == "px" else self._instrument.lots(values)
        if is_exempt is not None:
            is_on_grid |= is_exempt
        rounded = int(len(values) - np.count_nonzero(is_on_grid))
        if rounded and self._first is None:
            first = int(np.argmin(is_on_grid))
            self._first = self.row_count + (first if rows is None else int(rows[first])), float(values[first])
        self._count += rounded
        return counts

    def settle(self, off_grid: OffGrid) -> int:
        """Return how many values lie off the grid.

        Raises
        ------
        OffGridError
            If there are some, and they are to be refused.
        """
        if self._first is not None and off_grid == "refuse":
            row, value = self._first
            i = self._instrument
            name, step = ("tick_size", i.tick_size) if self._field == "px" else ("lot_size", i.lot_size)
            raise OffGridError(
                f"{self._source}: row {row:,}: {self._field} {value} is not a multiple of {name} {step}, "
                f"like {self._count:,} rows in all; give the right {name}, or take the nearest with off_grid='round'"
            )
        return self._count


def unique_ticks(ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the ascending distinct ticks; by marking where they lie close together, which is ten times faster."""
    if len(ticks) == 0:
        return np.zeros(0, np.int64)
    low, high = int(ticks.min()), int(ticks.max())
    if high - low > max(8 * len(ticks), 1 << 22):
        return np.unique(ticks)
    mark = np.zeros(high - low + 1, np.bool_)
    mark[ticks - low] = True
    return np.flatnonzero(mark) + np.int64(low)


def _best_columns(
    columns: dict[str, npt.NDArray[Any]],
    levels: npt.NDArray[np.int64],
    opening: npt.NDArray[np.void] | None,
    instrument: Instrument,
) -> dict[str, npt.NDArray[Any]]:
    out: dict[str, npt.NDArray[Any]] = {}
    op = columns["op"]
    for half, name in ((OP_AT_EXCH, "exch"), (OP_AT_LOCAL, "local")):
        best_bid, best_ask = np.zeros(len(op), np.int32), np.zeros(len(op), np.int32)
        bid_lots, ask_lots, start = opening_book(opening, levels, instrument)
        trace_best(op, columns["level"], columns["lots"], half, bid_lots, ask_lots, start, best_bid, best_ask)
        out[f"best_bid_{name}"], out[f"best_ask_{name}"] = best_bid, best_ask
    return out


def differing_columns(
    events: npt.NDArray[np.void],
    ticks: npt.NDArray[np.int64],
    lots: npt.NDArray[np.int64],
    is_priced: npt.NDArray[np.bool_],
    instrument: Instrument,
) -> list[str]:
    """Return the columns of some rows that ticks and lots do not give again."""
    names = []
    px = np.where(is_priced, instrument.prices(ticks), np.nan)
    if not np.array_equal(px, events["px"], equal_nan=True):
        names.append("px")
    if not np.array_equal(instrument.quantities(lots), events["qty"]):
        names.append("qty")
    return names + [name for name in ("order_id", "ival", "fval") if events[name].any()]


def join_halves(
    op: npt.NDArray[np.uint8],
    order_id: npt.NDArray[np.uint64],
    halves: tuple[Columns, Columns],
    source: str,
    first_row: int,
) -> tuple[Columns, Columns, DataError | None]:
    """Return (op and what the order was before, best prices, fault) of rows that were traced in each half.

    The fault names the first row that both halves see and that reached an order in two states.
    """
    exch, local = halves
    is_exch = (op & np.uint8(OP_AT_EXCH)) != 0
    is_both = is_exch & ((op & np.uint8(OP_AT_LOCAL)) != 0)
    fault = None
    differs = is_both & np.logical_or.reduce([exch[name] != local[name] for name in ("op", "prior_level", "prior_lots")])
    if differs.any():
        row = int(np.argmax(differs))
        fault = DataError(
            f"{source}: row {first_row + row:,}: order {int(order_id[row])} reached us in another state than it had at "
            "the exchange; split the row in two with correct_event_order"
        )
    joined = {name: np.where(is_exch, exch[name], local[name]) for name in ("op", "prior_level", "prior_lots", "prior_row")}
    bests: Columns = {}
    for half, name in ((exch, "exch"), (local, "local")):
        bests[f"best_bid_{name}"], bests[f"best_ask_{name}"] = half["best_bid"], half["best_ask"]
    return joined, bests, fault


def _trace(
    columns: Columns, half: int, order_no: npt.NDArray[np.int32], level_count: int, held: tuple[int, int]
) -> Columns:
    count = len(order_no)
    out: Columns = {"op": columns["op"].copy(), "prior_lots": np.zeros(count, np.int64)}
    for name in ("prior_level", "prior_row", "best_bid", "best_ask"):
        out[name] = np.zeros(count, np.int32)
    prior = out["prior_level"], out["prior_lots"], out["prior_row"]
    orders, totals = new_orders(int(order_no.max(initial=-1)) + 1), new_totals(level_count)
    trace_orders(
        out["op"], half, order_no, columns["level"], columns["lots"], 0, orders, totals, held, prior, out["best_bid"],
        out["best_ask"],
    )  # fmt: skip
    return out


def gap_error(ev: int, order_id: int, row: int, count: int, source: str) -> DataError:
    """Return what to say of the first of some rows that name an order which is not there, or add one that is."""
    kind = KIND_NAMES[ev & KIND_MASK]
    what = "is there already" if kind == KIND_NAMES[ADD_ORDER_EVENT] else "is not there"
    return DataError(
        f"{source}: row {row:,}: {kind} of order {order_id}, which {what}, like {count:,} rows in "
        "all; the feed has a gap: begin where it is whole, or leave such rows out with on_gap='skip'"
    )


class Description:
    """What a tape's metadata say of its rows, which may come part by part."""

    def __init__(self) -> None:
        self._count = 0
        self._kinds = np.zeros(KIND_MASK + 1, np.int64)
        self._spans: dict[str, tuple[int, int] | None] = {"exch_ts": None, "local_ts": None}

    def take(self, columns: Columns) -> None:
        """Look at rows: their op, ev and times."""
        op = columns["op"]
        self._count += len(op)
        self._kinds += np.bincount((columns["ev"] & np.uint32(KIND_MASK)).astype(np.int64), minlength=KIND_MASK + 1)
        for half, name in ((OP_AT_EXCH, "exch_ts"), (OP_AT_LOCAL, "local_ts")):
            seen = np.flatnonzero(op & np.uint8(half))
            if len(seen):
                before, ts = self._spans[name], columns[name]
                self._spans[name] = int(ts[seen[0]]) if before is None else before[0], int(ts[seen[-1]])

    def facts(self, level_count: int) -> dict[str, Any]:
        """Return what there is to say."""
        span: dict[str, int | None] = {}
        for name, found in self._spans.items():
            span[f"first_{name}"], span[f"last_{name}"] = found or (None, None)
        return {
            "events": self._count,
            "levels": level_count,
            "counts": {KIND_NAMES.get(k, f"kind {k}"): int(self._kinds[k]) for k in np.flatnonzero(self._kinds).tolist()},
            **span,
        }
