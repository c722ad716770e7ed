"""Faults of market data, by kind: what vendors and collectors do to a market, done to one on purpose, by seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.instrument import Instrument
from queuefront.feed import Tape, Verdict, correct_event_order, passport_of

SECOND = 1_000_000_000
Events = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """A market, and the stretch of it in which something is to go wrong."""

    events: Events
    instrument: Instrument
    start_ts: int
    end_ts: int
    rng: np.random.Generator

    @property
    def inside(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return (self.events["exch_ts"] >= self.start_ts) & (self.events["exch_ts"] < self.end_ts)

    @property
    def is_trade(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return (self.events["ev"] & np.uint64(KIND_MASK)) == TRADE_EVENT


@dataclass(frozen=True)
class Fault:
    """A kind of fault: how it is done, and the least that a passport has to say of it."""

    name: str
    told: str
    apply: Callable[[Case], Events]
    least: Verdict
    rules: str  # that may find it
    seconds: float = 5.0


def _hole(case: Case) -> Events:
    return case.events[~case.inside]


def _thin(case: Case) -> Events:
    keep = ~case.inside
    keep[np.flatnonzero(case.inside)[::300]] = True
    return case.events[keep]


def _duplicate(case: Case) -> Events:
    return np.concatenate([case.events, case.events[case.inside]])


def _freeze(case: Case) -> Events:
    return case.events[~case.inside | case.is_trade]


def _cross(case: Case) -> Events:
    """Bids at eight prices above the best ask, which stay until the end of the stretch."""
    near = case.is_trade & (np.abs(case.events["exch_ts"] - case.start_ts) < 20 * SECOND)
    top = int(case.instrument.ticks(case.events["px"][near])[0].max()) + 20
    row = int(np.searchsorted(case.events["exch_ts"], case.start_ts))
    rows = np.zeros(16, EVENT)
    rows["ev"] = EXCH_EVENT | LOCAL_EVENT | BUY_EVENT | DEPTH_EVENT
    rows["exch_ts"] = np.repeat([case.start_ts, case.end_ts], 8)
    rows["local_ts"] = rows["exch_ts"] + (case.events["local_ts"][row] - case.events["exch_ts"][row])
    rows["px"] = case.instrument.prices(np.tile(np.arange(top, top + 8), 2))
    rows["qty"] = np.repeat([float(case.instrument.lot_size) * 1_000, 0.0], 8)
    return np.concatenate([case.events, rows])


def _clear(case: Case) -> Events:
    rows = np.zeros(1, EVENT)
    rows["ev"] = EXCH_EVENT | LOCAL_EVENT | DEPTH_CLEAR_EVENT
    rows["exch_ts"] = case.start_ts
    rows["local_ts"], rows["px"] = case.start_ts + 1_000_000, np.nan
    return np.concatenate([case.events[~case.inside | case.is_trade], rows])


def _late_clock(case: Case) -> Events:
    events = case.events.copy()
    events["local_ts"][case.inside] += 2 * SECOND
    return events


def _early_clock(case: Case) -> Events:
    events = case.events.copy()
    events["local_ts"][case.inside] -= SECOND
    return events


def _lifted_clock(case: Case) -> Events:
    """A clock that stepped back, after a converter has lifted all times so that nothing arrives before it happens."""
    events = case.events.copy()
    events["local_ts"][~case.inside] += SECOND + SECOND // 2
    return events


def _trade_jump(case: Case) -> Events:
    """One trade five percent away."""
    events = case.events.copy()
    row = case.rng.choice(np.flatnonzero(case.inside & case.is_trade))
    tick = case.instrument.ticks(events["px"][row : row + 1])[0][0]
    events["px"][row] = case.instrument.prices(np.array([tick + int(tick * 0.05)]))[0]
    return events


def _book_jump(case: Case) -> Events:
    """One row of the book five percent beyond the other side, as a swapped digit makes it."""
    events = case.events.copy()
    kind = events["ev"] & np.uint64(KIND_MASK)
    is_near = np.abs(events["px"] / np.median(events["px"][case.is_trade]) - 1) < 0.01
    row = case.rng.choice(np.flatnonzero(case.inside & is_near & (kind == DEPTH_EVENT) & (events["qty"] > 0)))
    tick = case.instrument.ticks(events["px"][row : row + 1])[0][0]
    sign = 1 if events["ev"][row] & np.uint64(BUY_EVENT) else -1
    events["px"][row] = case.instrument.prices(np.array([tick + sign * int(tick * 0.05)]))[0]
    return events


def _off_grid(case: Case) -> Events:
    events = case.events.copy()
    events["px"][case.inside] += 0.3 * float(case.instrument.tick_size)
    return events


def _shuffle(case: Case) -> Events:
    events = case.events.copy()
    rows = np.flatnonzero(case.inside)
    events["exch_ts"][rows] = case.rng.permutation(events["exch_ts"][rows])
    events["local_ts"][rows] = np.maximum(events["local_ts"][rows], events["exch_ts"][rows])
    return events


def _swap_sides(case: Case) -> Events:
    events = case.events.copy()
    rows = case.inside & ~case.is_trade
    events["ev"][rows] ^= np.uint64(BUY_EVENT | SELL_EVENT)
    return events


FAULTS = (
    Fault("hole", "no rows for 5 s", _hole, Verdict.BAD, "silence"),
    Fault("short hole", "no rows for 1.5 s", _hole, Verdict.SUSPECT, "silence", 1.5),
    Fault("thinned", "one row in 300 left, for 20 s", _thin, Verdict.SUSPECT, "silence, low rate, frozen book", 20.0),
    Fault("frozen", "trades, but no rows of the book, for 5 s", _freeze, Verdict.BAD, "frozen book"),
    Fault("cleared", "an empty book with trades for 10 s", _clear, Verdict.BAD, "empty book, frozen book", 10.0),
    Fault("crossed", "eight bids above the asks for 5 s", _cross, Verdict.BAD, "crossed book, empty book"),
    Fault("swapped sides", "bids told as asks for 5 s", _swap_sides, Verdict.BAD, "crossed book"),
    Fault("duplicated", "every row of 5 s twice", _duplicate, Verdict.BAD, "duplicate rows"),
    Fault("late clock", "our clock 2 s ahead for 20 s", _late_clock, Verdict.BAD, "clock step", 20.0),
    Fault("early clock", "our clock 1 s behind for 5 s", _early_clock, Verdict.BAD, "clock inversion"),
    Fault("lifted clock", "the same by 1.5 s for 20 s, all times lifted", _lifted_clock, Verdict.BAD, "clock step", 20.0),
    Fault("trade price", "one trade 5 % away", _trade_jump, Verdict.BAD, "trade outside"),
    Fault("book price", "one bid or ask 5 % beyond", _book_jump, Verdict.SUSPECT, "crossed book, empty book"),
    Fault("off the grid", "prices between ticks, rounded, for 5 s", _off_grid, Verdict.BAD, "off the grid"),
    Fault("shuffled", "exchange times shuffled for 10 s", _shuffle, Verdict.SUSPECT, "out of order, crossed book", 10.0),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What the passport said of one fault."""

    is_detected: bool
    is_suspected: bool  # the tape's own verdict is not good
    bad_elsewhere: int  # spans called bad that the fault does not touch, before it


def judge(fault: Fault, events: Events, instrument: Instrument, seed: int) -> Outcome:
    """Do something to a market in a stretch that the seed chooses, and see what its passport says."""
    rng = np.random.default_rng([seed, len(fault.name)])
    first, last = int(events["exch_ts"].min()), int(events["exch_ts"].max())
    length = int(fault.seconds * SECOND)
    start = first + 10 * SECOND + int(rng.integers(last - first - length - 20 * SECOND))
    case = Case(events, instrument, start, start + length, rng)
    faulty = fault.apply(case)
    faulty["ev"] &= ~np.uint64(EXCH_EVENT | LOCAL_EVENT)  # as before rows were split for the two halves
    tape = Tape.build(correct_event_order(faulty), instrument, source=fault.name, off_grid="round")
    passport = passport_of(tape)
    found = np.zeros(passport.measures.span_count, np.bool_)
    low, high = ((ts - passport.measures.first_ts) // passport.measures.span_ns for ts in (start, start + length))
    touched = slice(low, high + 1)
    for finding in passport.findings:
        if finding.rule in fault.rules.split(", ") and finding.verdict >= fault.least:
            found |= finding.is_found
    before = passport.verdicts[: max(low - 1, 0)]
    return Outcome(bool(found[touched].any()), passport.verdict != Verdict.GOOD, int((before == Verdict.BAD).sum()))
