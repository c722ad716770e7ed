"""Split a tape by time, and put tapes that follow on one another together.

Rules:

- A tape is cut before the first row that the local half sees at or after a time. Rows stay in their order, so the pieces
  together are the rows of the tape.
- A piece that begins in mid-stream opens with the book of each half at the cut: a clear of both sides and snapshot rows,
  one set for both halves where their books are equal. Levels that the other side has crossed are hidden and left out.
  Of a market by order it opens with the orders that rest at the cut, in the order of their queues (`resting_orders`).
- Putting pieces of one tape together again, in order and without a hole, gives the tape itself: the opening rows are left
  out. Other tapes must be of the same instrument and follow on one another in both clocks; one that does not open with a
  clear of the book goes on with the book before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import format_ts
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import DEPTH_CLEAR_EVENT, EXCH_EVENT, LOCAL_EVENT
from queuefront.core.errors import ConfigError, DataError
from queuefront.feed.last_snapshot import SnapshotBook
from queuefront.feed.resting_orders import RestingOrders
from queuefront.feed.tape import Tape
from queuefront.feed.tape_layout import OnGap

__all__ = ["concat_tapes", "cuts_every", "split_tape"]

Events = npt.NDArray[Any]

_SPLIT: Final = "split"  # in a tape's account: which piece of which tape it is
_HALVES: Final = EXCH_EVENT | LOCAL_EVENT
_CUTS_MAX: Final = 100_000


def cuts_every(tape: Tape, interval_ns: int) -> list[int]:
    """Return the multiples of an interval, counted from 1970, within the local times of a tape.

    Raises
    ------
    ConfigError
        If the interval is not positive, or makes more than 100,000 pieces.
    """
    if interval_ns < 1:
        raise ConfigError(f"the interval is {interval_ns:,} ns; give at least 1")
    first, last = tape.meta["first_local_ts"], tape.meta["last_local_ts"]
    if first is None:
        return []
    begin, end = first // interval_ns + 1, last // interval_ns
    if end - begin >= _CUTS_MAX:
        raise ConfigError(f"an interval of {interval_ns:,} ns makes {end - begin + 2:,} pieces; give a longer one")
    return [k * interval_ns for k in range(begin, end + 1)]


def split_tape(tape: Tape, at: Sequence[int], name: str = "tape") -> Iterator[Tape]:
    """Yield the pieces of a tape between times, one after the other; pieces without a row are left out.

    Parameters
    ----------
    tape : a market by price or by order.
    at : local times at which a piece begins, ns, ascending.
    name : of the tape, for messages.

    Raises
    ------
    ConfigError
        If the times do not ascend.
    DataError
        For rows off the grid.
    """
    if any(b <= a for a, b in pairwise(at)):
        raise ConfigError("the times to split at do not ascend; give each once, in order")
    events = tape.to_events()
    local_rows = np.flatnonzero(events["ev"] & np.uint64(LOCAL_EVENT))
    places = _places(local_rows, np.ascontiguousarray(events["local_ts"])[local_rows], at, len(events))
    opening_of = _orders_at(tape) if tape.is_by_order else _levels_at(tape, events, name)
    on_gap: OnGap = "skip" if tape.meta.get("gap_rows") else "stop"
    base = str(tape.meta.get("checksum"))
    part = 0
    for begin, end in zip([0, *places], [*places, len(events)], strict=True):
        if begin == end:
            continue
        rows = events[begin:end]
        opening = _opening(opening_of(begin), rows) if part else events[:0]
        told = {"of": base, "part": part, "opening_rows": len(opening), "first_row": begin}
        account = {**(tape.meta.get("account") or {}), _SPLIT: told}
        yield Tape.build(
            np.concatenate([opening, rows]),
            tape.instrument,
            source=str(tape.meta["source"]),
            account=account,
            on_gap=on_gap,
        )
        part += 1


def _places(local_rows: npt.NDArray[np.int64], local_ts: npt.NDArray[np.int64], at: Sequence[int], count: int) -> list[int]:
    """Return before which row of `count` each time cuts; `local_ts` are those of the local rows."""
    found = np.searchsorted(local_ts, np.asarray(at, np.int64))
    return [int(local_rows[i]) if i < len(local_rows) else count for i in found]


def _levels_at(tape: Tape, events: Events, name: str) -> Callable[[int], dict[int, Events]]:
    """Return what gives the book of each half, by the half's flag, before a row; rows are asked for in their order."""
    books = {flag: SnapshotBook(tape.instrument) for flag in (EXCH_EVENT, LOCAL_EVENT)}
    done = 0

    def at(row: int) -> dict[int, Events]:
        nonlocal done
        for flag, book in books.items():
            rows = events[done:row]
            seen = rows[(rows["ev"] & np.uint64(flag)) != 0]
            seen["ev"] |= np.uint64(LOCAL_EVENT)  # a book takes what the local half sees
            book.apply(seen, name)
        done = row
        visible = {flag: book.visible() for flag, book in books.items()}
        for rows in visible.values():
            rows["ev"] &= np.uint64(2**64 - 1 - _HALVES)
        return visible

    return at


def _orders_at(tape: Tape) -> Callable[[int], dict[int, Events]]:
    orders = RestingOrders(tape)

    def at(row: int) -> dict[int, Events]:
        orders.move_to(row)
        return {flag: orders.resting(flag) for flag in (EXCH_EVENT, LOCAL_EVENT)}

    return at


def _opening(books: dict[int, Events], rows: Events) -> Events:
    """Return what a piece of these rows opens with, given the book of each half before them."""
    is_same = books[EXCH_EVENT].tobytes() == books[LOCAL_EVENT].tobytes()
    halves = {_HALVES: books[EXCH_EVENT]} if is_same else books
    parts = []
    for flags, book in halves.items():
        clear = np.zeros(1, EVENT)
        clear["ev"], clear["px"] = DEPTH_CLEAR_EVENT, np.nan
        part = np.concatenate([clear, book])
        part["ev"] |= np.uint64(flags)
        parts.append(part)
    opening: Events = np.concatenate(parts)
    for flag, clock in ((EXCH_EVENT, "exch_ts"), (LOCAL_EVENT, "local_ts")):
        first = rows[clock][(rows["ev"] & np.uint64(flag)) != 0]
        opening[clock] = first[0] if len(first) else rows[clock].min()
    return opening


def concat_tapes(tapes: Sequence[Tape], names: Sequence[str] | None = None) -> Tape:
    """Return one tape of several that follow on one another.

    Raises
    ------
    ConfigError
        If there is no tape.
    DataError
        Naming the tape that is of another instrument, begins before the one before it ends, or is another kind of market.
    """
    if not tapes:
        raise ConfigError("there is no tape to put together; name at least one")
    names = names or [f"tape {i}" for i in range(len(tapes))]
    first = tapes[0]
    parts: list[Events] = []
    for i, (tape, name) in enumerate(zip(tapes, names, strict=True)):
        rows = tape.to_events()
        if i:
            _require_same_market(first, tape, names[0], name)
            if _is_next_piece(tapes[i - 1], tape):
                rows = rows[_split_of(tape)["opening_rows"] :]
            _require_later(parts, rows, names[i - 1], name)
        parts.append(rows)
    account = {**(first.meta.get("account") or {}), "concat": list(names)}
    account.pop(_SPLIT, None)
    events = np.concatenate(parts)
    return Tape.build(events, first.instrument, source=str(first.meta["source"]), account=account)


def _split_of(tape: Tape) -> dict[str, Any]:
    told: dict[str, Any] = (tape.meta.get("account") or {}).get(_SPLIT) or {}
    is_whole = all(isinstance(told.get(key), int) and told[key] >= 0 for key in ("part", "opening_rows", "first_row"))
    return told if is_whole and told["opening_rows"] <= len(tape) else {}


def _is_next_piece(one: Tape, other: Tape) -> bool:
    before, after = _split_of(one), _split_of(other)
    if not before or not after or before.get("of") != after.get("of"):
        return False
    rows_before = len(one) - before["opening_rows"]
    return bool(before["first_row"] + rows_before == after["first_row"])


def _require_same_market(first: Tape, tape: Tape, first_name: str, name: str) -> None:
    one, other = first.instrument.to_dict(), tape.instrument.to_dict()
    for key, value in one.items():
        if other[key] != value:
            raise DataError(f"{name}: {key} is {other[key]} where {first_name} has {value}; only one market makes a tape")
    if first.is_by_order != tape.is_by_order:
        raise DataError(f"{name}: one of {first_name} and this is market by order; convert both alike")


def _require_later(parts: Sequence[Events], rows: Events, before: str, name: str) -> None:
    for flag, clock in ((EXCH_EVENT, "exch_ts"), (LOCAL_EVENT, "local_ts")):
        mine = rows[clock][(rows["ev"] & np.uint64(flag)) != 0]
        earlier = next((e[-1] for e in (_seen(part, flag, clock) for part in reversed(parts)) if len(e)), None)
        if len(mine) and earlier is not None and mine[0] < earlier:
            raise DataError(
                f"{name}: {clock} begins at {format_ts(int(mine[0]))}, before {before} ends at {format_ts(int(earlier))}; "
                "give the tapes in the order of time, and each span once"
            )


def _seen(part: Events, flag: int, clock: str) -> npt.NDArray[np.int64]:
    seen: npt.NDArray[np.int64] = part[clock][(part["ev"] & np.uint64(flag)) != 0]
    return seen
