"""Order latencies (spec B5), with D28 and D29 mended.

- *Constant*: the given values. A negative entry latency is a technical rejection after its absolute value.
- *Table*: measured round trips (req_ts, exch_ts, resp_ts), ascending; `exch_ts <= 0` marks a request the exchange refused.
  Requests beside a refused row are refused, at either end too (D29); responses are interpolated between the answered rows
  alone (D28).

Beyond the specification, a constant latency may have entry latencies of its own for cancels and for modifies. They share
the bus with new orders: a message never overtakes an earlier one, so a fast cancel behind a slow order arrives with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from queuefront.core.enums import CANCELED, REPLACED

__all__ = ["ConstantLatency", "Latency", "TableLatency"]


@dataclass(frozen=True)
class ConstantLatency:
    """The same latencies all the time, ns; None stands for the entry latency of new orders."""

    entry_ns: int = 0
    response_ns: int = 0
    cancel_ns: int | None = None
    modify_ns: int | None = None

    def entry(self, req: int, now: int) -> int:
        if req == CANCELED and self.cancel_ns is not None:
            return self.cancel_ns
        if req == REPLACED and self.modify_ns is not None:
            return self.modify_ns
        return self.entry_ns

    def response(self, now: int) -> int:
        return self.response_ns


def interpolate(u: int, u1: int, y1: int, u2: int, y2: int) -> int:
    """Division first, then product, truncated toward zero (spec B5.4)."""
    return math.trunc(float(y2 - y1) / float(u2 - u1) * float(u - u1)) + y1


@dataclass
class TableLatency:
    """Latencies between measured round trips (req_ts, exch_ts, resp_ts)."""

    rows: list[tuple[int, int, int]]
    entry_cursor: int = field(default=0, init=False)
    response_cursor: int = field(default=0, init=False)

    def entry(self, req: int, now: int) -> int:
        """Return the latency of a request at `now`; negative if it is refused (spec B5.5)."""
        if self.rows[0][0] > now:
            return self._entry_of_row(self.rows[0])
        self.entry_cursor = _advance(self.entry_cursor, [req_ts for req_ts, _, _ in self.rows], now)
        if self.entry_cursor + 1 == len(self.rows):
            return self._entry_of_row(self.rows[-1])
        (u1, exch1, resp1), (u2, exch2, resp2) = self.rows[self.entry_cursor : self.entry_cursor + 2]
        if exch1 > 0 and exch2 > 0:
            return interpolate(now, u1, exch1 - u1, u2, exch2 - u2)
        return -interpolate(now, u1, resp1 - u1, u2, resp2 - u2)

    def response(self, now: int) -> int:
        """Return the latency of an answer given at `now` (spec B5.6)."""
        answered = [(exch_ts, resp_ts) for _, exch_ts, resp_ts in self.rows if exch_ts > 0]
        if answered[0][0] > now:
            return answered[0][1] - answered[0][0]
        self.response_cursor = _advance(self.response_cursor, [exch_ts for exch_ts, _ in answered], now)
        if self.response_cursor + 1 == len(answered):
            return answered[-1][1] - answered[-1][0]
        (u1, resp1), (u2, resp2) = answered[self.response_cursor : self.response_cursor + 2]
        return interpolate(now, u1, resp1 - u1, u2, resp2 - u2)

    @staticmethod
    def _entry_of_row(row: tuple[int, int, int]) -> int:
        req_ts, exch_ts, resp_ts = row
        return exch_ts - req_ts if exch_ts > 0 else -(resp_ts - req_ts)


def _advance(cursor: int, times: list[int], now: int) -> int:
    """Move a cursor, forward only, to the last row that is not after `now`."""
    while cursor + 1 < len(times) and times[cursor + 1] <= now:
        cursor += 1
    return cursor


Latency = ConstantLatency | TableLatency
