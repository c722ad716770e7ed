"""Sorting and ordering block by block give what doing it at once gives, whatever the disorder."""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import EVENT
from queuefront.feed import correct_event_order, event_order, row_spill
from queuefront.feed.event_order import order_events, sort_rows
from queuefront.feed.row_spill import Rows

MAX_EXAMPLES = 300


@st.composite
def disordered(draw: st.DrawFn) -> np.ndarray:
    """Rows with times that ascend but for jitter, of few or many values, up to complete disorder."""
    count = draw(st.integers(0, 200))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, EVENT)
    for name in ("exch_ts", "local_ts"):
        step, jitter = draw(st.sampled_from([0, 1, 3])), draw(st.sampled_from([0, 1, 2, 10, 1000]))
        rows[name] = np.arange(count) * step + rng.integers(0, jitter + 1, count)
    if draw(st.booleans()):  # one file behind the other, as trades and depth are
        cut = count // 3
        rows = np.concatenate([rows[cut:], rows[:cut]])
    rows["order_id"] = rng.integers(0, 5, count)
    rows["qty"] = np.arange(count)  # tells equal rows apart
    return rows


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(disordered(), st.sampled_from([8, 16, 64]), st.sampled_from([2, 3, 8]), st.integers(-5, 5))
def test_blocks_are_ordered_as_the_whole(rows: np.ndarray, block: int, overlap: int, shift: int) -> None:
    shifted = rows.copy()
    shifted["local_ts"] += shift
    wanted = correct_event_order(shifted)
    with (
        mock.patch.object(row_spill, "BLOCK_ROWS", block),
        mock.patch.object(row_spill, "HELD_BYTES", 0),
        mock.patch.object(event_order, "OVERLAP_MAX", overlap),
    ):
        events = order_events(Rows.of(rows), shift)
        assert np.array_equal(np.concatenate([np.zeros(0, EVENT), *events.blocks()]), wanted)
        assert np.array_equal(events.whole(), wanted)
    if len(rows):
        assert events.spans("local_ts") == (wanted["local_ts"].min(), wanted["local_ts"].max())


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(disordered(), st.sampled_from([8, 16]), st.sampled_from([2, 5]), st.sampled_from(["exch_ts", "order_id"]))
def test_blocks_are_sorted_as_the_whole(rows: np.ndarray, block: int, overlap: int, key: str) -> None:
    with (
        mock.patch.object(row_spill, "BLOCK_ROWS", block),
        mock.patch.object(row_spill, "HELD_BYTES", 0),
        mock.patch.object(event_order, "OVERLAP_MAX", overlap),
    ):
        spill = row_spill.RowSpill(EVENT, keys=("exch_ts", "local_ts", "order_id"))
        spill.take(rows)
        made = sort_rows(Rows([spill]), key).whole()
    assert np.array_equal(made, rows[np.argsort(rows[key], kind="stable")])
