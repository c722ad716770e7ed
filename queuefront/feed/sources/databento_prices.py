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
    Silence,
    codes_of,
    prices_of,
    refuse_records,
    time_faults,
)

__all__ = ["PriceRows"]

Records = npt.NDArray[Any]

_ACTIONS: Final = {"A": "add", "C": "cancel", "M": "modify", "R": "clear", "T": "trade", "N": "none"}
_SNAPSHOT_FLAG: Final = 32
_BLOCK_RECORDS: Final = 2**14


class PriceRows:
    """Make the rows of market by price and of trades in file order."""

    def __init__(self, account: ConversionAccount, *, stops: bool) -> None:
        self._account, self._stops = account, stops
        self._silence = Silence(account)
        self._counts = dict.fromkeys(_ACTIONS, 0)
        self._late_count = 0
        self._levels: _Levels | None = None

    def rows(self, records: Records, number: npt.NDArray[np.int64]) -> Records:
        """Return the rows of records; `number` counts them in the file from 0.

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
        is_refused = refuse_records(records, number, faults, self._account, stops=self._stops)
        for letter in _ACTIONS:
            self._counts[letter] += int(np.count_nonzero(~is_refused & (records["action"] == ord(letter))))
        taken, number = records[~is_refused], number[~is_refused]
        if self._levels is None:
            self._levels = _Levels(taken.dtype)
        place, ev, px, qty = self._levels.changes(taken)
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
        self._late_count += int(is_late.sum())
        self._silence.take(rows, number[place])
        return rows

    def end(self) -> None:
        """Tell the account what was seen."""
        for letter, name in _ACTIONS.items():
            if self._counts[letter]:
                self._account.lines_by_kind[name] = self._counts[letter]
        if self._late_count:
            self._account.notes.append(f"{self._late_count:,} rows of snapshots took the time of their receipt")


class _Levels:
    """The levels that the last record showed, of none yet."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._count = dtype["levels"].shape[0] if "levels" in (dtype.names or ()) else 0
        self._old_px = np.full((2, self._count), UNDEF_PRICE, np.int64)
        self._old_size = np.zeros((2, self._count), np.int64)
        self._room = np.zeros((4 * self._count * _BLOCK_RECORDS, 3), np.int64)
        self._room_px = np.zeros(len(self._room), np.int64)

    def changes(
        self, records: Records
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (record, kind and side, price in 1e-9, quantity) of each level that changed."""
        none: npt.NDArray[Any] = np.zeros(0, np.int64)
        parts: list[tuple[npt.NDArray[Any], ...]] = [(none, none, none, none)]
        for begin in range(0, len(records) if self._count else 0, _BLOCK_RECORDS):
            levels = records["levels"][begin : begin + _BLOCK_RECORDS]
            px = np.stack([levels["bid_px"], levels["ask_px"]], axis=1)
            size = np.stack([levels["bid_sz"], levels["ask_sz"]], axis=1).astype(np.int64)
            n = diff_levels(px, size, self._old_px, self._old_size, self._room, self._room_px)
            side = np.where(self._room[:n, 1] == 0, BUY_EVENT, SELL_EVENT)
            parts.append(
                (self._room[:n, 0] + begin, DEPTH_EVENT | side, self._room_px[:n].copy(), self._room[:n, 2].copy())
            )
        place, ev, px, qty = (np.concatenate(column) for column in zip(*parts, strict=True))
        return place, ev, px, qty
