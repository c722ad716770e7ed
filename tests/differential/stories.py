"""The small market of the conformance vectors (spec B13.6), and words to write its stories with."""

from __future__ import annotations

from typing import Any

from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from tests.differential.engines import AT_TICK, ELAPSE, SUBMIT, Action, AssetCase, Case, Engine
from tests.differential.markets import BOTH, Rows

Row = tuple[int, int, int, float, float]

LATE = 1_000_000


def bid(tick: float, qty: float, ts: int = 100, *, halves: int = BOTH) -> Row:
    return (DEPTH_EVENT | BUY_EVENT | halves, ts, ts, float(tick), float(qty))


def ask(tick: float, qty: float, ts: int = 100, *, halves: int = BOTH) -> Row:
    return (DEPTH_EVENT | SELL_EVENT | halves, ts, ts, float(tick), float(qty))


def sold(tick: float, qty: float, ts: int) -> Row:
    """Make a trade whose aggressor sells."""
    return (TRADE_EVENT | SELL_EVENT | BOTH, ts, ts, float(tick), float(qty))


def bought(tick: float, qty: float, ts: int) -> Row:
    """Make a trade whose aggressor buys."""
    return (TRADE_EVENT | BUY_EVENT | BOTH, ts, ts, float(tick), float(qty))


def cleared(side: int, tick: float, ts: int, *, halves: int = BOTH) -> Row:
    return (DEPTH_CLEAR_EVENT | side | halves, ts, ts, float(tick), 0.0)


BOOK = (bid(99, 5), bid(98, 5), ask(101, 5), ask(102, 5))


def story(*actions: Action, rows: tuple[Row, ...] = (), book: tuple[Row, ...] = BOOK, **models: Any) -> Case:
    """Make a case on the book of the vectors: tick 1, lot 1, latencies of 10, and a late row that keeps the data alive."""
    return Case((AssetCase(Rows((*book, *rows, bid(1, 1, LATE))), **models),), actions)


def elapse(duration: int) -> Action:
    return Action(ELAPSE, duration=duration)


def submit(order: int, side: int, tick: int, lots: int, **options: int) -> Action:
    return Action(SUBMIT, 0, order, side, AT_TICK, tick, lots, **options)


def by_engine(engine: Engine, *, reference: Any, ours: Any) -> Any:
    """Choose what is expected of an engine where the two differ."""
    return reference if engine.is_reference else ours
