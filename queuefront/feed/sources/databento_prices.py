"""Convert Databento's market by price (MBP-1, MBP-10) and trades to rows.

Rules:

- Each record of market by price shows all its levels. They are compared with those of the record before: levels that are
  gone make rows of quantity 0, then levels that are new or changed make depth rows; bids before asks. A level that falls
  out of the 1 or 10 that are shown is taken to be gone, as its changes are not shown either.
- Action T makes a trade row, of the taker's side, before the record's own changes of the book. Other actions say why the
  levels changed and make no rows of their own.
- `exch_ts` is `ts_event`, `local_ts` is `ts_recv`. A record of a snapshot was made later than its event; it takes the
  time of receipt for both. `ival` carries the record's flags.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed.conversion import ConversionAccount
from queuefront.feed.sources.databento_compiled import diff_levels
from queuefront.feed.sources.databento_records import (
    SIDES,
    UNDEF_PRICE,
    codes_of,
    find_silence,
    prices_of,
    refuse_records,
    time_faults,
)

__all__ = ["price_rows"]

Records = npt.NDArray[Any]

_ACTIONS: Final = {"A": "add", "C": "cancel", "M": "modify", "R": "clear", "T": "trade", "N": "none"}
_SNAPSHOT_FLAG: Final = 32
_BLOCK_RECORDS: Final = 2**14


def price_rows(records: Records, number: npt.NDArray[np.int64], account: ConversionAccount, *, stops: bool) -> Records:
    """Make the rows in file order; `number` counts the records in the file from 0.

    Raises
    ------
    DataFormatError
        At the first record that cannot be used, if asked to stop there.
    """
    is_trade = records["action"] == ord("T")
    faults = (
        ("action", codes_of(dict.fromkeys(_ACTIONS, 0))[records["action"]] < 0, "is no action of market by price"),
        ("side", codes_of(SIDES)[records["side"]] < 0, "is no side"),
        ("price", is_trade & (records["price"] == UNDEF_PRICE), "is undefined where a price is needed"),
        *time_faults(records),
    )
    is_refused = refuse_records(records, number, faults, account, stops=stops)
    for letter, name in _ACTIONS.items():
        if count := int(np.count_nonzero(~is_refused & (records["action"] == ord(letter)))):
            account.lines_by_kind[name] = count
    taken, number = records[~is_refused], number[~is_refused]
    place, ev, px, qty = _changes(taken)
    trades = np.flatnonzero(taken["action"] == ord("T"))
    order = np.argsort(np.concatenate([trades * 2, place * 2 + 1]), kind="stable")
    place = np.concatenate([trades, place])[order]
    rows = np.zeros(len(place), EVENT)
    rows["ev"] = np.concatenate([TRADE_EVENT | codes_of(SIDES)[taken["side"][trades]], ev])[order]
    rows["px"] = prices_of(np.concatenate([taken["price"][trades], px])[order])
    rows["qty"] = np.concatenate([taken["size"][trades].astype(np.int64), qty])[order]
    rows["exch_ts"], rows["local_ts"] = taken["ts_event"][place], taken["ts_recv"][place]
    rows["ival"] = taken["flags"][place]
    is_late = (rows["ival"] & _SNAPSHOT_FLAG) != 0
    rows["exch_ts"][is_late] = rows["local_ts"][is_late]
    if is_late.any():
        account.notes.append(f"{int(is_late.sum()):,} rows of snapshots took the time of their receipt")
    find_silence(rows, number[place], account)
    return rows


def _changes(
    records: Records,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (record, kind and side, price in 1e-9, quantity) of each level that changed."""
    none: npt.NDArray[Any] = np.zeros(0, np.int64)
    parts: list[tuple[npt.NDArray[Any], ...]] = [(none, none, none, none)]
    if "levels" in (records.dtype.names or ()):
        level_count = records["levels"].shape[1]
        old_px, old_size = np.full((2, level_count), UNDEF_PRICE, np.int64), np.zeros((2, level_count), np.int64)
        room = np.zeros((4 * level_count * _BLOCK_RECORDS, 3), np.int64)
        room_px = np.zeros(len(room), np.int64)
        for begin in range(0, len(records), _BLOCK_RECORDS):
            levels = records["levels"][begin : begin + _BLOCK_RECORDS]
            px = np.stack([levels["bid_px"], levels["ask_px"]], axis=1)
            size = np.stack([levels["bid_sz"], levels["ask_sz"]], axis=1).astype(np.int64)
            n = diff_levels(px, size, old_px, old_size, room, room_px)
            side = np.where(room[:n, 1] == 0, BUY_EVENT, SELL_EVENT)
            parts.append((room[:n, 0] + begin, DEPTH_EVENT | side, room_px[:n].copy(), room[:n, 2].copy()))
    place, ev, px, qty = (np.concatenate(column) for column in zip(*parts, strict=True))
    return place, ev, px, qty
