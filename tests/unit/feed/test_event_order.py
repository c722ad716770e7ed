"""How much is held while rows are brought in order: the blocks that overlap, and no more of them than there is room for."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from queuefront.core import EVENT
from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT
from queuefront.feed import event_order, row_spill
from queuefront.feed.clean import correct_event_order
from queuefront.feed.event_order import order_events, sorted_blocks
from queuefront.feed.row_spill import Rows


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_spill, "BLOCK_ROWS", 8)
    monkeypatch.setattr(row_spill, "HELD_BYTES", 0)
    monkeypatch.setattr(event_order, "OVERLAP_MAX", 3)


def events(exch_ts: np.ndarray) -> Rows:
    rows = np.zeros(len(exch_ts), EVENT)
    rows["exch_ts"], rows["local_ts"] = exch_ts, np.arange(len(exch_ts))
    return Rows.of(rows)


def blocks_held(monkeypatch: pytest.MonkeyPatch, rows: Rows) -> int:
    """Return how many blocks the merge held at most while it sorted the rows."""
    most, load = 0, event_order._Run.load
    loaded = []

    def counted(run):
        nonlocal most
        load(run)
        loaded.append(run)
        most = max(most, sum(len(other.ts) > 0 for other in {id(x): x for x in loaded}.values()))

    monkeypatch.setattr(event_order._Run, "load", counted)
    made = np.concatenate(list(sorted_blocks(rows, "exch_ts")))
    assert (np.diff(made["exch_ts"]) >= 0).all()
    return most


def test_rows_nearly_in_order_hold_two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    ts = np.arange(800) + np.random.default_rng(1).integers(0, 5, 800)
    assert blocks_held(monkeypatch, events(ts)) == 2


@pytest.mark.parametrize("seed", range(3))
def test_rows_in_no_order_hold_no_more_than_is_allowed(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    ts = np.random.default_rng(seed).integers(0, 10**6, 800)
    assert blocks_held(monkeypatch, events(ts)) <= 3


def test_events_in_order_are_read_where_they_lie_and_the_others_are_let_go_of() -> None:
    rows = events(np.arange(100))
    ordered = order_events(rows)
    assert len(rows) == 100
    assert (ordered.whole()["ev"] == np.uint64(EXCH_EVENT | LOCAL_EVENT)).all()
    rows = events(np.arange(100)[::-1])
    ordered = order_events(rows)
    assert len(rows) == 0
    assert len(ordered) == 199
    assert ordered.spans("exch_ts") == (0, 99)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("held", [0, 2000, 10**6])
def test_two_groups_in_order_are_merged_as_all_their_rows_are_ordered(
    monkeypatch: pytest.MonkeyPatch, seed: int, held: int
) -> None:
    monkeypatch.setattr(row_spill, "HELD_BYTES", row_spill._Budget.total_bytes + held)
    rng = np.random.default_rng(seed)
    parts = []
    for count in rng.integers(1, 90, 2).tolist():
        rows = np.zeros(count, EVENT)
        # Few times, so that many are equal, within a group and between them.
        rows["exch_ts"], rows["local_ts"] = np.sort(rng.integers(0, 40, count)), np.sort(rng.integers(5, 45, count))
        rows["order_id"] = rng.integers(0, 2**62, count)
        parts.append(rows)
    wanted = correct_event_order(np.concatenate(parts))
    before = row_spill._Budget.total_bytes
    rows = Rows.of(*parts)
    monkeypatch.setattr(event_order, "_merged", None)  # what takes rows in any order is not needed
    made = order_events(rows, 7)
    wanted["local_ts"] += 7
    assert np.array_equal(made.whole(), wanted)
    assert made.spans("local_ts") == (wanted["local_ts"].min(), wanted["local_ts"].max())
    assert len(rows) == 0
    made.drop()
    assert row_spill._Budget.total_bytes == before


def test_no_events_have_no_span() -> None:
    assert order_events(events(np.zeros(0))).spans("exch_ts") is None
    assert list(sorted_blocks(Rows([]), "exch_ts")) == []


def test_blocks_that_were_merged_are_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_spill, "BLOCK_ROWS", 16)
    rows = np.zeros(16 * 60, EVENT)
    # Each block ascends and reaches into the next one, so that all of them are merged.
    rows["exch_ts"] = np.arange(len(rows)) + np.where(np.arange(len(rows)) % 16 >= 12, 8, 0)
    given: list[weakref.ref[np.ndarray]] = []

    class Watched(Rows):
        def read(self, k: int) -> np.ndarray:
            block = super().read(k).copy()
            given.append(weakref.ref(block))
            return block

    spill = row_spill.RowSpill()
    spill.take(rows)
    held_max = 0
    for _ in event_order.sorted_blocks(Watched([spill]), "exch_ts"):
        held_max = max(held_max, sum(block() is not None for block in given))
    assert len(given) == 60
    assert held_max <= 4
