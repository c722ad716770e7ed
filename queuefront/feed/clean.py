"""Make recorded events usable: shift a local clock that runs behind, and find an order that both halves can follow.

Two clocks stamp a row, the venue's and ours, and they disagree: in offset, so that a message seems to arrive before it was
sent, and in order, so that rows sorted by one go back in time by the other. The first is mended by one shift for all rows,
the second by splitting a row in two, one seen by the exchange half and one by the local half.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import INT64_MAX, INT64_MIN
from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT
from queuefront.core.errors import DataError, TimestampRangeError
from queuefront.feed.clean_compiled import AT_EXCH, AT_LOCAL, merge_orders

__all__ = [
    "EventOrderCheck",
    "OrderViolation",
    "correct_event_order",
    "correct_local_timestamp",
    "find_order_violations",
    "validate_event_order",
]

Events = npt.NDArray[Any]
Times = npt.NDArray[np.int64]

#: Times beyond this leave no room for the difference of two of them in int64.
_TS_MAX: Final = 2**62


class OrderViolation(NamedTuple):
    """A row whose time goes back within its half."""

    half: str  # "exchange" or "local"
    row: int
    ts: int
    previous_ts: int


def correct_local_timestamp(events: Events, base_latency_ns: int = 0, *, always: bool = False) -> tuple[Events, int]:
    """Return a copy whose smallest feed latency is not negative, and the shift added to every `local_ts`, ns.

    Where some latency is negative, the shift lifts the smallest to `base_latency_ns`; otherwise nothing is added, the base
    latency included, as in hftbacktest. With `always`, the base latency is added in every case.

    Raises
    ------
    TimestampRangeError
        If a difference or a shifted time does not fit into int64.
    """
    corrected = events.copy()
    shift = local_shift(times(events, "exch_ts"), times(events, "local_ts"), base_latency_ns, always=always)
    if shift:
        corrected["local_ts"] += np.int64(shift)
    return corrected, shift


def correct_event_order(events: Events) -> Events:
    """Return the rows in an order whose exchange rows ascend by `exch_ts` and whose local rows ascend by `local_ts`.

    A row that has its place in both orders carries both EXCH_EVENT and LOCAL_EVENT; the others stand twice, with one each.
    Rows of equal time keep their order. The result equals that of hftbacktest's function of this name.
    """
    return _ordered(events, times(events, "exch_ts"), times(events, "local_ts"))


def times(events: Events, name: str) -> Times:
    """Return one column of times, contiguous, which everything that looks at all of them wants."""
    return np.ascontiguousarray(events[name])


def local_shift(exch_ts: Times, local_ts: Times, base_latency_ns: int = 0, *, always: bool = False) -> int:
    """Return the shift of `correct_local_timestamp`, ns."""
    if not len(exch_ts):
        return 0
    spans = {name: (int(ts.min()), int(ts.max())) for name, ts in (("exch_ts", exch_ts), ("local_ts", local_ts))}
    return shift_of(spans, int((local_ts - exch_ts).min()), base_latency_ns, always=always)


def shift_of(spans: dict[str, tuple[int, int]], latency_min: int, base_latency_ns: int = 0, *, always: bool = False) -> int:
    """Return the shift of `correct_local_timestamp`, ns, given the first and last time of each clock and the least latency.

    Raises
    ------
    TimestampRangeError
        If a difference or a shifted time does not fit into int64.
    """
    for name, (low, high) in spans.items():
        if low < -_TS_MAX or high > _TS_MAX:
            raise TimestampRangeError(
                f"{name} runs from {low:,} to {high:,}; differences of such times do not fit into int64, check their unit"
            )
    shift = max(-latency_min, 0) + (int(base_latency_ns) if latency_min < 0 or always else 0)
    low, high = spans["local_ts"]
    if not (low + shift >= INT64_MIN and high + shift <= INT64_MAX):
        raise TimestampRangeError(f"local_ts shifted by {shift:,} ns does not fit into int64; check base_latency_ns")
    return shift


def _ordered(events: Events, exch_ts: Times, local_ts: Times) -> Events:
    by_exch, by_local = _stable_order(exch_ts), _stable_order(local_ts)
    if by_exch is None and by_local is None:
        result: Events = events.copy()
        result["ev"] |= np.uint64(EXCH_EVENT | LOCAL_EVENT)
        return result
    identity = np.arange(len(events))
    row, half = merge_orders(
        exch_ts, local_ts, identity if by_exch is None else by_exch, identity if by_local is None else by_local
    )
    result = events.take(row)
    flags = np.zeros(4, np.uint64)
    flags[AT_EXCH], flags[AT_LOCAL], flags[AT_EXCH | AT_LOCAL] = EXCH_EVENT, LOCAL_EVENT, EXCH_EVENT | LOCAL_EVENT
    result["ev"] |= flags.take(half)
    return result


def _stable_order(ts: Times) -> Times | None:
    is_sorted = bool((ts[1:] >= ts[:-1]).all())
    return None if is_sorted else np.argsort(ts, kind="stable")


_HALVES: Final = (("exchange", EXCH_EVENT, "exch_ts"), ("local", LOCAL_EVENT, "local_ts"))


def find_order_violations(events: Events, limit: int = 100) -> list[OrderViolation]:
    """Return the first rows (at most `limit` a half) at which a half's time goes back."""
    found: list[OrderViolation] = []
    for half, flag, name in _HALVES:
        rows = np.flatnonzero(events["ev"] & np.uint64(flag))
        ts = events[name][rows]
        back = np.flatnonzero(ts[1:] < ts[:-1])[:limit]
        found.extend(OrderViolation(half, int(rows[i + 1]), int(ts[i + 1]), int(ts[i])) for i in back)
    return found


def validate_event_order(events: Events, source: str = "events") -> None:
    """Check that each half's times never go back.

    Raises
    ------
    DataError
        Naming the first row that does.
    """
    EventOrderCheck(source).take(events)


class EventOrderCheck:
    """The check of `validate_event_order`, of events that come part by part."""

    def __init__(self, source: str = "events") -> None:
        self._source = source
        self._row_count = 0
        self._last: dict[str, int] = {}  # time of each half's last row

    def take(self, events: Events) -> None:
        """Check the next events.

        Raises
        ------
        DataError
            Naming the first row at which a half's time goes back.
        """
        violations = find_order_violations(events, limit=1)
        for half, flag, name in _HALVES:
            is_seen = (events["ev"] & np.uint64(flag)) != 0
            first = int(np.argmax(is_seen)) if len(events) else 0
            if not len(events) or not is_seen[first]:
                continue
            ts, last_ts = events[name], self._last.get(half)
            if last_ts is not None and int(ts[first]) < last_ts:
                violations.append(OrderViolation(half, first, int(ts[first]), last_ts))
            self._last[half] = int(ts[len(events) - 1 - int(np.argmax(is_seen[::-1]))])
        if violations:
            first_bad = min(violations, key=lambda v: v.row)
            half, row, back_ns = first_bad.half, self._row_count + first_bad.row, first_bad.previous_ts - first_bad.ts
            name = "exch_ts" if half == "exchange" else "local_ts"
            raise DataError(
                f"{self._source}: row {row:,}: {name} of the {half} half goes back {back_ns:,} ns, to {first_bad.ts}; "
                "put the rows in order with queuefront.feed.correct_event_order"
            )
        self._row_count += len(events)
