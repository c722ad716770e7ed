"""Files of version 1: what their columns become, exactly, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from queuefront.core import EVENT, ConfigError, DataError, DataFormatError, SchemaMismatchError, TimestampRangeError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import SynthConfig, migrate_version1, read_events, synthesize, write_version1

TS = 1_660_228_023_037_049.0


def file_of(folder: Path, *rows: tuple[float, ...]) -> Path:
    path = folder / "old.npz"
    np.savez_compressed(path, data=np.array(rows, np.float64).reshape(-1, 6))
    return path


@pytest.mark.parametrize(("side", "flag"), [(1, BUY_EVENT), (-1, SELL_EVENT), (0, 0)])
def test_sides_are_flags(tmp_path, side, flag):
    events = migrate_version1(file_of(tmp_path, (1, TS, TS + 7, side, 23.5, 4.0)))
    assert events[0].tolist() == (
        DEPTH_EVENT | flag | EXCH_EVENT | LOCAL_EVENT,
        1_660_228_023_037_049_000,
        1_660_228_023_037_056_000,
        23.5,
        4.0,
        0,
        0,
        0.0,
    )


def test_a_time_that_is_not_positive_hides_the_row_from_that_half(tmp_path):
    events = migrate_version1(file_of(tmp_path, (2, -1, TS, 1, 1.0, 1.0), (2, TS, -1, 1, 1.0, 1.0)))
    assert events["ev"].tolist() == [TRADE_EVENT | BUY_EVENT | LOCAL_EVENT, TRADE_EVENT | BUY_EVENT | EXCH_EVENT]
    assert events["exch_ts"].tolist()[0] == -1000


def test_plain_columns_are_read_and_the_records_are_written(tmp_path):
    path, out = tmp_path / "old.npy", tmp_path / "new.npz"
    np.save(path, np.array([(1, TS, TS, 1, 1.0, 1.0)]))
    events = migrate_version1(path, out, ts_mul=1)
    assert events["exch_ts"].tolist() == [int(TS)]
    assert read_events(out).tobytes() == events.tobytes()


def test_a_file_without_rows_has_none(tmp_path):
    assert len(migrate_version1(file_of(tmp_path))) == 0


@pytest.mark.parametrize("ts_mul", [0, -1, 0.5])
def test_a_factor_that_is_no_whole_number_is_refused(tmp_path, ts_mul):
    with pytest.raises(ConfigError) as caught:
        migrate_version1(tmp_path / "none", ts_mul=ts_mul)
    assert str(caught.value) == f"ts_mul is {ts_mul}; give the nanoseconds of one step, a whole number from 1"


def test_records_of_today_are_refused(tmp_path):
    path = tmp_path / "new.npy"
    np.save(path, np.zeros((2, 3)))
    with pytest.raises(SchemaMismatchError) as caught:
        migrate_version1(path)
    assert str(caught.value) == (
        f"{path}: '<f8' of shape (2, 3) is not version 1, six columns of float64 "
        "(event, exch_timestamp, local_timestamp, side, price, qty); newer files need no migration"
    )


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04rubbish", b"\x93NUMPY\x01\x00"])
def test_rubbish_is_refused(tmp_path, data):  # H6.3
    path = tmp_path / "old.npz"
    path.write_bytes(data)
    with pytest.raises(DataFormatError) as caught:
        migrate_version1(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).endswith("again")


HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 6), }"


@pytest.mark.parametrize(
    "header",
    [HUGE, b"{'descr': '<f8', 'fortran_order': False, 'shape': (1, \0", b"(" * 500, b"{'shape': (1, 6)}", b"[]"],
)
def test_a_header_that_is_not_what_it_should_be_is_refused(tmp_path, header):
    """H6.3: found by fuzzing; NumPy's own reader raises what it comes upon, or takes the memory that is declared."""
    path = tmp_path / "old.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 48)
    with pytest.raises(DataError) as caught:
        migrate_version1(path)
    assert str(path) in str(caught.value)


def test_an_archive_of_another_method_is_refused(tmp_path):
    """H6.3: found by fuzzing."""
    path = file_of(tmp_path, (1, TS, TS, 1, 1.0, 1.0))
    data = path.read_bytes()
    place = data.index(b"PK\x01\x02") + 10
    path.write_bytes(data[:place] + b"\x30\x00" + data[place + 2 :])
    with pytest.raises(DataFormatError, match="compression method 48"):
        migrate_version1(path)


@pytest.mark.parametrize(("px", "qty", "field"), [(np.nan, 1.0, "px"), (1.0, -1.0, "qty"), (1.0, np.inf, "qty")])
def test_a_row_that_cannot_be_used_is_named(tmp_path, px, qty, field):
    """H6: found by fuzzing; such rows were migrated."""
    path = file_of(tmp_path, (1, TS, TS, 1, 1.0, 1.0), (1, TS, TS, 1, px, qty))
    with pytest.raises(DataError, match=f"old.npz: row 1: .*{field} is"):
        migrate_version1(path)


def test_pickled_objects_are_not_loaded(tmp_path):  # H6.12
    path = tmp_path / "old.npy"
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataFormatError):
        migrate_version1(path)


def test_a_member_that_is_not_there_is_named(tmp_path):
    path = file_of(tmp_path, (1, TS, TS, 1, 1.0, 1.0))
    with pytest.raises(DataFormatError) as caught:
        migrate_version1(path, member="rows")
    assert str(caught.value) == f"{path}: the archive has no member 'rows.npy'; it holds data.npy; name the member to read"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, np.nan, TS, 1, 1.0, 1.0), "row 0: exch_timestamp nan is no whole number; write the file again"),
        ((1, TS, 2.0**60, 1, 1.0, 1.0), f"row 0: local_timestamp {2.0**60} is no whole number; write the file again"),
        ((300, TS, TS, 1, 1.0, 1.0), "row 0: event 300 is none of version 1; write the file again"),
    ],
)
def test_a_number_that_cannot_be_is_refused(tmp_path, row, message):
    path = file_of(tmp_path, row)
    with pytest.raises(DataFormatError) as caught:
        migrate_version1(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_time_beyond_int64_is_refused(tmp_path):  # H0.5
    path = file_of(tmp_path, (1, TS, TS, 1, 1.0, 1.0))
    with pytest.raises(TimestampRangeError) as caught:
        migrate_version1(path, ts_mul=10**6)
    assert str(caught.value) == f"{path}: exch_timestamp times 1,000,000 does not fit into int64; give a smaller ts_mul"


# --- back to version 1 ------------------------------------------------------------------------------------------------
def test_events_of_whole_microseconds_come_back_as_they_were(tmp_path):
    events = synthesize(SynthConfig(events=500, seed=2)).copy()
    for name in ("exch_ts", "local_ts"):
        events[name] = events[name] // 1000 * 1000
    write_version1(tmp_path / "old.npz", events)
    made = migrate_version1(tmp_path / "old.npz")
    for name in ("ev", "px", "qty"):
        assert np.array_equal(made[name], events[name]), name
    for name, flag in (("exch_ts", EXCH_EVENT), ("local_ts", LOCAL_EVENT)):
        is_seen = (events["ev"] & np.uint64(flag)) != 0
        assert np.array_equal(made[name][is_seen], events[name][is_seen])
        assert (made[name][~is_seen] == -1000).all()


def row_of(**changes):
    events = np.zeros(1, EVENT)
    events[0] = (DEPTH_EVENT | BUY_EVENT | EXCH_EVENT | LOCAL_EVENT, 10**18, 10**18 + 1, 1.0, 1.0, 0, 0, 0.0)
    for name, value in changes.items():
        events[name] = value
    return events


def test_times_between_steps_are_refused_or_rounded_down(tmp_path):
    path = tmp_path / "old.npz"
    with pytest.raises(DataError) as caught:
        write_version1(path, row_of())
    assert str(caught.value) == (
        f"{path}: row 0: local_ts 1000000000000000001 is no multiple of 1,000 ns; give a smaller ts_mul, or "
        "round_times=True"
    )
    assert not path.exists()
    write_version1(path, row_of(), round_times=True)
    assert migrate_version1(path)["local_ts"].tolist() == [10**18]


@pytest.mark.parametrize(("name", "value"), [("order_id", 5), ("ival", -1), ("fval", 0.5)])
def test_fields_that_version_1_lacks_are_refused(tmp_path, name, value):
    path = tmp_path / "old.npz"
    with pytest.raises(DataError) as caught:
        write_version1(path, row_of(**{name: value}))
    assert str(caught.value) == f"{path}: row 0: version 1 has no {name}, and it is {value}; leave it out"


def test_times_that_float64_cannot_count_are_refused(tmp_path):
    """H0.5."""
    with pytest.raises(TimestampRangeError, match=r"beyond 2\^53 steps of 1 ns"):
        write_version1(tmp_path / "old.npz", row_of(), ts_mul=1)


@pytest.mark.parametrize("ts_mul", [0, 0.5])
def test_a_step_of_no_whole_nanoseconds_is_refused(tmp_path, ts_mul):
    with pytest.raises(ConfigError, match=f"ts_mul is {ts_mul}; give the nanoseconds of one step, a whole number from 1"):
        write_version1(tmp_path / "old.npz", row_of(), ts_mul=ts_mul)
