"""Good records become arrays, bad ones are named."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from queuefront.core import DataFormatError, SchemaMismatchError
from tests.unit.feed.sources.csv_files import file, read

HEAD = "ts,symbol,side,px,qty,note\n"
GOOD = "1700000000000000,BTC,buy,1.5,2,x\n"


def test_records_become_arrays_with_their_lines(tmp_path: Path):
    table, archive = read(file(tmp_path, HEAD + GOOD + "1700000001000000,BTC,sell,2.5,,\n"))
    assert table.line.tolist() == [2, 3]
    assert table.columns["ts"].tolist() == [1_700_000_000_000_000_000, 1_700_000_001_000_000_000]
    assert table.columns["side"].tolist() == [1, 2]
    assert table.columns["px"].tolist() == [1.5, 2.5]
    assert table.columns["qty"].tolist()[0] == 2
    assert table.columns["qty"][1] != table.columns["qty"][1]
    assert (archive.symbol, dict(archive.counts)) == ("BTC", {"header": 1, "ticks": 2})


@pytest.mark.parametrize("around", [(GOOD, GOOD), ("x\n", "x\n"), ("x\n", ""), ("", "")])
def test_a_bad_record_has_one_reason_whatever_stands_around_it(tmp_path: Path, around: tuple[str, str]):
    bad = "1700000000000000,BTC,buy,1,nan,x"
    path = file(tmp_path, HEAD + GOOD + around[0] + bad + "\n" + around[1])
    _, archive = read(path, on_bad="skip")
    assert [r.reason for r in archive.account.refused if r.text == bad] == ["qty: 'nan' is no decimal number"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("1700000000000000,BTC,buy,x,2,x", "field px: 'x' is no decimal number"),
        ("1700000000000000,BTC,buy,nan,2,x", "field px: 'nan' is no decimal number"),
        ("1700000000000000,BTC,buy,-1,2,x", "field px: '-1' is no price; a price is positive"),
        ("1700000000000000,BTC,buy,1e999,2,x", "field px: '1e999' is not finite"),
        ("1700000000000000,BTC,buy,1,-2,x", "field qty: '-2' is no quantity; a quantity is not negative"),
        ("1700000000000000,BTC,bye,1,2,x", "field side: 'bye' is none of buy, sell"),
        ("1700000000000000,ETH,buy,1,2,x", "field symbol: 'ETH' is another symbol than 'BTC'; give symbol to choose one"),
        ("1700000000000,BTC,buy,1,2,x", "field ts: '1700000000000' is no time in us between 1990-01-01 and 2100-01-01"),
        ("1700000000000000,BTC,buy,1,2", "the line has 5 fields, where the columns are 6"),
        (
            "1700000000000000,BTC,buy,1,2,x\r1700000000000000,BTC,buy,1,2,x",
            "the line has 11 fields, where the columns are 6",
        ),
        ("1700000000000000,BTC,buy,1,2,\rx", "the line holds a carriage return"),
    ],
)
def test_a_bad_record_stops_or_is_counted(tmp_path: Path, line: str, what: str):
    """H6.3."""
    path = file(tmp_path, HEAD + GOOD + line + "\n" + GOOD)
    with pytest.raises(DataFormatError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: line 3{', ' if what.startswith('field') else ': '}{what}; mend the line or convert with on_bad='skip'; "
        f"it reads {line!r}"
    )
    table, archive = read(path, "skip")
    assert table.line.tolist() == [2, 4]
    assert [(refusal.line, refusal.reason) for refusal in archive.account.refused] == [(3, what.removeprefix("field "))]


def test_bad_records_are_found_wherever_they_stand(tmp_path: Path):
    """The block is halved down to them: beside a judge that looks at line by line."""
    rng = random.Random(3)
    lines = [GOOD if rng.random() < 0.97 else rng.choice(["x\n", "\n", GOOD.replace("1.5", "-1")]) for _ in range(2_000)]
    table, archive = read(file(tmp_path, HEAD + "".join(lines)), "skip")
    good = [i + 2 for i, line in enumerate(lines) if line == GOOD]
    assert table.line.tolist() == good
    assert archive.counts["blank"] == lines.count("\n")
    assert archive.account.refused_count == 2_000 - len(good) - lines.count("\n")
    assert [r.line for r in archive.account.refused] == sorted(r.line for r in archive.account.refused)


@pytest.mark.parametrize("block_bytes", [40, 1000])
def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int):
    from queuefront.feed.sources import raw

    path = file(tmp_path, HEAD + GOOD * 100)
    whole, _ = read(path)
    monkeypatch.setattr(raw, "_BLOCK_BYTES", block_bytes)
    parts, archive = read(path)
    assert parts.line.tolist() == whole.line.tolist()
    assert archive.account.lines == 101


def test_carriage_returns_at_the_ends_of_lines_are_no_fault(tmp_path: Path):
    table, _ = read(file(tmp_path, (HEAD + GOOD * 2).replace("\n", "\r\n")))
    assert table.line.tolist() == [2, 3]


def test_a_header_may_be_absent(tmp_path: Path):
    table, archive = read(file(tmp_path, GOOD))
    assert table.line.tolist() == [1]
    assert archive.counts["header"] == 0


def test_a_last_line_without_a_newline_may_be_cut_off(tmp_path: Path):
    path = file(tmp_path, HEAD + GOOD + GOOD.strip())
    with pytest.raises(DataFormatError, match="line 3: the last line has no newline, so that it may be cut off"):
        read(path)
    assert read(path, "skip")[0].line.tolist() == [2]


def test_other_columns_are_named(tmp_path: Path):
    path = file(tmp_path, "a,b\n1,2\n")
    with pytest.raises(SchemaMismatchError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: line 1 has the columns 'a, b'; the file needs those of ticks: ts, symbol, side, px, qty"
    )


def test_an_empty_file_is_refused(tmp_path: Path):
    path = file(tmp_path, "")
    with pytest.raises(DataFormatError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: the file is empty; a file of ticks has at least a header"


def test_a_chosen_symbol_leaves_the_others_out(tmp_path: Path):
    path = file(tmp_path, HEAD + GOOD + GOOD.replace("BTC", "ETH").replace("1.5", "-1") + GOOD)
    table, archive = read(path, symbol="BTC")
    assert table.line.tolist() == [2, 4]
    assert (archive.counts["of other symbols"], archive.account.refused_count) == (1, 0)


def test_a_very_long_record_among_many_is_read(tmp_path: Path):
    long = GOOD.replace("x", "y" * 2**21)
    table, archive = read(file(tmp_path, HEAD + GOOD * 40 + long + GOOD * 40))
    assert len(table.line) == 81
    assert archive.account.refused_count == 0


@pytest.mark.parametrize("block_bytes", [256, 512, 2**20])
def test_a_bad_record_is_told_before_the_damage_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
):
    """H6.3: the scanner is a block ahead."""
    monkeypatch.setattr("queuefront.feed.sources.raw._BLOCK_BYTES", block_bytes)
    text = HEAD + GOOD * 100 + "x\n" + GOOD * 100
    path = file(tmp_path, gzip.compress(text.encode(), 0)[:-300], name="ticks.csv.gz")
    with pytest.raises(DataFormatError, match="line 102: "):
        read(path)


def test_only_the_last_line_may_be_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("queuefront.feed.sources.raw._BLOCK_BYTES", len(GOOD) * 4)
    text = HEAD + GOOD * 99 + GOOD[:-1] + "\0\n" + GOOD * 2 + GOOD[:-1]
    _, archive = read(file(tmp_path, text), on_bad="skip")
    assert [r.line for r in archive.account.refused] == [104]  # the zero byte of line 101 is in a column that is not read
    assert "no newline" in archive.account.refused[0].reason
