"""Events as Parquet files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import EVENT, DataError, DataFormatError, Instrument, SchemaMismatchError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import Tape, read_events, read_parquet, read_parquet_records, write_npz, write_parquet

BOTH = EXCH_EVENT | LOCAL_EVENT
ROW = st.tuples(
    st.sampled_from([DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT, TRADE_EVENT | BUY_EVENT, TRADE_EVENT]),
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
)


def events_of(rows) -> np.ndarray:
    events = np.zeros(len(rows), EVENT)
    for i, (ev, _, latency, ticks, lots, order_id, ival) in enumerate(rows):
        ts = 10**18 + i * 10**7
        events[i] = (ev | BOTH, ts, ts + latency, ticks / 100, lots / 1000, order_id, ival, 0.5 * (i % 2))
    return events


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, max_size=20))
def test_events_go_through_every_kind_of_file_unchanged(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("kinds")
    events = events_of(rows)
    write_parquet(folder / "a.parquet", events)
    of_parquet = read_parquet(folder / "a.parquet")
    write_npz(folder / "a.npz", of_parquet)
    of_npz = read_events(folder / "a.npz")
    Tape.build(of_npz, Instrument("test", "XYZ", "0.01", "0.001"), source="made").save(folder / "a.tape")
    of_tape = Tape.open(folder / "a.tape").to_events()
    write_parquet(folder / "b.parquet", of_tape)
    for made in (of_parquet, of_npz, of_tape, read_parquet(folder / "b.parquet")):
        assert made.dtype == EVENT
        assert made.tobytes() == events.tobytes()


def test_what_is_read_is_read_only(tmp_path):
    write_parquet(tmp_path / "a.parquet", events_of([]))
    assert not read_parquet(tmp_path / "a.parquet").flags.writeable


def test_rows_that_cannot_be_used_are_refused_but_where_faults_are_looked_for(tmp_path):
    events = events_of([(DEPTH_EVENT | BUY_EVENT, 0, 0, 1, 1, 0, 0)])
    events["qty"] = -1.0
    write_parquet(tmp_path / "a.parquet", events)
    with pytest.raises(DataError, match="row 0"):
        read_parquet(tmp_path / "a.parquet")
    assert read_parquet_records(tmp_path / "a.parquet").tobytes() == events.tobytes()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1\xff\xff\xff\xffPAR1"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path, data):
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    with pytest.raises(DataFormatError) as caught:
        read_parquet(path)
    assert str(caught.value).startswith(f"{path}: not a readable Parquet file: ")


def test_columns_whose_names_are_no_text_are_refused(tmp_path):
    """H6.3: found by fuzzing."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"local_ts": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"local_ts", b"loc\xff\xfe_ts"))
    with pytest.raises(DataFormatError, match=r"a\.parquet: not a readable Parquet file: "):
        read_parquet(path)


@pytest.mark.parametrize(
    "change", [{"px": pa.array([1], pa.int64())}, {"px": pa.array([None], pa.float64())}, {"more": pa.array([1])}]
)
def test_other_columns_are_refused(tmp_path, change):
    path = tmp_path / "a.parquet"
    events = events_of([(DEPTH_EVENT | BUY_EVENT, 0, 0, 1, 1, 0, 0)])
    pq.write_table(pa.table({name: pa.array(events[name]) for name in EVENT.names} | change), path)
    with pytest.raises(SchemaMismatchError, match="which are not those of events; convert its source again"):
        read_parquet(path)


def test_other_records_are_not_written(tmp_path):
    with pytest.raises(SchemaMismatchError, match="rows of float64 are no events; convert them first"):
        write_parquet(tmp_path / "a.parquet", np.zeros(3))
    assert not list(tmp_path.iterdir())
