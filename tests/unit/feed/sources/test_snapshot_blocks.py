"""Blocks of snapshot records among depth updates, beside a reading of them record by record."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, KIND_MASK, SELL_EVENT
from queuefront.feed.sources.snapshot_blocks import depth_rows


def naive(records: list[tuple[int, bool, int, float]], mode: str) -> list[tuple[int, int, float]]:
    """Return (kind and side, time, price) of records (time, is snapshot, side, price)."""
    rows: list[tuple[int, int, float]] = []
    block: list[tuple[int, bool, int, float]] = []
    is_begun = False

    def flush() -> None:
        if mode == "process" or (mode == "ignore_sod" and is_begun):
            for side in (BUY_EVENT, SELL_EVENT):
                of_side = [record for record in block if record[2] == side]
                if of_side:
                    worst = (min if side == BUY_EVENT else max)(px for *_, px in of_side)
                    rows.append((DEPTH_CLEAR_EVENT | side, of_side[0][0], worst))
                    rows.extend((DEPTH_SNAPSHOT_EVENT | side, ts, px) for ts, _, _, px in of_side)
        block.clear()

    for record in records:
        if block and not (record[1] and record[0] == block[-1][0]):
            flush()
        if record[1]:
            block.append(record)
        else:
            is_begun = True
            rows.append((DEPTH_EVENT | record[2], record[0], record[3]))
    flush()
    return rows


@pytest.mark.parametrize("mode", ["process", "ignore_sod", "ignore"])
def test_rows_are_those_of_a_reading_record_by_record(mode):
    """D47: blocks of any length, also the last."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        count = int(rng.integers(0, 12))
        records = [
            (
                int(rng.integers(0, 3)) + 10 * (i // 4),
                bool(rng.random() < 0.7),
                (BUY_EVENT, SELL_EVENT)[rng.integers(2)],
                float(rng.integers(1, 9)),
            )
            for i in range(count)
        ]
        updates = np.zeros(count, EVENT)
        for i, (ts, _, side, px) in enumerate(records):
            updates["local_ts"][i], updates["ev"][i], updates["px"][i] = ts, side, px
        made = depth_rows(updates, np.array([record[1] for record in records], np.bool_), mode)
        kept = made.rows[~made.is_ignored]
        assert [(int(r["ev"]), int(r["local_ts"]), float(r["px"])) for r in kept] == naive(records, mode)
        is_update = (made.rows["ev"] & np.uint64(KIND_MASK)) == DEPTH_EVENT
        assert not (made.is_ignored & is_update).any()
