"""Blocks of snapshot records among depth updates, beside a reading of them record by record."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, KIND_MASK, SELL_EVENT
from queuefront.feed.sources.snapshot_blocks import DepthBlocks, depth_rows


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


@pytest.mark.parametrize("mode", ["process", "ignore_sod", "ignore"])
def test_tables_that_are_let_pass_are_as_if_they_had_been_taken(mode):
    passed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(1, 40))
        updates = np.zeros(count, EVENT)
        updates["ev"] = rng.choice([BUY_EVENT, SELL_EVENT], count)
        updates["local_ts"], updates["px"] = np.cumsum(rng.integers(0, 2, count)), rng.integers(1, 9, count)
        is_snapshot = np.repeat(rng.integers(0, 2, count), rng.integers(1, 9, count))[:count] == 1
        whole = depth_rows(updates.copy(), is_snapshot, mode)
        blocks, parts, begin = DepthBlocks(mode), [], 0
        while begin < count:
            end = begin + int(rng.integers(1, 9))
            part, flags = updates[begin:end].copy(), is_snapshot[begin:end]
            if blocks.lets_pass(flags):
                part["ev"] |= np.uint64(DEPTH_EVENT)
                passed += 1
            else:
                made = blocks.take(part, flags)
                part = made.rows[~made.is_ignored]
            parts.append(part)
            begin = end
        last = blocks.end()
        assert np.array_equal(np.concatenate([*parts, last.rows[~last.is_ignored]]), whole.rows[~whole.is_ignored])
    assert passed
