"""Tables become events by a mapping."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from queuefront.core import ConfigError, DataFormatError, SchemaMismatchError
from queuefront.core.enums import ADD_ORDER_EVENT, BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed.conversion import Gap, Refusal
from queuefront.feed.sources import raw, table
from queuefront.feed.sources.table import convert_table
from tests.unit.feed.sources.test_table_mapping import EXAMPLE, mapping

S = 1_700_000_000
HEAD = "t,p,q,side\n"
LOW = 0x3FFFFFFF


def text_file(folder, text, name="a.csv"):
    path = folder / name
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def trades(*lines, **changes):
    return HEAD + "".join(line + "\n" for line in lines)


ONE, TWO = f"{S}000,100.5,2,b", f"{S}001.5,100,1,s"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.txt"])
def test_rows_have_the_cells_values(tmp_path, name):
    conversion = convert_table(text_file(tmp_path, trades(ONE, TWO), name), mapping(symbol="XYZ", venue="mine"))
    events = conversion.events
    assert [(int(r["ev"]) & LOW, r["px"], r["qty"]) for r in events] == [
        (TRADE_EVENT | BUY_EVENT, 100.5, 2.0),
        (TRADE_EVENT | SELL_EVENT, 100.0, 1.0),
    ]
    assert events["exch_ts"].tolist() == [S * 10**9, S * 10**9 + 1_500_000]
    assert (conversion.instrument.venue, conversion.instrument.symbol) == ("mine", "XYZ")
    assert (conversion.account.lines, conversion.account.lines_by_kind) == (2, {"rows": 2})
    assert len(conversion.account.sha256) == 64


def test_blocks_of_any_size_give_the_same_rows(tmp_path, monkeypatch):
    lines = [f"{S}{i:03},{100 + i % 7},1,b" for i in range(500)]
    path = text_file(tmp_path, trades(*lines))
    whole = convert_table(path, mapping(), tick_size=1, lot_size=1)
    monkeypatch.setattr(table, "_BLOCK_BYTES", 200)
    assert convert_table(path, mapping(), tick_size=1, lot_size=1).events.tobytes() == whole.events.tobytes()


def test_parquet_is_read_like_csv(tmp_path):
    path = tmp_path / "a.parquet"
    cells = {"t": [S * 1000, S * 1000 + 1], "p": [100.5, 100.0], "q": [2, 1], "side": ["b", "s"], "more": [[1], [2]]}
    pq.write_table(pa.table(cells), path)
    made = convert_table(path, mapping())
    assert made.events["exch_ts"].tolist() == [S * 10**9, S * 10**9 + 1_000_000]
    assert made.account.notes[0].startswith("tick_size was inferred")
    cells["t"] = [float(t) for t in cells["t"]]
    pq.write_table(pa.table(cells), path)
    floats = convert_table(path, mapping())
    assert floats.events.tobytes() == made.events.tobytes()
    assert floats.account.notes[0] == "times are float64 in the file, which holds nanoseconds of today to 256 ns at best"


def test_local_times_come_from_a_column_or_the_latency(tmp_path):
    path = text_file(tmp_path, trades(ONE))
    assert convert_table(path, mapping(feed_latency_ns=7)).events["local_ts"].tolist() == [S * 10**9 + 7]
    wider = text_file(tmp_path, f"t,l,p,q,side\n{S}000,{S}.5,1,1,b\n", "b.csv")
    plan = mapping(columns={"local_ts": {"name": "l", "unit": "s"}})
    assert convert_table(wider, plan).events["local_ts"].tolist() == [S * 10**9 + 500_000_000]


def test_kinds_symbols_and_order_ids_have_columns(tmp_path):
    lines = [
        f"{S}000,1,1,b,X,trade,0",
        f"{S}001,,,s,X,clear,0",
        f"{S}002,2,1,s,X,add,18446744073709551615",
        f"{S}003,2,1,s,X,funding,0",
        f"{S}004,2,1,s,Y,what,0",
    ]
    path = text_file(tmp_path, "t;p;q;side;sym;k;id\n" + "".join(line + "\n" for line in lines).replace(",", ";"))
    kind = {"name": "k", "trade": ["trade"], "clear": ["clear"], "add": ["add"], "ignore": ["funding"]}
    columns = {"kind": kind, "symbol": "sym", "order_id": "id"}
    plan = mapping(symbol="Z", file={"delimiter": ";"}, columns=columns)
    conversion = convert_table(path, plan, symbol="X")
    assert (conversion.events["ev"].astype(np.int64) & LOW).tolist() == [
        TRADE_EVENT | BUY_EVENT,
        DEPTH_CLEAR_EVENT | SELL_EVENT,
        ADD_ORDER_EVENT | SELL_EVENT,
    ]
    assert np.isnan(conversion.events["px"][1])
    assert int(conversion.events["order_id"][2]) == 2**64 - 1
    assert conversion.account.lines_by_kind == {"ignored": 1, "of other symbols": 1, "rows": 3}


def test_a_file_without_a_header_has_numbered_columns(tmp_path):
    columns = {
        "exch_ts": {"name": "f0", "unit": "ms"},
        "px": "f1",
        "qty": "f2",
        "side": {"name": "f3", "buy": ["b"], "sell": ["s"]},
        "kind": "depth",
    }
    path = text_file(tmp_path, f"{ONE}\n{TWO}\n")
    events = convert_table(path, {"columns": columns, "file": {"header": False}}).events
    assert [int(ev) & 0xFF for ev in events["ev"]] == [DEPTH_EVENT] * 2


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (f"{S},1,1,b", "t", f"'{S}' is no time between 1990 and 2199 in the mapping's unit, exact to the nanosecond"),
        (f"{S}000,0,1,b", "p", "'0' is no price; a price is positive and finite"),
        (f"{S}000,nan,1,b", "p", "'nan' is no price; a price is positive and finite"),
        (f"{S}000,1,-1,b", "q", "'-1' is no quantity; a quantity is finite and not negative"),
        (f"{S}000,1,1,B", "side", "'B' is no side that the mapping names"),
    ],
)
def test_records_that_cannot_be_used_stop_or_are_listed(tmp_path, line, column, reason):
    path = text_file(tmp_path, trades(ONE, line, TWO))
    with pytest.raises(DataFormatError) as caught:
        convert_table(path, mapping())
    assert str(caught.value) == (
        f"{path}: record 2, column {column}: {reason}; mend the record or the mapping, or convert with on_bad='skip'"
    )
    account = convert_table(path, mapping(), on_bad="skip").account
    assert account.lines_by_kind == {"refused": 1, "rows": 2}
    assert account.refused[0].line == 2
    assert account.refused[0].text == line.replace(",", ", ")


def test_an_unknown_kind_and_order_id_are_refused(tmp_path):
    path = text_file(tmp_path, f"t,p,q,side,k,id\n{S}000,1,1,b,what,0\n{S}000,1,1,b,add,-5\n")
    plan = mapping(columns={"kind": {"name": "k", "add": ["add"]}, "order_id": "id"})
    account = convert_table(path, plan, on_bad="skip", tick_size=1, lot_size=1).account
    assert [refusal.reason for refusal in account.refused] == [
        "kind: 'what' is no kind that the mapping names",
        "order_id: '-5' is no order id; an id is a whole number from 0",
    ]


def test_lines_with_too_few_cells_stop_or_are_listed(tmp_path):
    path = text_file(tmp_path, trades(ONE, "1,2", TWO))
    with pytest.raises(DataFormatError) as caught:
        convert_table(path, mapping())
    assert str(caught.value) == (
        f"{path}: record 2: 2 columns where the file has 4; it reads '1,2'; mend the record, or convert with on_bad='skip'"
    )
    account = convert_table(path, mapping(), on_bad="skip").account
    assert account.refused == [Refusal(2, "2 columns where the file has 4", "1,2")]
    assert (account.refused_count, account.lines, account.lines_by_kind) == (1, 3, {"refused": 1, "rows": 2})


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "FREE_BYTES", 2**20)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(trades(*[ONE] * 2**17).encode()))
    with pytest.raises(DataFormatError, match=r"a\.csv\.gz: .* bytes unpack to .* and more; no market data pack that well"):
        convert_table(path, mapping())


@pytest.mark.parametrize("on_bad", ["stop", "skip"])
def test_a_last_line_without_a_newline_may_be_cut_off(tmp_path, on_bad):
    """H6.5."""
    path = text_file(tmp_path, trades(TWO, ONE)[:-1])
    if on_bad == "stop":
        with pytest.raises(DataFormatError, match=f"record 2: the line has no newline, .* it reads '{ONE}'; mend"):
            convert_table(path, mapping())
    else:
        account = convert_table(path, mapping(), on_bad="skip", tick_size=1, lot_size=1).account
        assert [refusal.line for refusal in account.refused] == [2]
        assert account.refused[0].text == ONE
    with pytest.raises(DataFormatError, match=r"a\.csv: (line 1 has no newline|no readable table)"):
        convert_table(text_file(tmp_path, trades()[:-1]), mapping(), on_bad=on_bad)


def test_truth_values_are_no_numbers(tmp_path):
    """H6: Arrow takes them for 1 and 0."""
    cells = {"t": [1_700_000_000_000], "p": ["1"], "q": [True], "side": ["b"]}
    pq.write_table(pa.table(cells), tmp_path / "a.parquet")
    with pytest.raises(DataFormatError, match="record 1, column q: 'True' is no quantity"):
        convert_table(tmp_path / "a.parquet", mapping())


@pytest.mark.parametrize("block_bytes", [64, 2**22])
def test_a_record_has_its_number_whatever_is_left_out_before_it(tmp_path, monkeypatch, block_bytes):
    """H6: found by fuzzing; lines with too few cells were not counted."""
    monkeypatch.setattr(table, "_BLOCK_BYTES", block_bytes)
    bad = ONE.replace(ONE.split(",")[1], "nan")
    lines = ["1,2", ONE, bad, "3", *[ONE] * 9, "4", "5", ONE, bad, ONE, "6"]
    account = convert_table(text_file(tmp_path, trades(*lines)), mapping(), on_bad="skip").account
    assert sorted(refusal.line for refusal in account.refused) == [1, 3, 4, 14, 15, 17, 19]
    assert (account.lines, account.refused_count) == (19, 7)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.csv"),
        (b"\n\n", "a.csv"),
        (b"\xff\xfe\x00", "a.csv"),
        (HEAD.encode() + b"1,1,1,\xff\n", "a.csv"),
        (b"PAR1", "a.parquet"),
        (b"", "a.parquet"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path, data, name):
    path = text_file(tmp_path, data, name)
    for on_bad in ("stop", "skip"):
        with pytest.raises(DataFormatError) as caught:
            convert_table(path, mapping(), on_bad=on_bad)
        assert str(caught.value).startswith(f"{path}: ")


def test_a_gzip_that_is_cut_off_stops_or_is_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_BLOCK_BYTES", 4096)
    rng = np.random.default_rng(1)
    path = text_file(
        tmp_path, trades(*(f"{S}{i:06}.5,{rng.integers(1, 10**9)},1,b".replace(".5", "") for i in range(9_000))), "a.gz"
    )
    path.write_bytes(path.read_bytes()[:-2_000])
    plan = mapping(columns={"exch_ts": {"name": "t", "unit": "us"}})
    with pytest.raises(DataFormatError, match="Truncated compressed stream"):
        convert_table(path, plan, tick_size=1, lot_size=1)
    conversion = convert_table(path, plan, on_bad="skip", tick_size=1, lot_size=1)
    assert 0 < len(conversion.events) < 9_000
    assert "Truncated compressed stream" in conversion.account.damage


def test_a_column_that_is_not_there_is_named_by_its_key(tmp_path):
    path = text_file(tmp_path, "t,p,p,side\n1,1,1,b\n")
    with pytest.raises(SchemaMismatchError) as caught:
        convert_table(path, mapping())
    assert (
        str(caught.value)
        == f"{path}: columns.px names the column 'p', which the file has more than once; it has t, p, p, side"
    )
    with pytest.raises(SchemaMismatchError) as caught:
        convert_table(path, EXAMPLE)
    assert str(caught.value) == (
        f"{path}: columns.exch_ts.name names the column 'timestamp', which the file lacks; it has t, p, p, side"
    )


def test_text_that_is_not_utf_8_is_refused_by_its_place(tmp_path):
    path = text_file(tmp_path, HEAD.encode() + ONE.encode() + b"\n1,1,1,\xff\n")
    with pytest.raises(DataFormatError) as caught:
        convert_table(path, mapping())
    assert str(caught.value) == f"{path}: not UTF-8 near byte 41 of the text; save the table as UTF-8"


def test_silence_is_a_gap_across_blocks_too(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_BLOCK_BYTES", 64)
    path = text_file(tmp_path, trades(ONE, ONE, f"{S + 60}000,100,1,b"))
    account = convert_table(path, mapping()).account
    assert account.gaps == [Gap("time", 3, (S + 60) * 10**9, 60 * 10**9)]


def test_progress_ends_at_the_size_of_the_file(tmp_path):
    path, told = text_file(tmp_path, trades(ONE)), []
    convert_table(path, mapping(), progress=lambda *x: told.append(x))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_an_unknown_word_for_bad_records_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        convert_table(text_file(tmp_path, trades(ONE)), mapping(), on_bad="maybe")
    assert str(caught.value) == "on_bad is 'maybe'; choose 'stop' or 'skip'"
