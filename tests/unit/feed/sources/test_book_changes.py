"""Whole books become the changes between them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from queuefront.core import DataError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT
from queuefront.feed import DiffOrderBookSnapshot
from queuefront.feed.sources import book_changes as module
from queuefront.feed.sources.book_changes import BookChanges, BookColumns

BID, ASK = DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT


def random_books(count: int, levels: int) -> BookColumns:
    rng = np.random.default_rng(2)
    px = np.full((2, count, levels), np.nan)
    qty = px.copy()
    for i in range(count):
        for side, low in ((0, 80), (1, 100)):
            n = int(rng.integers(0, levels + 1))
            ticks = np.sort(rng.choice(np.arange(low, low + 20), n, replace=False))
            px[side, i, :n] = (ticks[::-1] if side == 0 else ticks) / 10
            qty[side, i, :n] = rng.integers(1, 3, n)
    ts = np.arange(count, dtype=np.int64)
    return BookColumns(ts, ts + 5, px[0], qty[0], px[1], qty[1])


def test_changes_are_those_of_the_comparison_book_by_book(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_BOOKS_AT_ONCE", 7)
    books = random_books(50, 4)
    changes = BookChanges(4, Decimal("0.1"), Decimal(1), "f")
    parts = [BookColumns(*(column[:20] for column in books)), BookColumns(*(column[20:] for column in books))]
    made = np.concatenate([rows for part in parts for rows in changes.rows(part)])
    diff = DiffOrderBookSnapshot(4, "0.1", "1")
    wanted = []
    for i in range(50):
        sides = [side[i][np.isfinite(side[i])] for side in books[2:]]
        bids, asks, bids_gone, asks_gone = diff.snapshot(*sides)
        wanted += [(kind, i, px, qty) for kind, levels in ((BID, bids), (ASK, asks)) for px, qty, mark in levels if mark]
        wanted += [(kind, i, px, 0.0) for kind, gone in ((BID, bids_gone), (ASK, asks_gone)) for px, _ in gone]
    assert len(wanted) > 100
    assert [(int(r["ev"]), int(r["exch_ts"]), float(r["px"]), float(r["qty"])) for r in made] == wanted
    assert np.array_equal(made["local_ts"], made["exch_ts"] + 5)


def test_what_is_no_count_of_steps_is_refused():
    books = random_books(3, 2)
    books.bid_px[1, 0] = 1e300
    changes = BookChanges(2, Decimal("0.1"), Decimal(1), "f")
    list(changes.rows(BookColumns(*(column[:1] for column in books))))
    with pytest.raises(DataError) as caught:
        list(changes.rows(BookColumns(*(column[1:] for column in books))))
    assert str(caught.value) == "f: book 2 has a price of 1e+300, beyond 2^53 steps of 0.1; check the step"
