"""A market by order (L3) part by part: number its orders, and follow those that are there.

Memory grows with the orders that are there at one time; their numbers, which count all ids from the smallest on, are found
by sorting ids on the disk where they came in more than one part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import OP_ADD_ORDER, OP_AT_EXCH, OP_AT_LOCAL, OP_MASK, OP_NOTHING
from queuefront.core.errors import DataError
from queuefront.feed.event_order import sorted_blocks
from queuefront.feed.order_index_compiled import new_orders, new_totals, trace_orders
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.tape_build import gap_error, join_halves, unique_ticks
from queuefront.feed.tape_columns import Columns, NewColumn, TapeColumn

__all__ = ["OrderTrace", "order_numbers"]

_IDS = np.dtype([("order_id", "u8"), ("row", "i8")])
_NUMBERS = np.dtype([("row", "i8"), ("order_no", "i4")])


def order_numbers(ids: TapeColumn, new_column: NewColumn) -> tuple[TapeColumn, int]:
    """Return (int32 numbers of the orders of rows, how many orders there are), given their ids, uint64."""
    made = new_column(np.int32)
    if ids.block_count <= 1:
        known = 0
        for block in ids.blocks():
            found, inverse = np.unique(block, return_inverse=True)
            made.take(inverse.astype(np.int32))
            known = len(found)
        return made, known
    by_row, first_row = RowSpill(_IDS, keys=("order_id",)), 0
    for block in ids.blocks():
        part = np.zeros(len(block), _IDS)
        part["order_id"], part["row"] = block, np.arange(first_row, first_row + len(block))
        by_row.take(part)
        first_row += len(block)
    numbered, number, last = RowSpill(_NUMBERS, keys=("row",)), -1, None
    rows = Rows([by_row])
    for block in sorted_blocks(rows, "order_id"):
        if not len(block):
            continue
        order_id = np.ascontiguousarray(block["order_id"])
        is_new = np.ones(len(block), np.bool_)
        is_new[0] = last is None or order_id[0] != last
        is_new[1:] = order_id[1:] != order_id[:-1]
        part = np.zeros(len(block), _NUMBERS)
        part["row"], part["order_no"] = block["row"], number + np.cumsum(is_new)
        number, last = int(part["order_no"][-1]), order_id[-1]
        numbered.take(part)
    rows.drop()
    _take_as(made, ids, Rows([numbered]))
    return made, number + 1


def _take_as(made: TapeColumn, ids: TapeColumn, numbered: Rows) -> None:
    """Take numbers in the order of rows, in blocks that begin where those of the ids do."""
    parts = sorted_blocks(numbered, "row")
    waiting: npt.NDArray[np.int32] = np.zeros(0, np.int32)
    for ids_block in ids.blocks():
        while len(waiting) < len(ids_block):
            waiting = np.concatenate([waiting, next(parts)["order_no"]])
        made.take(waiting[: len(ids_block)].copy())
        waiting = waiting[len(ids_block) :]
    numbered.drop()


class OrderTrace:
    """Follow orders through the rows of both halves, part by part.

    Rows that name no order are counted in `gap_count`; what comes behind the first of them is worked out for counting only.
    """

    def __init__(self, level_count: int, source: str) -> None:
        self.gap_count = 0
        self._source = source
        self._level_count = level_count
        self._known: npt.NDArray[np.int64] = np.zeros(0, np.int64)  # numbers of the orders that are there in either half
        self._halves = [(half, new_totals(level_count)) for half in (OP_AT_EXCH, OP_AT_LOCAL)]
        self._orders = [new_orders(0), new_orders(0)]
        self._row_count = 0
        self._gap: tuple[int, int, int] | None = None  # flags, id and number of the first row that names no order
        self._split: DataError | None = None  # the first row that reached an order in two states

    def take(self, columns: Columns) -> tuple[Columns, npt.NDArray[np.bool_]]:
        """Return (op, what the order was before, and best prices; which rows name no order).

        columns : ev, op, level, lots, order_no and order_id of rows.
        """
        op = columns["op"]
        place = self._make_room(columns["order_no"])
        halves = []
        for k, (half, totals) in enumerate(self._halves):
            out: Columns = {"op": op.copy(), "prior_lots": np.zeros(len(op), np.int64)}
            for name in ("prior_level", "prior_row", "best_bid", "best_ask"):
                out[name] = np.zeros(len(op), np.int32)
            trace_orders(
                out["op"], half, place, columns["level"], columns["lots"], self._row_count, self._orders[k], totals,
                (0, self._level_count - 1), (out["prior_level"], out["prior_lots"], out["prior_row"]), out["best_bid"],
                out["best_ask"],
            )  # fmt: skip
            halves.append(out)
        is_gap = self._find_gaps(columns, halves)
        self._forget()
        first_row, self._row_count = self._row_count, self._row_count + len(op)
        joined, bests, fault = join_halves(op, columns["order_id"], (halves[0], halves[1]), self._source, first_row)
        self._split = self._split or fault
        return joined | bests, is_gap

    def refuse_gaps(self) -> None:
        """Raise if rows named orders that were not there.

        Raises
        ------
        DataError
            Naming the first of them.
        """
        if self._gap is not None:
            ev, order_id, row = self._gap
            raise gap_error(ev, order_id, row, self.gap_count, self._source)

    def refuse_splits(self) -> None:
        """Raise if a row that both halves see reached an order in two states.

        Raises
        ------
        DataError
            Naming the first of them.
        """
        if self._split is not None:
            raise self._split

    def _make_room(self, order_no: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Give every order of some rows a place beside those that are there; return the places."""
        known = unique_ticks(np.concatenate([self._known, order_no]))
        at = np.searchsorted(known, self._known)
        for k, old in enumerate(self._orders):
            new = new_orders(len(known))
            for column, values in zip(new, old, strict=True):
                column[at] = values
            self._orders[k] = new
        self._known = known
        if len(known) and int(known[-1]) == len(known) - 1:  # as of all rows at once: each has its number for its place
            return order_no
        return np.searchsorted(known, order_no).astype(np.int32)

    def _forget(self) -> None:
        """Keep the orders that are there in either half."""
        is_there = np.zeros(len(self._known), np.bool_)
        for (_, totals), (is_live, is_bid, _, _, _, era) in zip(self._halves, self._orders, strict=True):
            best = totals[2]
            is_there |= is_live & (era == np.where(is_bid, best[4], best[5]))
        self._known = self._known[is_there]
        self._orders = [tuple(column[is_there] for column in columns) for columns in self._orders]

    def _find_gaps(self, columns: Columns, halves: list[Columns]) -> npt.NDArray[np.bool_]:
        what = [half["op"] & np.uint8(OP_MASK) for half in halves]
        is_gap: npt.NDArray[Any] = ((columns["op"] & np.uint8(OP_MASK)) >= OP_ADD_ORDER) & (
            (what[0] == OP_NOTHING) | (what[1] == OP_NOTHING)
        )
        count = int(np.count_nonzero(is_gap))
        if count and self._gap is None:
            row = int(np.argmax(is_gap))
            self._gap = int(columns["ev"][row]), int(columns["order_id"][row]), self._row_count + row
        self.gap_count += count
        return is_gap
