"""The bounded-range book for Python: an L2 book over every tick of a range, by price or by order (rules: `range_compiled`).

One instance is market by price or market by order, whichever comes first, and refuses the other: an order that a priced
update had already counted could not be taken out again.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.book.l2_compiled import NO_BID, clear_asks, clear_bids, set_ask, set_bid
from queuefront.book.range_compiled import (
    OUTSIDE,
    apply_operations,
    clear_asks_in_range,
    clear_bids_in_range,
    level_in_range,
)
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import BUY, BUY_EVENT, DEPTH_SNAPSHOT_EVENT, NO_ASK_TICK, NO_BID_TICK, SELL, SELL_EVENT
from queuefront.core.errors import ConfigError, CrossedBookError, DataError
from queuefront.core.instrument import Instrument

__all__ = ["RangeBook"]

_LEVELS_MAX: Final = 2**28
_MANY: Final = 2**53

Crossed = Literal["raise", "newer-wins"]


class _Order(NamedTuple):
    side: int
    tick: int
    lots: int


class RangeBook:
    """A book that holds the ticks from `low_tick` to `high_tick`, both included, and no others.

    Its bests are those of the range. What lies outside is ignored and counted in `outside_count`; orders outside are
    remembered without weight, so that a modify can bring them in, and are those of `orders_outside_count`. Quantities that
    round to zero lots are none; prices and quantities that are no numbers are refused and counted in `refused_count`.

    Parameters
    ----------
    instrument : the grid.
    low_tick, high_tick : the range.
    crossed : what a snapshot does whose best bid is not below its best ask: `raise`, or `newer-wins`, the rule of updates,
        in the order of its rows.

    Raises
    ------
    ConfigError
        For an empty or absurdly large range, or an unknown policy.
    """

    def __init__(self, instrument: Instrument, low_tick: int, high_tick: int, crossed: Crossed = "raise") -> None:
        if not -_MANY <= low_tick <= high_tick <= _MANY or high_tick - low_tick >= _LEVELS_MAX:
            raise ConfigError(
                f"the range of ticks {low_tick:,} to {high_tick:,} is no book's; give a lower and an upper tick, "
                f"at most {_LEVELS_MAX:,} of them"
            )
        if crossed not in ("raise", "newer-wins"):
            raise ConfigError(f"crossed is {crossed!r}; choose 'raise' or 'newer-wins'")
        self.instrument = instrument
        self.low_tick, self.high_tick = int(low_tick), int(high_tick)
        self.outside_count = self.refused_count = 0
        self._crossed = crossed
        self._orders: dict[int, _Order] | None = None
        self._is_by_price = False
        count = self.high_tick - self.low_tick + 1
        self._bid_lots, self._ask_lots = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._state = np.array([NO_BID, count, count, NO_BID])  # best_bid, best_ask, low_bid, high_ask

    # --- by price -----------------------------------------------------------------------------------------------------
    def set_bid(self, tick: int, lots: int) -> None:
        """Set the lots bid at a tick; zero or less removes the level, and a tick outside is ignored."""
        self._be_by_price()
        self._set(BUY, tick, lots)

    def set_ask(self, tick: int, lots: int) -> None:
        """Set the lots offered at a tick; zero or less removes the level, and a tick outside is ignored."""
        self._be_by_price()
        self._set(SELL, tick, lots)

    def update_bid(self, price: float, qty: float) -> bool:
        """Set the quantity bid at a price, each to the nearest step; return False, and count it, where one is no number."""
        return self._update(BUY, price, qty)

    def update_ask(self, price: float, qty: float) -> bool:
        """Set the quantity offered at a price; see `update_bid`."""
        return self._update(SELL, price, qty)

    def apply(self, operations: npt.NDArray[np.int64]) -> None:
        """Apply many settings and clears: int64[n, 3] of what (0 bid, 1 ask, 2 clear bids, 3 clear asks), tick and lots."""
        self._be_by_price()
        self.outside_count += apply_operations(
            np.ascontiguousarray(operations, np.int64), self.low_tick, self._bid_lots, self._ask_lots, self._state
        )

    def clear_bids(self, down_to_tick: int | None = None) -> None:
        """Remove the bids from the best down to a tick, or all of them; by order, all bid orders are forgotten."""
        bid, _, low, _ = self._state
        if self._orders is not None or down_to_tick is None:
            bid, low = clear_bids(self._bid_lots, -1, bid, low)
        else:
            bid, low = clear_bids_in_range(self._bid_lots, self._bounded(down_to_tick), self.low_tick, bid, low)
        self._state[0], self._state[2] = bid, low
        self._forget(BUY)

    def clear_asks(self, up_to_tick: int | None = None) -> None:
        """Remove the asks from the best up to a tick, or all of them; by order, all ask orders are forgotten."""
        _, ask, _, high = self._state
        if self._orders is not None or up_to_tick is None:
            ask, high = clear_asks(self._ask_lots, -1, ask, high)
        else:
            ask, high = clear_asks_in_range(self._ask_lots, self._bounded(up_to_tick), self.low_tick, ask, high)
        self._state[1], self._state[3] = ask, high
        self._forget(SELL)

    def apply_snapshot(self, rows: npt.NDArray[Any]) -> None:
        """Replace the book by the levels of snapshot rows, EVENT[n]; of `ev` only the side counts.

        Raises
        ------
        DataError
            If a price or quantity is no number, or negative; the book is unchanged.
        CrossedBookError
            If the snapshot is crossed and the policy is to raise; the book is unchanged.
        """
        is_bid = (rows["ev"] & np.uint64(BUY_EVENT)) != 0
        is_used = is_bid | ((rows["ev"] & np.uint64(SELL_EVENT)) != 0)
        is_bad = is_used & ~(np.isfinite(rows["px"]) & np.isfinite(rows["qty"]) & (rows["qty"] >= 0.0))
        if is_bad.any():
            row = int(np.argmax(is_bad))
            self.refused_count += int(np.count_nonzero(is_bad))
            raise DataError(
                f"row {row:,} of the snapshot: price {rows['px'][row]}, quantity {rows['qty'][row]} is no level; "
                "fetch the snapshot again"
            )
        ticks, lots = self.instrument.ticks(rows["px"])[0], self.instrument.lots(rows["qty"])[0]
        is_held = is_used & (lots > 0) & (ticks >= self.low_tick) & (ticks <= self.high_tick)
        bids, asks = ticks[is_held & is_bid], ticks[is_held & ~is_bid]
        if self._crossed == "raise" and len(bids) and len(asks) and bids.max() >= asks.min():
            raise CrossedBookError(
                f"the snapshot's best bid {self._price(bids.max())} is not below its best ask {self._price(asks.min())}; "
                "fetch the snapshot again, or choose crossed='newer-wins'"
            )
        self.clear_bids()
        self.clear_asks()
        self._orders, self._is_by_price = None, False
        self.apply(np.column_stack([np.where(is_bid, 0, 1), ticks, lots])[is_used])

    # --- by order -----------------------------------------------------------------------------------------------------
    def add_order(self, order_id: int, side: int, tick: int, lots: int) -> bool:
        """Add an order; return False, and count it, where the id is there already or the lots are not positive."""
        orders = self._be_by_order()
        if order_id in orders or lots <= 0:
            self.refused_count += 1
            return False
        orders[order_id] = _Order(side, int(tick), int(lots))
        self._add_lots(side, tick, lots)
        return True

    def modify_order(self, order_id: int, tick: int, lots: int) -> bool:
        """Give an order another tick and quantity; return False, and count it, where there is no such order."""
        orders = self._be_by_order()
        if order_id not in orders or lots <= 0:
            self.refused_count += 1
            return False
        old = orders[order_id]
        orders[order_id] = _Order(old.side, int(tick), int(lots))
        if tick == old.tick:
            self._change_lots(old.side, tick, lots - old.lots)
        else:
            self._change_lots(old.side, old.tick, -old.lots)
            self._add_lots(old.side, tick, lots)
        return True

    def delete_order(self, order_id: int) -> bool:
        """Remove an order; return False, and count it, where there is none."""
        old = self._be_by_order().pop(order_id, None)
        if old is None:
            self.refused_count += 1
            return False
        self._change_lots(old.side, old.tick, -old.lots)
        return True

    @property
    def orders_outside_count(self) -> int:
        """How many orders are remembered that lie outside of the range."""
        orders = self._orders or {}
        return sum(not self.low_tick <= order.tick <= self.high_tick for order in orders.values())

    # --- questions ----------------------------------------------------------------------------------------------------
    @property
    def best_bid_tick(self) -> int:
        """Highest bid of the range, or NO_BID_TICK."""
        level = int(self._state[0])
        return NO_BID_TICK if level == NO_BID else self.low_tick + level

    @property
    def best_ask_tick(self) -> int:
        """Lowest ask of the range, or NO_ASK_TICK."""
        level = int(self._state[1])
        return NO_ASK_TICK if level == len(self._ask_lots) else self.low_tick + level

    def bid_lots_at(self, tick: int) -> int:
        """Lots bid at a tick, hidden ones included; 0 outside."""
        level = level_in_range(self._bounded(tick), self.low_tick, len(self._bid_lots))
        return 0 if level == OUTSIDE else int(self._bid_lots[level])

    def ask_lots_at(self, tick: int) -> int:
        """Lots offered at a tick, hidden ones included; 0 outside."""
        level = level_in_range(self._bounded(tick), self.low_tick, len(self._ask_lots))
        return 0 if level == OUTSIDE else int(self._ask_lots[level])

    def bid_depth(self) -> npt.NDArray[np.int64]:
        """Lots bid at every tick of the range, from the lowest; a copy (H5.10)."""
        return self._bid_lots.copy()

    def ask_depth(self) -> npt.NDArray[np.int64]:
        """Lots offered at every tick of the range, from the lowest; a copy."""
        return self._ask_lots.copy()

    def snapshot(self) -> npt.NDArray[Any]:
        """Return the visible levels as EVENT rows, bids from the best down, then asks from the best up; a copy."""
        bid, ask = int(self._state[0]), int(self._state[1])
        bids, asks = np.flatnonzero(self._bid_lots[: bid + 1])[::-1], ask + np.flatnonzero(self._ask_lots[ask:])
        rows = np.zeros(len(bids) + len(asks), EVENT)
        rows["ev"][: len(bids)] = DEPTH_SNAPSHOT_EVENT | BUY_EVENT
        rows["ev"][len(bids) :] = DEPTH_SNAPSHOT_EVENT | SELL_EVENT
        rows["px"] = self.instrument.prices(self.low_tick + np.concatenate([bids, asks]))
        rows["qty"] = self.instrument.quantities(np.concatenate([self._bid_lots[bids], self._ask_lots[asks]]))
        return rows

    # --- inside -------------------------------------------------------------------------------------------------------
    def _set(self, side: int, tick: int, lots: int) -> None:
        level = level_in_range(self._bounded(tick), self.low_tick, len(self._bid_lots))
        if level == OUTSIDE:
            self.outside_count += 1
            return
        bid, ask, low, high = self._state
        if side == BUY:
            bid, ask, low = set_bid(self._bid_lots, self._ask_lots, level, lots, bid, ask, low, high)
        else:
            bid, ask, high = set_ask(self._bid_lots, self._ask_lots, level, lots, bid, ask, low, high)
        self._state[:] = bid, ask, low, high

    def _add_lots(self, side: int, tick: int, lots: int) -> None:
        before = self.bid_lots_at(tick) if side == BUY else self.ask_lots_at(tick)
        self._set(side, tick, before + lots)

    def _change_lots(self, side: int, tick: int, lots: int) -> None:
        """Change a level that an order stands at: its place in the market stays, hidden or not, unless it goes."""
        level = level_in_range(self._bounded(tick), self.low_tick, len(self._bid_lots))
        column = self._bid_lots if side == BUY else self._ask_lots
        if level == OUTSIDE or column[level] + lots <= 0:
            self._set(side, tick, 0)
        else:
            column[level] += lots

    def _update(self, side: int, price: float, qty: float) -> bool:
        self._be_by_price()
        if not (np.isfinite(price) and np.isfinite(qty) and qty >= 0.0):
            self.refused_count += 1
            return False
        if abs(price) > float(self.instrument.tick_size) * _MANY or qty > float(self.instrument.lot_size) * _MANY:
            self.refused_count += 1
            return False
        tick, lots = self.instrument.ticks(np.array([price]))[0][0], self.instrument.lots(np.array([qty]))[0][0]
        self._set(side, int(tick), int(lots))
        return True

    def _be_by_price(self) -> None:
        if self._orders is not None:
            raise DataError("the book is by order and cannot take levels too; make one book for each feed")
        self._is_by_price = True

    def _be_by_order(self) -> dict[int, _Order]:
        if self._is_by_price:
            raise DataError("the book is by price and cannot take orders too; make one book for each feed")
        if self._orders is None:
            self._orders = {}
        return self._orders

    def _forget(self, side: int) -> None:
        if self._orders is not None:
            self._orders = {i: order for i, order in self._orders.items() if order.side != side}

    def _bounded(self, tick: int) -> int:
        """Return a tick that compiled code can take, on the same side of the range."""
        return max(-2 * _MANY, min(2 * _MANY, int(tick)))

    def _price(self, tick: Any) -> str:
        return format(self.instrument.tick_to_price(int(tick)), "f")
