"""Check events: all that a replay relies on, and all that is suspicious.

`validate_events` is the door: it refuses what would be misread (unknown flags and kinds, numbers that are none) and names
the first such row. `check_events` is the inspection: every rule, counted, with examples and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import NS_PER
from queuefront.core.dtypes import EVENT, LATENCY
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    KIND_MASK,
    KIND_NAMES,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.errors import DataError, SchemaMismatchError
from queuefront.core.instrument import Instrument

__all__ = ["CheckReport", "Problem", "check_events", "validate_events", "validate_latencies"]

Events = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_FLAGS: Final = EXCH_EVENT | LOCAL_EVENT | BUY_EVENT | SELL_EVENT
_SIDES: Final = BUY_EVENT | SELL_EVENT
_PRICED: Final = (
    DEPTH_EVENT,
    TRADE_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    DEPTH_BBO_EVENT,
    ADD_ORDER_EVENT,
    MODIFY_ORDER_EVENT,
    FILL_EVENT,
)
_SIDED: Final = (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_BBO_EVENT, ADD_ORDER_EVENT)
_TS_MIN: Final = 10**9 * NS_PER["s"]  # September 2001: earlier times are of another unit
_TS_MAX: Final = 4 * 10**9 * NS_PER["s"]  # October 2096


class Problem(NamedTuple):
    """One row that breaks a rule."""

    rule: str
    row: int
    field: str
    value: str
    hint: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check_events` found; `counts` names every rule, broken or not."""

    rows: int
    counts: dict[str, int]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not any(self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able data."""
        return {"rows": self.rows, "ok": self.ok, "counts": self.counts, "problems": [p._asdict() for p in self.problems]}


class _Rule(NamedTuple):
    name: str
    field: str
    hint: str
    is_broken: Mask


def check_events(events: Events, instrument: Instrument | None = None, limit: int = 100) -> CheckReport:
    """Check every rule on every row; at most `limit` rows of each rule are listed.

    With an instrument, prices and quantities must lie on its grid.
    """
    _require_dtype(events, EVENT, "events")
    counts: dict[str, int] = {}
    problems: list[Problem] = []
    for rule in _rules(events, instrument):
        rows = np.flatnonzero(rule.is_broken)
        counts[rule.name] = len(rows)
        problems += [
            Problem(rule.name, int(r), rule.field, _value(events, rule.field, int(r)), rule.hint) for r in rows[:limit]
        ]
    return CheckReport(len(events), counts, tuple(problems))


def validate_events(events: Events, source: str, *, extra_kinds: frozenset[int] = frozenset(), first_row: int = 0) -> None:
    """Check that every row can be read for what it is; `first_row` is the number of the first one in errors.

    Raises
    ------
    SchemaMismatchError
        If the array is not of the event dtype.
    DataError
        Naming the first row with unknown flags or kind, a price that is not finite where one is needed, or a quantity that
        is not finite or negative.
    """
    _require_dtype(events, EVENT, source)
    kinds = _kinds(events)
    rules = tuple(_enumerations(events, kinds, extra_kinds)) + tuple(_numbers(events, kinds))
    _refuse_first(events, source, rules, first_row)


def validate_latencies(rows: npt.NDArray[Any], source: str) -> None:
    """Check that request times ascend and no delay is negative; `exch_ts <= 0` stands for a refused order.

    Raises
    ------
    DataError
        Naming the first row that breaks the rule.
    """
    _require_dtype(rows, LATENCY, source)
    req_ts, exch_ts, resp_ts = (np.ascontiguousarray(rows[name]) for name in ("req_ts", "exch_ts", "resp_ts"))
    is_done = exch_ts > 0
    rules = (
        _Rule("request order", "req_ts", "sort the rows by req_ts", _goes_back(req_ts)),
        _Rule("negative entry latency", "exch_ts", "shift the exchange's clock", is_done & (exch_ts < req_ts)),
        _Rule("negative response latency", "resp_ts", "shift the exchange's clock", is_done & (resp_ts < exch_ts)),
        _Rule("response before request", "resp_ts", "leave the row out", resp_ts < req_ts),
    )
    _refuse_first(rows, source, rules)


def _refuse_first(rows: npt.NDArray[Any], source: str, rules: tuple[_Rule, ...], first_row: int = 0) -> None:
    found = [(int(np.argmax(rule.is_broken)), i) for i, rule in enumerate(rules) if rule.is_broken.any()]
    if found:
        row, i = min(found)
        rule = rules[i]
        number = first_row + row
        raise DataError(
            f"{source}: row {number:,}: {rule.name}: {rule.field} is {_value(rows, rule.field, row)}; {rule.hint}"
        )


def _rules(events: Events, instrument: Instrument | None) -> Iterator[_Rule]:
    kinds = _kinds(events)
    yield from _enumerations(events, kinds, frozenset())
    yield from _flags(events, kinds)
    yield from _numbers(events, kinds)
    yield from _signs(events, kinds)
    yield from _times(events)
    if instrument is not None:
        yield from _grid(events, kinds, instrument)


def _enumerations(events: Events, kinds: npt.NDArray[np.int64], extra_kinds: frozenset[int]) -> Iterator[_Rule]:
    is_known = np.zeros(KIND_MASK + 1, np.bool_)
    is_known[[*KIND_NAMES, *extra_kinds]] = True
    unknown = np.uint64(2**64 - 1 - (_FLAGS | KIND_MASK))
    yield _Rule("unknown flag", "ev", "convert the source again", (events["ev"] & unknown) != 0)
    yield _Rule("unknown kind", "ev", "convert the source again, or declare the kind in extra_kinds", ~is_known[kinds])


def _flags(events: Events, kinds: npt.NDArray[np.int64]) -> Iterator[_Rule]:
    sides = events["ev"] & np.uint64(_SIDES)
    halves = events["ev"] & np.uint64(EXCH_EVENT | LOCAL_EVENT)
    yield _Rule("no half", "ev", "no half sees the row; run correct_event_order", halves == 0)
    yield _Rule(
        "no side",
        "ev",
        "a book row without a side does nothing; set BUY_EVENT or SELL_EVENT",
        np.isin(kinds, _SIDED) & (sides == 0),
    )
    yield _Rule("both sides", "ev", "the row acts as a buy; clear one of the bits", sides == np.uint64(_SIDES))


def _numbers(events: Events, kinds: npt.NDArray[np.int64]) -> Iterator[_Rule]:
    is_priced = np.isin(kinds, _PRICED)
    px, qty = events["px"], events["qty"]
    with np.errstate(invalid="ignore"):
        yield _Rule("price is no number", "px", "leave the row out", is_priced & ~np.isfinite(px))
        yield _Rule("quantity is no number", "qty", "leave the row out", is_priced & ~np.isfinite(qty))
        yield _Rule("quantity is negative", "qty", "leave the row out", is_priced & (qty < 0))


def _signs(events: Events, kinds: npt.NDArray[np.int64]) -> Iterator[_Rule]:
    with np.errstate(invalid="ignore"):
        is_broken = np.isin(kinds, _PRICED) & (events["px"] <= 0)
    yield _Rule("price is not positive", "px", "leave the row out, unless it is a spread's", is_broken)


def _times(events: Events) -> Iterator[_Rule]:
    is_exch = (events["ev"] & np.uint64(EXCH_EVENT)) != 0
    is_local = (events["ev"] & np.uint64(LOCAL_EVENT)) != 0
    for name in ("exch_ts", "local_ts"):
        ts = np.ascontiguousarray(events[name])
        yield _Rule(f"{name} out of range", name, "give nanoseconds since 1970", (ts < _TS_MIN) | (ts > _TS_MAX))
    exch_ts, local_ts = np.ascontiguousarray(events["exch_ts"]), np.ascontiguousarray(events["local_ts"])
    yield _Rule("negative feed latency", "local_ts", "run correct_local_timestamp", local_ts < exch_ts)
    for name, is_half, ts in (("exchange order", is_exch, exch_ts), ("local order", is_local, local_ts)):
        rows = np.flatnonzero(is_half)
        is_broken = np.zeros(len(events), np.bool_)
        is_broken[rows[_goes_back(ts[rows])]] = True
        yield _Rule(name, "exch_ts" if name == "exchange order" else "local_ts", "run correct_event_order", is_broken)


def _grid(events: Events, kinds: npt.NDArray[np.int64], instrument: Instrument) -> Iterator[_Rule]:
    is_priced = np.isin(kinds, _PRICED)
    px, qty = np.ascontiguousarray(events["px"]), np.ascontiguousarray(events["qty"])
    needs_price = is_priced | ((kinds == DEPTH_CLEAR_EVENT) & np.isfinite(px) & (px != 0))
    yield _Rule("price off the grid", "px", f"is tick_size {instrument.tick_size}?", needs_price & ~instrument.ticks(px)[1])
    yield _Rule("quantity off the grid", "qty", f"is lot_size {instrument.lot_size}?", is_priced & ~instrument.lots(qty)[1])


def _kinds(events: Events) -> npt.NDArray[np.int64]:
    return (events["ev"] & np.uint64(KIND_MASK)).astype(np.int64)


def _goes_back(ts: npt.NDArray[np.int64]) -> Mask:
    is_broken = np.zeros(len(ts), np.bool_)
    is_broken[1:] = ts[1:] < ts[:-1]
    return is_broken


def _value(rows: npt.NDArray[Any], name: str, row: int) -> str:
    value = rows[name][row]
    return f"{int(value):#x}" if name == "ev" else str(value)


def _require_dtype(rows: npt.NDArray[Any], dtype: np.dtype[Any], source: str) -> None:
    if not isinstance(rows, np.ndarray) or rows.dtype != dtype or rows.ndim != 1:
        raise SchemaMismatchError(
            f"{source}: {getattr(rows, 'dtype', type(rows).__name__)} is not an array of {dtype.names}"
        )
