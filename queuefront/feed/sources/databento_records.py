"""What records of every schema of Databento share on their way to rows: letters, prices, refusals and silence."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import BUY_EVENT, SELL_EVENT
from queuefront.core.errors import DataFormatError
from queuefront.feed.conversion import LIST_MAX, ConversionAccount, Gap, Refusal
from queuefront.feed.sources.csv_columns import TS_MAX, TS_MIN

__all__ = ["SIDES", "UNDEF_PRICE", "Silence", "codes_of", "prices_of", "refuse_records", "time_faults"]

Records = npt.NDArray[Any]
Faults = tuple[tuple[str, npt.NDArray[np.bool_], str], ...]
"""Field, which records are faulty in it, what is wrong with them."""

SIDES: Final = {"B": BUY_EVENT, "A": SELL_EVENT, "N": 0}
UNDEF_PRICE: Final = 2**63 - 1
_NO_TIME: Final = "is no time in ns between 1990-01-01 and 2100-01-01"
_PRICE_SCALE: Final = 10**9


def codes_of(codes: dict[str, int]) -> npt.NDArray[np.int64]:
    """Return a table of the code of each letter, -1 where it has none."""
    table = np.full(256, -1, np.int64)
    for letter, code in codes.items():
        table[ord(letter)] = code
    return table


def refuse_records(
    records: Records,
    number: npt.NDArray[np.int64],
    faults: Faults,
    account: ConversionAccount,
    *,
    stops: bool,
) -> npt.NDArray[np.bool_]:
    """Return which records cannot be used; raise at the first one if asked to."""
    is_refused: npt.NDArray[np.bool_] = np.logical_or.reduce([is_faulty for _, is_faulty, _ in faults])
    account.refused_count += int(np.count_nonzero(is_refused))
    for i in np.flatnonzero(is_refused)[: LIST_MAX - len(account.refused)]:
        name, _, what = next(fault for fault in faults if fault[1][i])
        value = int(records[name][i])
        shown = repr(chr(value)) if name in ("action", "side") else f"{value}"
        if stops:
            raise DataFormatError(
                f"{account.path}: record {number[i] + 1:,}, field {name}: {shown} {what}; "
                "fetch the file again or convert with on_bad='skip'"
            )
        order = f"order_id {records['order_id'][i]}, " if "order_id" in (records.dtype.names or ()) else ""
        text = f"{order}ts_recv {records['ts_recv'][i]}, sequence {records['sequence'][i]}"
        account.refused.append(Refusal(int(number[i]) + 1, f"{name} {shown} {what}", text))
    return is_refused


def prices_of(steps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the nearest float64 of each price, NaN where it is undefined."""
    prices = steps / np.float64(_PRICE_SCALE)
    for i in np.flatnonzero(np.abs(steps) > 2**53):  # not exact as float64, so that dividing would round twice
        prices[i] = np.nan if steps[i] == UNDEF_PRICE else int(steps[i]) / _PRICE_SCALE
    return prices


def time_faults(records: Records) -> Faults:
    """Return the faults of times that no market has."""
    return tuple(
        (name, (records[name] < np.uint64(TS_MIN)) | (records[name] > np.uint64(TS_MAX)), _NO_TIME)
        for name in ("ts_event", "ts_recv")
    )


class Silence:
    """Tell an account of silence between rows that come part by part."""

    def __init__(self, account: ConversionAccount) -> None:
        self._account = account
        self._last_local_ts: int | None = None

    def take(self, rows: Records, number: npt.NDArray[np.int64]) -> None:
        """Look at rows; `number` counts their records in the file from 0."""
        if not len(rows):
            return
        account, local_ts = self._account, np.ascontiguousarray(rows["local_ts"])
        silence = np.diff(local_ts, prepend=local_ts[0] if self._last_local_ts is None else self._last_local_ts)
        self._last_local_ts = int(local_ts[-1])
        late = np.flatnonzero(silence > account.gap_threshold_ns)
        account.gap_count += len(late)
        for i in late[: LIST_MAX - len(account.gaps)]:
            account.gaps.append(Gap("time", int(number[i]) + 1, int(local_ts[i]), int(silence[i])))
