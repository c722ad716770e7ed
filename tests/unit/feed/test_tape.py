"""Tapes: what they keep, what they refuse, and that a file that was altered is never replayed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from queuefront.core import EVENT, ConfigError, DataError, DataFormatError, Instrument, OffGridError, SchemaMismatchError
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    OP_ADD_ORDER,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BUY_TRADE,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_CLEAR_BOTH,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MASKED,
    OP_MODIFY_ORDER,
    OP_NOTHING,
    OP_OTHER_TRADE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Tape
from queuefront.feed.tape_index_compiled import find_untrusted_row
from queuefront.feed.tape_layout import TAPE_VERSION, opening_book

INSTRUMENT = Instrument("venue", "SYM", "0.1", "0.001")
BOTH = EXCH_EVENT | LOCAL_EVENT
BID, ASK = BOTH | BUY_EVENT | DEPTH_EVENT, BOTH | SELL_EVENT | DEPTH_EVENT
BUY_TRADE, SELL_TRADE = BOTH | BUY_EVENT | TRADE_EVENT, BOTH | SELL_EVENT | TRADE_EVENT
T0 = 1_700_000_000_000_000_000


def events_of(*rows: tuple[int, float, float]) -> np.ndarray:
    """Make events of (ev, px, qty), one a microsecond, received 10 ns later."""
    events = np.zeros(len(rows), EVENT)
    for i, (ev, px, qty) in enumerate(rows):
        events["ev"][i], events["px"][i], events["qty"][i] = ev, px, qty
    events["exch_ts"] = T0 + np.arange(len(rows)) * 1_000
    events["local_ts"] = events["exch_ts"] + 10
    return events


def plain_events() -> np.ndarray:
    return events_of((BID, 99.9, 1.5), (ASK, 100.1, 2.0), (SELL_TRADE, 99.9, 0.5), (BID, 99.9, 1.0))


def strange_events() -> np.ndarray:
    """Return what a tape has to carry beside depth and trades."""
    events = events_of(
        (BID, 99.9, 1.5),
        (ASK, 100.1, 2.0),
        (BOTH | 100, 100.0123456, 0.0),  # index price, between two ticks
        (BOTH | 101, 100.0765, 0.0),
        (BOTH | 102, 0.0001, 0.0),  # a funding rate
        (BOTH | BUY_EVENT | 103, 99.9, 0.0),
        (BOTH | SELL_EVENT | 104, 100.1, 0.0),
        (LOCAL_EVENT | BUY_EVENT | DEPTH_EVENT, 99.8, 1.0),
        (EXCH_EVENT | BUY_EVENT | DEPTH_EVENT, 99.7, 0.0),
        (BOTH | TRADE_EVENT, 100.0, 0.25),
        (BOTH | BUY_EVENT | DEPTH_CLEAR_EVENT, 99.85, 0.0),  # a bound between two ticks
        (BOTH | SELL_EVENT | DEPTH_CLEAR_EVENT, np.nan, 0.0),
        (BOTH | DEPTH_CLEAR_EVENT, np.nan, 0.0),
        (BOTH | BUY_EVENT | SELL_EVENT | DEPTH_SNAPSHOT_EVENT, 99.9, 3.0),
    )
    events["order_id"][3], events["ival"][4], events["fval"][5] = 2**64 - 1, -(2**63), -0.5
    return events


def build(events: np.ndarray, **options: Any) -> Tape:
    return Tape.build(events, INSTRUMENT, source="test", **options)


def altered(path: Path, column: str, row: int, value: int) -> Path:
    """Write the file again with one value of one column changed; the rest, metadata included, stays."""
    with pa.ipc.open_file(path) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    arrays = []
    for name, array in zip(schema.names, batch.columns, strict=True):
        if name == column and name == "tick":
            indices = array.indices.to_numpy(zero_copy_only=False).copy()
            indices[row] = value
            changed = pa.Array.from_buffers(pa.int32(), len(indices), [None, pa.py_buffer(indices.astype(np.int32))])
            arrays.append(pa.DictionaryArray.from_arrays(changed, array.dictionary, safe=False))
        elif name == column:
            values = array.to_numpy(zero_copy_only=False).copy()
            values[row] = value
            arrays.append(pa.array(values))
        else:
            arrays.append(array)
    write(path, arrays, schema)
    return path


def write(path: Path, arrays: list[Any], schema: pa.Schema, *, batches: int = 1) -> None:
    path.unlink(missing_ok=True)  # the old file may be mapped
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for _ in range(batches):
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def rewritten(path: Path, **changes: Any) -> Path:
    """Write the file again with parts of its metadata changed; `...` removes a part."""
    with pa.ipc.open_file(path) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    meta = msgspec.json.decode(schema.metadata[b"queuefront.tape"]) | changes
    meta = {name: value for name, value in meta.items() if value is not ...}
    write(path, batch.columns, schema.with_metadata({b"queuefront.tape": msgspec.json.encode(meta)}))
    return path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    build(plain_events()).save(tmp_path / "a.tape")
    return tmp_path / "a.tape"


# --- building ---------------------------------------------------------------------------------------------------------
def test_prices_become_levels_and_quantities_lots():
    tape = build(plain_events())
    assert tape.levels.tolist() == [999, 1001]
    assert tape.level.tolist() == [0, 1, 0, 0]
    assert tape.lots.tolist() == [1500, 2000, 500, 1000]


def test_each_row_knows_its_operation_and_its_halves():
    both = OP_AT_EXCH | OP_AT_LOCAL
    assert build(strange_events()).op.tolist() == [
        OP_SET_BID | both,
        OP_SET_ASK | both,
        *[OP_NOTHING | both] * 5,
        OP_SET_BID | OP_AT_LOCAL,
        OP_SET_BID | OP_AT_EXCH,
        OP_OTHER_TRADE | both,
        OP_CLEAR_BIDS | both,
        OP_CLEAR_ALL_ASKS | both,
        OP_CLEAR_BOTH | both,
        OP_SET_BID | both,  # a row with both sides acts as a buy
    ]


def test_trades_know_their_aggressor():
    tape = build(events_of((BUY_TRADE, 100.0, 1.0), (SELL_TRADE, 100.0, 1.0)))
    assert (tape.op & 0x0F).tolist() == [OP_BUY_TRADE, OP_SELL_TRADE]


def test_the_best_levels_after_each_row_are_noted_for_each_half():
    local_only = LOCAL_EVENT | BUY_EVENT | DEPTH_EVENT
    tape = build(events_of((BID, 99.9, 1.0), (ASK, 100.1, 1.0), (local_only, 100.0, 1.0), (BID, 99.9, 0.0)))
    assert tape.levels.tolist() == [999, 1000, 1001]
    assert (tape.best_bid_exch.tolist(), tape.best_ask_exch.tolist()) == ([0, 0, 0, -1], [3, 2, 2, 2])
    assert (tape.best_bid_local.tolist(), tape.best_ask_local.tolist()) == ([0, 0, 1, 1], [3, 2, 2, 2])


def test_the_metadata_says_what_the_tape_holds():
    meta = build(plain_events(), account={"lines": 7}).meta
    assert meta["version"] == TAPE_VERSION
    assert meta["instrument"] == INSTRUMENT.to_dict()
    assert (meta["events"], meta["levels"], meta["source"], meta["account"]) == (4, 2, "test", {"lines": 7})
    assert meta["counts"] == {"depth": 3, "trade": 1}
    assert meta["rounded"] == {"px": 0, "qty": 0}
    assert (meta["first_exch_ts"], meta["last_exch_ts"]) == (T0, T0 + 3_000)
    assert (meta["first_local_ts"], meta["last_local_ts"]) == (T0 + 10, T0 + 3_010)


def test_a_half_without_rows_has_no_times():
    meta = build(events_of((EXCH_EVENT | BUY_EVENT | DEPTH_EVENT, 99.9, 1.0))).meta
    assert (meta["first_exch_ts"], meta["last_exch_ts"]) == (T0, T0)
    assert (meta["first_local_ts"], meta["last_local_ts"]) == (None, None)


def test_the_events_are_not_kept():
    events = plain_events()
    tape = build(events)
    events["exch_ts"], events["px"] = 0, 1.0
    assert tape.to_events().tobytes() == plain_events().tobytes()


def test_columns_are_read_only():
    tape = build(strange_events())
    columns = [tape.ev, tape.exch_ts, tape.level, tape.lots, tape.op, tape.best_bid_local, tape.levels, tape.extra["px"]]
    assert not any(column.flags.writeable for column in columns)


def test_a_tape_describes_itself():
    tape = build(plain_events())
    assert repr(tape) == "<Tape venue:SYM, 4 events, 2 price levels>"
    assert len(tape) == 4


def test_prices_far_apart_are_levels_next_to_each_other():
    tape = build(events_of((BID, 0.1, 1.0), (ASK, 900_000_000.0, 1.0), (BID, -0.1, 1.0)))
    assert tape.levels.tolist() == [-1, 1, 9_000_000_000]


# --- what is refused at the door ----------------------------------------------------------------------------------
def test_a_price_off_the_grid_is_refused():
    events = plain_events()
    events["px"][2] = 99.95
    with pytest.raises(OffGridError) as caught:
        build(events)
    assert str(caught.value) == (
        "test: row 2: px 99.95 is not a multiple of tick_size 0.1, like 1 rows in all; "
        "give the right tick_size, or take the nearest with off_grid='round'"
    )


def test_a_quantity_off_the_grid_is_refused():
    events = plain_events()
    events["qty"][1:3] = 0.0004
    with pytest.raises(OffGridError) as caught:
        build(events)
    assert str(caught.value) == (
        "test: row 1: qty 0.0004 is not a multiple of lot_size 0.001, like 2 rows in all; "
        "give the right lot_size, or take the nearest with off_grid='round'"
    )


def test_rounding_takes_the_nearest_and_counts():  # H7.6 H7.7, D13
    events = plain_events()
    events["px"][0], events["qty"][1], events["qty"][2] = 99.94, 0.0004, 0.0005
    tape = build(events, off_grid="round")
    assert tape.levels[tape.level].tolist() == [999, 1001, 999, 999]
    assert tape.lots.tolist() == [1500, 0, 1, 1000]
    assert tape.meta["rounded"] == {"px": 1, "qty": 2}
    assert tape.best_ask_exch.tolist() == [2, 2, 2, 2]  # what rounds to no lots is no level
    assert tape.to_events().tobytes() == events.tobytes()


@pytest.mark.parametrize(("field", "value"), [("px", np.nan), ("px", np.inf), ("qty", np.nan), ("qty", -1.0)])
def test_a_row_that_is_no_number_is_refused_even_when_rounding(field, value):  # H7.9
    events = plain_events()
    events[field][1] = value
    with pytest.raises(DataError) as caught:
        build(events, off_grid="round")
    assert str(caught.value).startswith("test: row 1: ")


def test_rows_out_of_order_are_refused():
    events = plain_events()
    events["exch_ts"][2] = T0
    with pytest.raises(DataError) as caught:
        build(events)
    assert "exch_ts of the exchange half goes back 1,000 ns" in str(caught.value)


def test_an_unknown_kind_is_refused():
    with pytest.raises(DataError) as caught:
        build(events_of((BOTH | 99, 1.0, 1.0)))
    assert "unknown kind" in str(caught.value)


# --- round trips --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [plain_events, strange_events, events_of], ids=["plain", "strange", "empty"])
def test_a_saved_tape_gives_the_same_events_to_the_byte(tmp_path, make):
    events = make()
    build(events).save(tmp_path / "a.tape")
    tape = Tape.open(tmp_path / "a.tape")
    assert tape.to_events().tobytes() == events.tobytes()
    tape.verify()


@pytest.mark.parametrize("make", [plain_events, strange_events, events_of], ids=["plain", "strange", "empty"])
def test_an_opened_tape_has_the_columns_of_the_built_one(tmp_path, make):
    built = build(make())
    built.save(tmp_path / "a.tape")
    opened = Tape.open(tmp_path / "a.tape")
    assert opened.meta == built.meta
    assert opened.instrument == built.instrument
    assert opened.levels.tolist() == built.levels.tolist()
    for name in ("ev", "exch_ts", "local_ts", "level", "lots", "op", "best_bid_exch", "best_ask_exch"):
        assert getattr(opened, name).tobytes() == getattr(built, name).tobytes(), name
    assert {k: v.tobytes() for k, v in opened.extra.items()} == {k: v.tobytes() for k, v in built.extra.items()}


def test_columns_that_say_nothing_are_left_out():
    assert build(plain_events()).extra == {}
    assert sorted(build(strange_events()).extra) == ["fval", "ival", "order_id", "px"]


def test_saving_a_tape_twice_writes_the_same_bytes(tmp_path):
    for name in ("a.tape", "b.tape"):
        build(strange_events()).save(tmp_path / name)
    assert (tmp_path / "a.tape").read_bytes() == (tmp_path / "b.tape").read_bytes()


def test_an_opened_tape_outlives_its_file(tmp_path):
    build(plain_events()).save(tmp_path / "a.tape")
    tape = Tape.open(tmp_path / "a.tape")
    (tmp_path / "a.tape").unlink()
    assert tape.to_events().tobytes() == plain_events().tobytes()


def test_a_tape_is_a_table_for_polars(saved):
    table = pl.read_ipc(saved)
    assert table["tick"].cast(pl.Int64).to_list() == [999, 1001, 999, 999]
    assert table["lots"].to_list() == [1500, 2000, 500, 1000]


def test_a_row_without_a_price_has_no_tick_in_the_table(tmp_path):
    build(strange_events()).save(tmp_path / "a.tape")
    ticks = pl.read_ipc(tmp_path / "a.tape")["tick"].cast(pl.Int64)
    assert ticks.is_null().to_list() == [False] * 2 + [True] * 5 + [False] * 4 + [True] * 2 + [False]


# --- files that are no tapes --------------------------------------------------------------------------------------
def test_a_missing_file_is_refused(tmp_path):
    path = tmp_path / "none.tape"
    with pytest.raises(DataError) as caught:
        Tape.open(path)
    assert str(caught.value) == f"{path}: there is no such file; make a tape with `qf convert` or `qf synth`"


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DataError):
        Tape.open(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataFormatError) as caught:
        Tape.open(saved)
    assert str(caught.value).startswith(f"{saved}: not a readable tape: ")


@pytest.mark.parametrize("lost", [1, 2, 6, 7, 10, 11])
def test_a_file_that_lacks_its_last_bytes_is_refused(saved, lost):
    saved.write_bytes(saved.read_bytes()[:-lost])
    with pytest.raises(DataFormatError):
        Tape.open(saved)


def test_a_file_of_another_format_is_refused(tmp_path):
    (tmp_path / "a.tape").write_bytes(b"PK\x03\x04" + bytes(1_000))
    with pytest.raises(DataFormatError):
        Tape.open(tmp_path / "a.tape")


def test_an_arrow_file_that_is_no_tape_is_refused(tmp_path):
    path = tmp_path / "a.tape"
    write(path, [pa.array([1, 2])], pa.schema([pa.field("x", pa.int64())]))
    with pytest.raises(SchemaMismatchError) as caught:
        Tape.open(path)
    assert str(caught.value) == f"{path}: an Arrow file, but not a tape; make one with `qf convert`"


def test_another_version_is_refused(saved):
    with pytest.raises(SchemaMismatchError) as caught:
        Tape.open(rewritten(saved, version=TAPE_VERSION + 1))
    assert str(caught.value) == f"{saved}: tape version 3, this Queuefront reads 2; convert the source again"


def test_metadata_that_is_not_json_is_refused(saved):
    with pa.ipc.open_file(saved) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    write(saved, batch.columns, schema.with_metadata({b"queuefront.tape": b"{"}))
    with pytest.raises(DataFormatError) as caught:
        Tape.open(saved)
    assert str(caught.value).startswith(f"{saved}: the tape's metadata is not JSON: ")


def test_metadata_without_an_instrument_is_refused(saved):
    with pytest.raises(DataFormatError) as caught:
        Tape.open(rewritten(saved, instrument=...))
    assert str(caught.value) == f"{saved}: the tape's metadata lacks its instrument; make it again with `qf convert`"


@pytest.mark.parametrize("name", ["first_exch_ts", "last_exch_ts", "first_local_ts", "last_local_ts"])
def test_metadata_without_its_times_is_refused(saved, name):
    with pytest.raises(DataFormatError):
        Tape.open(rewritten(saved, **{name: ...}))


def test_another_number_of_record_batches_is_refused(saved):
    with pa.ipc.open_file(saved) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    write(saved, batch.columns, schema, batches=2)
    with pytest.raises(DataFormatError) as caught:
        Tape.open(saved)
    assert str(caught.value) == f"{saved}: 2 record batches where a tape has one; make it again"


@pytest.mark.parametrize("name", ["exch_ts", "tick", "best_ask_local"])
def test_a_missing_column_is_refused(saved, name):
    with pa.ipc.open_file(saved) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    i = schema.get_field_index(name)
    write(saved, [a for k, a in enumerate(batch.columns) if k != i], schema.remove(i))
    with pytest.raises(SchemaMismatchError) as caught:
        Tape.open(saved)
    assert str(caught.value).startswith(f"{saved}: columns [")


def test_a_column_of_another_type_is_refused(saved):
    with pa.ipc.open_file(saved) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    i = schema.get_field_index("lots")
    arrays = [a.cast(pa.int32()) if k == i else a for k, a in enumerate(batch.columns)]
    write(saved, arrays, schema.set(i, pa.field("lots", pa.int32())))
    with pytest.raises(SchemaMismatchError) as caught:
        Tape.open(saved)
    assert str(caught.value) == f"{saved}: column lots is int32 with 0 nulls; a tape has int64"


def test_a_null_in_a_column_is_refused(saved):
    with pa.ipc.open_file(saved) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    i = schema.get_field_index("lots")
    arrays = [pa.array([1, None, 2, 3], pa.int64()) if k == i else a for k, a in enumerate(batch.columns)]
    write(saved, arrays, schema)
    with pytest.raises(SchemaMismatchError) as caught:
        Tape.open(saved)
    assert str(caught.value) == f"{saved}: column lots is int64 with 1 nulls; a tape has int64"


@pytest.mark.parametrize("is_by_order", [False, True])
def test_every_byte_is_an_operation_of_a_tape_of_its_kind_or_is_not_trusted(is_by_order):  # H3.14
    """A replay branches on what a row does; a byte that is none of it never reaches a replay."""
    shared = {OP_NOTHING, OP_BUY_TRADE, OP_SELL_TRADE, OP_OTHER_TRADE, OP_CLEAR_BIDS, OP_CLEAR_ASKS, OP_CLEAR_BOTH}
    shared |= {OP_CLEAR_ALL_BIDS, OP_CLEAR_ALL_ASKS}
    orders = {OP_ADD_ORDER, OP_CANCEL_ORDER, OP_MODIFY_ORDER, OP_FILL_ORDER}
    known = shared | (orders if is_by_order else {OP_SET_BID, OP_SET_ASK})
    zero = np.zeros(1, np.int32)
    for byte in range(256):
        op = np.array([byte], np.uint8)
        row = find_untrusted_row(op, zero, zero, zero, zero, zero, 1, is_by_order)
        assert row == (-1 if byte & OP_MASK in known and not byte & OP_MASKED else 0), byte


# --- files that were altered --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tick", 2),
        ("tick", -1),
        ("tick", -2),
        ("tick", 2**31 - 1),
        ("op", OP_CLEAR_ALL_ASKS + 1),
        ("op", 0x0F),
        ("op", 0xFF),
        ("best_bid_exch", -2),
        ("best_bid_exch", 2),
        ("best_ask_exch", -1),
        ("best_ask_exch", 3),
        ("best_bid_local", -(2**31)),
        ("best_bid_local", 2**31 - 1),
        ("best_ask_local", -1),
        ("best_ask_local", 2**31 - 1),
    ],
)
@pytest.mark.parametrize("row", [0, 3])
def test_an_index_that_compiled_code_could_not_trust_is_refused(saved, column, value, row):  # H6.7 H6.8
    path = altered(saved, column, row, value)
    with pytest.raises(DataFormatError) as caught:
        Tape.open(path)
    assert str(caught.value).startswith(f"{path}: row {row}: op ")
    assert str(caught.value).endswith("cannot be right; the file was altered: make it again with `qf convert`")


def test_ticks_that_do_not_ascend_are_refused(saved):
    with pa.ipc.open_file(saved) as reader:
        batch, schema = reader.get_batch(0), reader.schema
    i = schema.get_field_index("tick")
    arrays = list(batch.columns)
    arrays[i] = pa.DictionaryArray.from_arrays(arrays[i].indices, pa.array([1001, 999], pa.int64()))
    write(saved, arrays, schema)
    with pytest.raises(DataFormatError) as caught:
        Tape.open(saved)
    assert str(caught.value) == f"{saved}: the table of ticks is not ascending; make the tape again with `qf convert`"


@pytest.mark.parametrize("column", ["ev", "exch_ts", "local_ts", "lots"])
def test_verifying_sees_one_altered_value(saved, column):
    tape = Tape.open(altered(saved, column, 2, 1))
    with pytest.raises(DataFormatError) as caught:
        tape.verify()
    wanted = tape.meta["checksum"]
    text = str(caught.value)
    assert text.startswith("test: checksum ")
    assert text.endswith(f"where the tape says {wanted}; the file was altered: make it again with `qf convert`")


def test_verifying_sees_a_flipped_bit_of_any_column(saved):
    data = saved.read_bytes()
    tape = Tape.open(saved)
    for name in ("exch_ts", "local_ts", "lots"):
        column = getattr(tape, name).tobytes()
        at = data.index(column) + 5
        flipped = bytearray(data)
        flipped[at] ^= 1
        other = saved.with_name(f"{name}.tape")
        other.write_bytes(flipped)
        with pytest.raises(DataFormatError):
            Tape.open(other).verify()


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_refused_or_gives_the_same_events(tmp_path, seed):
    build(strange_events()).save(tmp_path / "a.tape")
    data, path = (tmp_path / "a.tape").read_bytes(), tmp_path / "b.tape"
    rng = np.random.default_rng(seed)
    refused = 0
    for _ in range(150):
        damaged = bytearray(data)
        for at in rng.integers(0, len(data), int(rng.integers(1, 4))):
            damaged[at] = rng.choice([0, 1, 0x80, 0xFF, damaged[at] ^ 1])
        path.unlink(missing_ok=True)  # the old file may be mapped
        path.write_bytes(damaged)
        try:
            tape = Tape.open(path)
            tape.verify()
        except DataError:
            refused += 1
        else:
            assert tape.to_events().tobytes() == strange_events().tobytes()
    assert refused > 50


# --- the same market under another instrument ---------------------------------------------------------------------
def test_another_instrument_of_the_same_grid_shares_the_columns():
    tape = build(plain_events())
    other = tape.with_instrument(INSTRUMENT.override(multiplier="10", contract="inverse"))
    assert other.instrument.multiplier == 10
    assert other.meta["instrument"]["contract"] == "inverse"
    assert np.shares_memory(other.lots, tape.lots)
    assert tape.meta["instrument"]["contract"] == "linear"
    other.verify()


@pytest.mark.parametrize("change", [{"tick_size": "0.2"}, {"lot_size": "0.01"}])
def test_another_grid_is_refused(change):
    with pytest.raises(ConfigError) as caught:
        build(plain_events()).with_instrument(INSTRUMENT.override(**change))
    assert str(caught.value) == "another tick or lot size changes the tape's columns; build a new tape from its events"


# --- an empty tape, and an opening snapshot -----------------------------------------------------------------------
def test_an_empty_tape_has_no_levels_and_no_times():
    tape = build(events_of())
    assert (len(tape), len(tape.levels)) == (0, 0)
    assert tape.meta["first_exch_ts"] is None
    assert len(tape.to_events()) == 0


def snapshot() -> np.ndarray:
    return events_of((BUY_EVENT, 99.9, 1.0), (BUY_EVENT, 99.7, 2.0), (SELL_EVENT, 100.1, 3.0), (SELL_EVENT, 100.3, 0.0))


def test_both_books_start_from_the_opening_snapshot():
    tape = build(events_of((BID, 99.9, 0.0)), opening=snapshot())
    assert tape.levels.tolist() == [997, 999, 1001, 1003]
    bid_lots, ask_lots, start = opening_book(tape.opening, tape.levels, INSTRUMENT)
    assert (bid_lots.tolist(), ask_lots.tolist()) == ([2000, 1000, 0, 0], [0, 0, 3000, 0])
    assert start.tolist() == [1, 2, 0, 3]  # best bid, best ask, lowest bid, highest ask
    assert (tape.best_bid_exch.tolist(), tape.best_ask_local.tolist()) == ([0], [2])


def test_a_snapshot_of_one_side_leaves_the_other_empty():
    tape = build(events_of(), opening=snapshot()[:2])
    assert opening_book(tape.opening, tape.levels, INSTRUMENT)[2].tolist() == [1, 2, 0, -1]


def test_the_callers_snapshot_is_not_changed():
    rows = snapshot()
    build(events_of(), opening=rows)
    assert rows.tobytes() == snapshot().tobytes()


def test_a_snapshot_price_off_the_grid_is_refused():
    rows = snapshot()
    rows["px"][1] = 99.77
    with pytest.raises(OffGridError) as caught:
        build(events_of(), opening=rows)
    assert str(caught.value).startswith("test (opening): row 1: px 99.77 is not a multiple of tick_size 0.1")


def test_a_snapshot_that_is_no_number_is_refused():
    rows = snapshot()
    rows["qty"][0] = np.nan
    with pytest.raises(DataError) as caught:
        build(events_of(), opening=rows)
    assert str(caught.value).startswith("test (opening snapshot): row 0: ")


def test_a_snapshot_quantity_off_the_grid_is_refused():
    rows = snapshot()
    rows["qty"][0] = 0.0004
    with pytest.raises(OffGridError):
        build(events_of(), opening=rows)


def test_a_tape_with_a_snapshot_is_not_saved(tmp_path):
    with pytest.raises(ConfigError) as caught:
        build(events_of(), opening=snapshot()).save(tmp_path / "a.tape")
    assert str(caught.value) == (
        "a tape with an opening snapshot lives in memory only; put the snapshot's rows into the events"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_opening_a_tape_imports_neither_table_libraries_nor_what_makes_tapes(tmp_path: Path) -> None:
    from tests.small_market import market

    market().save(tmp_path / "small.tape")
    code = (
        "import sys\nfrom queuefront.feed import Tape\nTape.open(sys.argv[1])\n"
        "unwanted = 'pandas', 'plotly', 'polars', 'queuefront.book.fused', 'queuefront.feed.tape_build'\n"
        "print([name for name in unwanted if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "small.tape")]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout == "[]\n"
