"""The orders that rest in a market by order at a row of its tape: what a piece of the tape that begins there opens with.

Rules:

- Each half has its orders. Those of a price stand in the order of their queue, so that adding them one after the other
  makes the queues anew.
- They are listed in the order in which they joined their queues, over all prices.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    SELL_EVENT,
)
from queuefront.feed.resting_orders_compiled import follow_orders
from queuefront.feed.tape import Tape

__all__ = ["RestingOrders"]

_HALVES: Final = {EXCH_EVENT: OP_AT_EXCH, LOCAL_EVENT: OP_AT_LOCAL}


class RestingOrders:
    """The orders of both halves, followed through a tape from its first row on."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._row = 0
        self._order_no = tape.extra["order_no"]
        count = int(self._order_no.max(initial=-1)) + 1
        self._ids = np.zeros(count, np.uint64)
        self._ids[self._order_no] = tape.extra["order_id"]
        self._prices = tape.instrument.prices(tape.levels)
        self._halves: dict[int, dict[str, npt.NDArray[Any]]] = {
            flag: {
                "is_live": np.zeros(count, np.bool_),
                "is_bid": np.zeros(count, np.bool_),
                "order_level": np.zeros(count, np.int32),
                "order_lots": np.zeros(count, np.int64),
                "place": np.zeros(count, np.int64),
                "era": np.zeros(count, np.int32),
                "eras": np.zeros(2, np.int32),
            }
            for flag in _HALVES
        }

    def move_to(self, row: int) -> None:
        """Apply the rows before `row`, from where it stands."""
        tape = self._tape
        for flag, half in _HALVES.items():
            state = self._halves[flag]
            follow_orders(tape.op, tape.level, tape.lots, self._order_no, self._row, row, half, *state.values())
        self._row = row

    def resting(self, flag: int) -> npt.NDArray[Any]:
        """Return rows that add the orders of one half, EXCH_EVENT or LOCAL_EVENT; without times, and seen by no half."""
        state = self._halves[flag]
        is_bid = state["is_bid"]
        orders = np.flatnonzero(state["is_live"] & (state["era"] == state["eras"][is_bid.astype(np.int64)]))
        orders = orders[np.argsort(state["place"][orders])]
        rows = np.zeros(len(orders), EVENT)
        rows["ev"] = np.where(
            is_bid[orders], np.uint64(ADD_ORDER_EVENT | BUY_EVENT), np.uint64(ADD_ORDER_EVENT | SELL_EVENT)
        )
        rows["px"] = self._prices[state["order_level"][orders]]
        rows["qty"] = self._tape.instrument.quantities(state["order_lots"][orders])
        rows["order_id"] = self._ids[orders]
        return rows
