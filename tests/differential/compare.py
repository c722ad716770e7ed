"""Says where two logs of one case differ, and which differences the reference's known defects excuse.

Integers are equal, or they are not. Quantities are equal as counts of lots; the reference adds them up as floats, so the
floats themselves may differ by 1e-9. Prices may differ in the last digit, because tick × tick size rounds. Money may
differ by 1e-9 of everything that was ever traded or paid (spec B13.5, row D8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from queuefront.core.enums import (
    CANCELED,
    END_OF_DATA,
    EXPIRED,
    INVALID_ORDER_STATUS,
    NO_ASK_TICK,
    NO_BID_TICK,
    ORDER_ID_EXISTS,
)
from tests.differential.engines import AssetCase, Case
from tests.differential.log import ORDER_IDS, Column, Log, float_columns, int_columns

MONEY: Final = ("balance", "fee", "trading_value")
LOTS: Final = ("qty", "leaves_qty", "exec_qty", "position", "state_position", "trading_volume")
PRICES: Final = ("best_bid", "best_ask", "price", "exec_price")
EXECUTION: Final = ("exec_price_tick", "exec_qty", "exec_price")

#: Row D6: the reference answers a cancel with the placement's request time.
ALWAYS_IGNORED: Final = ("latency_req_ts",)
#: Rows D1 and D2: the reference does not book partial executions.
IGNORED_WITH_PARTIAL_FILLS: Final = (*MONEY, "position", "state_position", "trading_volume", "num_trades")

RELATIVE_TOLERANCE: Final = 1e-9
_NEVER: Final = 2**62


@dataclass(frozen=True)
class Difference:
    """One column that differs after one call."""

    row: int
    column: Column
    reference: float
    subject: float

    def __str__(self) -> str:
        return f"after call {self.row}: {self.column} is {self.reference!r} in the reference, {self.subject!r} in ours"


def comparable_rows(case: Case, reference: Log) -> tuple[int, str]:
    """Return how many calls can be compared, and the row of the defect list that ends the comparison, if one does."""
    ends = [(len(reference), "")]
    if case.has_partial_fills:
        broken = np.isin(reference.ints[:, 0], (ORDER_ID_EXISTS, INVALID_ORDER_STATUS))
        ends.append((_first(broken), "D3"))
    if any(asset.latency[0] == "interpolated" for asset in case.assets):
        # The clock stays behind what was answered already, and the reference's table reads forward only.
        ends.append((_first(reference.ints[:, 0] == END_OF_DATA) + 1, "D59"))
    for asset in range(len(case.assets)):
        for order in range(1, ORDER_IDS + 1):
            executed = reference.column("exec_price_tick", asset, order)
            # A market order that met an empty side at the exchange.
            ends.append((_first(np.isin(executed, (NO_BID_TICK, NO_ASK_TICK))), "D15"))
            if case.assets[asset].exchange == "partial_fill":
                # A filled order that stayed in the book, and was found there by a cancel under way.
                is_canceled = reference.column("status", asset, order) == CANCELED
                ends.append((_first(is_canceled & (reference.column("leaves_qty", asset, order) < 1e-12)), "D3"))
    return min(ends)


def differences(
    case: Case, reference: Log, subject: Log, *, ignored: tuple[str, ...] = (), money: bool = False
) -> list[Difference]:
    """Return every column that differs after the first call after which any does.

    ignored : further columns to leave out, by name.
    money : compare money with partial fills too, for an engine that books as the reference does.
    """
    rows = min(comparable_rows(case, reference)[0], len(subject))
    ignored = (*ALWAYS_IGNORED, *ignored)
    if case.has_partial_fills and not money:
        ignored = (*ignored, *IGNORED_WITH_PARTIAL_FILLS)
    bad_ints = reference.ints[:rows] != subject.ints[:rows]
    bad_floats = _unequal_floats(case, reference.head(rows), subject.head(rows))
    columns = (int_columns(reference.assets), float_columns(reference.assets))
    for bad, names in zip((bad_ints, bad_floats), columns, strict=True):
        bad[:, [column.name in ignored for column in names]] = False
        if case.has_partial_fills and not money:
            _excuse_expired(bad, names, reference.head(rows))
    row = min(_first(bad_ints.any(axis=1)), _first(bad_floats.any(axis=1)))
    if row >= rows:
        return []
    found = []
    for bad, names, ours, theirs in zip(
        (bad_ints, bad_floats), columns, (subject.ints, subject.floats), (reference.ints, reference.floats), strict=True
    ):
        found += [Difference(row, names[i], theirs[row, i].item(), ours[row, i].item()) for i in np.flatnonzero(bad[row])]
    return found


def _first(flags: np.ndarray) -> int:
    return int(flags.argmax()) if flags.any() else _NEVER


def _excuse_expired(bad: np.ndarray, names: tuple[Column, ...], reference: Log) -> None:
    """Row D2: an order that expires after executions shows the last of them in the reference, none in ours."""
    for i, column in enumerate(names):
        if column.name in EXECUTION:
            bad[reference.column("status", column.asset, column.order) == EXPIRED, i] = False


def _unequal_floats(case: Case, reference: Log, subject: Log) -> np.ndarray:
    x, y = reference.floats, subject.floats
    bad = ~((x == y) | (np.isnan(x) & np.isnan(y)))
    for i, column in enumerate(float_columns(reference.assets)):
        if not bad[:, i].any():
            continue
        if column.name in LOTS:
            bad[:, i] = _unequal_quantities(x[:, i], y[:, i], case.assets[column.asset].lot_size)
        elif column.name in PRICES:
            bad[:, i] = ~np.isclose(x[:, i], y[:, i], rtol=1e-12, atol=0, equal_nan=True)
        elif column.name in MONEY:
            gross = _gross(case.assets[column.asset], column, reference)
            bad[:, i] = ~(np.abs(x[:, i] - y[:, i]) <= RELATIVE_TOLERANCE * gross)
    return bad


def _unequal_quantities(x: np.ndarray, y: np.ndarray, lot_size: float) -> np.ndarray:
    same_lots = np.rint(x / lot_size) == np.rint(y / lot_size)
    return ~(same_lots & (np.abs(x - y) <= RELATIVE_TOLERANCE * np.maximum(1.0, np.abs(x))))


def _gross(asset: AssetCase, column: Column, log: Log) -> np.ndarray:
    """Return the sum of everything that went into a sum, whatever its sign: what its rounding errors scale with."""
    if column.name != "fee":
        return log.column("trading_value", column.asset)
    kind, maker, taker = asset.fee
    per = {"trading_value": "trading_value", "trading_qty": "trading_volume", "flat": "num_trades"}[kind]
    return max(abs(maker), abs(taker)) * log.column(per, column.asset).astype(np.float64)
