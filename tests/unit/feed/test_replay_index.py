"""The index by which a replay leaps: equal to a plain reading of the rows, kept in the file, made anew where stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core import EVENT, DataFormatError, Instrument
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BUY_TRADE,
    OP_CLEAR_BIDS,
    OP_MASK,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import BLOCK_SHIFT, Tape
from queuefront.feed.replay_index import place_index_from_file, place_starts_text, replay_index

INSTRUMENT = Instrument("venue", "SYM", "1", "1")
T0 = 1_700_000_000_000_000_000
KINDS = (DEPTH_EVENT, DEPTH_EVENT, DEPTH_EVENT, TRADE_EVENT, DEPTH_CLEAR_EVENT)


def tape_of(seed: int, count: int) -> Tape:
    """Make a tape of random rows: every kind and side, some for one half only."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, EVENT)
    halves = rng.choice([EXCH_EVENT | LOCAL_EVENT, EXCH_EVENT, LOCAL_EVENT], count, p=[0.8, 0.1, 0.1])
    events["ev"] = halves | rng.choice(KINDS, count) | rng.choice([BUY_EVENT, SELL_EVENT], count)
    events["exch_ts"] = T0 + np.cumsum(rng.integers(0, 3, count))
    events["local_ts"] = events["exch_ts"] + 2
    events["px"], events["qty"] = rng.integers(90, 110, count), rng.integers(0, 4, count)
    return Tape.build(events, INSTRUMENT, source="random rows")


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 5 << BLOCK_SHIFT))
def test_rows_by_place_are_the_rows_that_set_each_place(seed: int, count: int) -> None:
    tape = tape_of(seed, count)
    places = tape.index.places
    for place in range(2 * len(tape.levels)):
        kind = OP_SET_BID if place % 2 == 0 else OP_SET_ASK
        expected = [
            row
            for row in range(count)
            if tape.op[row] & OP_AT_EXCH and tape.op[row] & OP_MASK == kind and tape.level[row] == place // 2
        ]
        found = places.rows_by_place[places.place_starts[place] : places.place_starts[place + 1]]
        assert found.tolist() == expected


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 5 << BLOCK_SHIFT))
def test_a_block_reaches_as_far_as_its_farthest_row(seed: int, count: int) -> None:
    tape = tape_of(seed, count)
    index = tape.index
    assert len(index.block_high) == (count + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT
    for block in range(len(index.block_high)):
        start, stop = block << BLOCK_SHIFT, min((block + 1) << BLOCK_SHIFT, count)
        highs, lows = [-(2**31)], [2**31 - 1]
        for row in range(start, stop):
            what = tape.op[row] & OP_MASK
            if not tape.op[row] & OP_AT_EXCH:
                continue
            if what in (OP_SET_BID, OP_SET_ASK):
                highs.append(int(tape.best_bid_exch[row]))
                lows.append(int(tape.best_ask_exch[row]))
            elif what == OP_BUY_TRADE:
                highs.append(int(tape.level[row]))
            elif what == OP_SELL_TRADE:
                lows.append(int(tape.level[row]))
            elif what >= OP_CLEAR_BIDS:
                highs.append(2**31 - 1)
                lows.append(-(2**31))
        assert (index.block_high[block], index.block_low[block]) == (max(highs), min(lows))
        for half, times, last in (
            (OP_AT_EXCH, tape.exch_ts, index.block_exch_ts),
            (OP_AT_LOCAL, tape.local_ts, index.block_local_ts),
        ):
            seen = [int(times[row]) for row in range(stop) if tape.op[row] & half]
            assert last[block] == (seen[-1] if seen else -(2**63))


def saved(tmp_path: Path) -> Path:
    """Return a stored tape of random rows."""
    path = tmp_path / "random.tape"
    tape_of(7, 500).save(path)
    return path


def altered(path: Path, change: Any) -> Path:
    """Write a stored tape anew with one thing changed: change(columns, metadata)."""
    with pa.ipc.open_file(pa.OSFile(str(path))) as reader:
        batch, metadata = reader.get_batch(0), dict(reader.schema.metadata)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    change(columns, metadata)
    schema = pa.schema([pa.field(n, a.type) for n, a in columns.items()], metadata=metadata)
    out = path.with_name("altered.tape")
    with pa.OSFile(str(out), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(list(columns.values()), schema=schema))
    return out


def same_index(one: Tape, other: Tape) -> bool:
    """Whether two tapes lead a replay alike."""
    return all(
        np.array_equal(getattr(one.index.places, name), getattr(other.index.places, name))
        for name in ("rows_by_place", "place_starts")
    )


def test_a_file_keeps_the_index(tmp_path: Path) -> None:
    tape = Tape.open(saved(tmp_path))
    assert tape._places is not None
    assert same_index(tape, tape_of(7, 500))
    tape.verify()


@pytest.mark.parametrize("text", [None, b"", b"no base 64!", b"AAAA", place_starts_text(tape_of(8, 400).index.places)])
def test_an_index_that_cannot_be_right_is_made_anew(tmp_path: Path, text: bytes | None) -> None:
    def change(_columns: dict[str, Any], metadata: dict[bytes, bytes]) -> None:
        if text is None:
            del metadata[b"queuefront.places"]
        else:
            metadata[b"queuefront.places"] = text

    tape = Tape.open(altered(saved(tmp_path), change))
    assert tape._places is None
    assert same_index(tape, tape_of(7, 500))


def test_a_tape_without_the_index_is_replayed_all_the_same(tmp_path: Path) -> None:
    tape = Tape.open(altered(saved(tmp_path), lambda columns, _metadata: columns.pop("row_by_place")))
    assert same_index(tape, tape_of(7, 500))


def test_rows_out_of_range_or_out_of_order_are_never_trusted() -> None:
    places = tape_of(9, 300).index.places
    text = place_starts_text(places)
    level_count = (len(places.place_starts) - 1) // 2
    assert place_index_from_file(places.rows_by_place, text, 300, level_count) is not None
    busy = int(np.argmax(np.diff(places.place_starts)))
    for value in (-1, 300, 2**31 - 1):
        rows = places.rows_by_place.copy()
        rows[places.place_starts[busy]] = value
        assert place_index_from_file(rows, text, 300, level_count) is None


def test_an_index_of_other_rows_is_found_by_verify(tmp_path: Path) -> None:
    path = saved(tmp_path)
    places = replay_index(Tape.open(path), None).places
    busy = int(np.argmax(np.diff(places.place_starts)))
    start, stop = places.place_starts[busy], places.place_starts[busy + 1]

    def change(columns: dict[str, Any], _metadata: dict[bytes, bytes]) -> None:
        rows = columns["row_by_place"].to_numpy().copy()
        missing = sorted(set(range(int(rows[start]), int(rows[stop - 1]))) - set(rows[start:stop].tolist()))
        rows[start + 1] = next(row for row in missing if rows[start] < row < rows[start + 2])
        columns["row_by_place"] = pa.array(rows)

    tape = Tape.open(altered(path, change))
    with pytest.raises(DataFormatError) as caught:
        tape.verify()
    assert str(caught.value) == (
        "random rows: column row_by_place does not group the tape's own rows; the file was altered: make it again with "
        "`qf convert`"
    )
