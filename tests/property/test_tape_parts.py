"""What a tape holds beyond single rows is the same however its rows are cut into parts: state goes on from part to part."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import Instrument
from queuefront.core.enums import OP_AT_EXCH, OP_AT_LOCAL
from queuefront.feed import Tape, measure
from queuefront.feed.order_index_compiled import new_orders, new_totals, trace_orders
from queuefront.feed.passport.measures import Measuring
from queuefront.feed.replay_index_compiled import count_places, fill_places, group_rows
from queuefront.feed.tape_build import operations
from queuefront.feed.tape_index_compiled import trace_best
from tests.price_market import price_market
from tests.property.order_market import order_market

INSTRUMENT = Instrument("venue", "SYM", "1", "1")
ROWS = 120
HALVES = (("exch", OP_AT_EXCH), ("local", OP_AT_LOCAL))

seeds = st.integers(0, 2**32 - 1)
cuts = st.lists(st.integers(0, ROWS), max_size=12)


def tape_by_price(seed: int, *, off_grid: bool = False) -> Tape:
    return Tape.build(price_market(seed, ROWS, off_grid=off_grid), INSTRUMENT, source="market", off_grid="round")


def tape_by_order(seed: int) -> Tape:
    return Tape.build(order_market(seed, ROWS), INSTRUMENT, source="market")


def parts_of(rows: int, at: list[int]) -> list[slice]:
    """Return slices that make up all rows; some are empty."""
    borders = [0, *sorted(min(cut, rows) for cut in at), rows]
    return [slice(begin, end) for begin, end in pairwise(borders)]


@settings(max_examples=60, deadline=None)
@given(seeds, cuts)
def test_best_prices_go_on_from_part_to_part(seed: int, at: list[int]) -> None:
    tape = tape_by_price(seed)
    count = len(tape.levels)
    for name, half in HALVES:
        bid_lots, ask_lots = np.zeros(count, np.int64), np.zeros(count, np.int64)
        start = np.array([-1, count, count, -1], np.int64)
        bids, asks = np.zeros(len(tape), np.int32), np.zeros(len(tape), np.int32)
        for part in parts_of(len(tape), at):
            rows = tape.op[part], tape.level[part], tape.lots[part]
            trace_best(*rows, half, bid_lots, ask_lots, start, bids[part], asks[part])
        assert bids.tolist() == getattr(tape, f"best_bid_{name}").tolist()
        assert asks.tolist() == getattr(tape, f"best_ask_{name}").tolist()


@settings(max_examples=60, deadline=None)
@given(seeds, cuts)
def test_orders_go_on_from_part_to_part(seed: int, at: list[int]) -> None:
    tape = tape_by_order(seed)
    events = tape.to_events()
    told = operations(events["ev"], events["px"], is_by_order=True)  # before the orders gave rows their side
    order_no, held = tape.extra["order_no"], (0, len(tape.levels) - 1)
    for name, half in HALVES:
        op, lots = told.copy(), np.zeros(len(tape), np.int64)
        level, row, bids, asks = (np.zeros(len(tape), np.int32) for _ in range(4))
        orders, totals = new_orders(int(tape.meta["orders"])), new_totals(len(tape.levels))
        for part in parts_of(len(tape), at):
            trace_orders(
                op[part], half, order_no[part], tape.level[part], tape.lots[part], part.start, orders, totals, held,
                (level[part], lots[part], row[part]), bids[part], asks[part],
            )  # fmt: skip
        seen = (tape.op & half) != 0
        assert op[seen].tolist() == tape.op[seen].tolist()
        for made, expected in ((level, "prior_level"), (lots, "prior_lots"), (row, "prior_row")):
            assert made[seen].tolist() == tape.extra[expected][seen].tolist()
        assert bids.tolist() == getattr(tape, f"best_bid_{name}").tolist()
        assert asks.tolist() == getattr(tape, f"best_ask_{name}").tolist()


@settings(max_examples=60, deadline=None)
@given(seeds, cuts, st.integers(1, ROWS))
def test_places_go_on_from_part_to_part(seed: int, at: list[int], room: int) -> None:
    """Neither the parts that rows come in nor the room that places are gathered in can be seen in the index."""
    tape = tape_by_price(seed)
    count = 2 * len(tape.levels) + 1
    rows_by_place, place_starts = group_rows(tape.op, tape.level, len(tape.levels))
    starts = np.zeros(count, np.int32)
    for part in parts_of(len(tape), at):
        count_places(tape.op[part], tape.level[part], starts)
    starts = np.cumsum(starts, dtype=np.int32)
    assert starts.tolist() == place_starts.tolist()
    gathered: list[int] = []
    for begin in range(0, len(rows_by_place), room):
        made, free = np.full(min(room, len(rows_by_place) - begin), -1, np.int32), starts.copy()
        for part in parts_of(len(tape), at):
            fill_places(tape.op[part], tape.level[part], part.start, free, begin, made)
        gathered += made.tolist()
    assert gathered == rows_by_place.tolist()


@pytest.mark.parametrize("kind", ["by price", "off the grid", "by order"])
@settings(max_examples=60, deadline=None)
@given(seed=seeds, at=cuts)
def test_measures_go_on_from_part_to_part(kind: str, seed: int, at: list[int]) -> None:
    tape = tape_by_order(seed) if kind == "by order" else tape_by_price(seed, off_grid=kind == "off the grid")
    nothing = np.zeros(2 * len(tape.levels), np.int64)
    measuring = Measuring(tape.meta, tape.levels, nothing, tape.instrument, is_by_order=tape.is_by_order)
    names = ("op", "exch_ts", "local_ts", "level", "lots", "best_bid_exch", "best_ask_exch")
    columns: dict[str, Any] = {name: getattr(tape, name) for name in names} | tape.extra
    for part in parts_of(len(tape), at):
        measuring.take({name: column[part] for name, column in columns.items()})
    assert measuring.finish() == measure(tape)
