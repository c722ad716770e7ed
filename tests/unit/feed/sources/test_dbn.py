"""DBN files: plain or packed, in whatever pieces they come, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import databento_dbn
import numpy as np
import pytest

from queuefront.core import ConfigError, DataFormatError, TruncatedFileError
from queuefront.feed.sources import dbn, raw
from queuefront.feed.sources.dbn import MBO, SCHEMAS, DbnFile
from tests.unit.feed.sources.dbn_files import dbn_file, header, level_message, message


def test_the_record_is_the_one_that_databento_declares():
    declared = [(name, np.dtype(kind).itemsize) for name, kind in databento_dbn.MBOMsg._dtypes]
    assert [(name, MBO[name].itemsize) for name in MBO.names] == declared[: len(MBO.names)]


@pytest.mark.parametrize("name", ["a.dbn", "a.dbn.zst"])
def test_plain_and_packed_files_are_read_alike(tmp_path, name):
    file = DbnFile(dbn_file(tmp_path, message(order_id=1), message(order_id=2), name=name))
    assert file.read()["order_id"].tolist() == [1, 2]
    assert [(i.symbol, i.instrument_id, i.end_day - i.first_day) for i in file.intervals] == [("ESM4", 5602, 1)]


@pytest.mark.parametrize("chunk", [1, 7, 55, 57, 112])
def test_any_size_of_piece_gives_the_same_records(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(dbn, "_CHUNK_BYTES", chunk)
    messages = [message(order_id=i, price=i) for i in range(9)]
    assert DbnFile(dbn_file(tmp_path, *messages)).read().tobytes() == b"".join(messages)


def test_records_of_other_types_are_counted(tmp_path):
    other = bytearray(message())
    other[1] = 0x17  # a message of the system
    file = DbnFile(dbn_file(tmp_path, message(), bytes(other), message()))
    assert (len(file.read()), file.other_count) == (2, 1)


def test_a_time_of_sending_behind_each_record_is_passed_over(tmp_path):
    longer = bytearray(message(order_id=5) + bytes(8))
    longer[0] = 16
    assert DbnFile(dbn_file(tmp_path, bytes(longer), bytes(longer))).read()["order_id"].tolist() == [5, 5]


def test_a_file_without_records_is_empty(tmp_path):
    assert len(DbnFile(dbn_file(tmp_path)).read()) == 0


def test_progress_ends_at_the_size_of_the_file(tmp_path):
    path, told = dbn_file(tmp_path, message()), []
    DbnFile(path).read(lambda done, total: told.append((done, total)))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_another_schema_is_refused_by_name(tmp_path):
    path = dbn_file(tmp_path, head=header("ohlcv-1s"))
    with pytest.raises(DataFormatError) as caught:
        DbnFile(path)
    assert str(caught.value) == (f"{path}: the schema is ohlcv-1s; fetch the data with one of mbo, mbp-1, mbp-10, trades")


@pytest.mark.parametrize(("name", "declared"), [("mbp-1", "MBP1Msg"), ("mbp-10", "MBP10Msg"), ("trades", "TradeMsg")])
def test_records_by_price_are_those_that_databento_declares(name, declared):
    record = SCHEMAS[name].record
    kinds = np.dtype(getattr(databento_dbn, declared)._dtypes)
    plain = [field for field in record.names if field != "levels"]
    assert [record.fields[field][1] for field in plain] == [kinds.fields[field][1] for field in plain]
    assert record.itemsize == kinds.itemsize
    if name != "trades":
        levels, start = record["levels"].subdtype[0], record.fields["levels"][1]
        for field in levels.names:
            assert kinds.fields[f"{field}_00"][1] == start + levels.fields[field][1]


def test_records_of_two_schemas_are_refused_or_noted(tmp_path):
    path = dbn_file(tmp_path, message(), level_message([(1, 1)], []), message())
    text = f"{path}: byte 56 of the records: a record of mbp-1 in a file of mbo; fetch each schema as a file of its own"
    with pytest.raises(DataFormatError) as caught:
        DbnFile(path).read()
    assert str(caught.value) == text
    file = DbnFile(path, salvage=True)
    assert (len(file.read()), file.damage) == (1, text)


def test_a_record_by_price_that_is_too_short_is_refused(tmp_path):
    wrong = bytearray(level_message([(1, 1)], []))
    wrong[0] = 12
    path = dbn_file(tmp_path, bytes(wrong), head=header("mbp-1"))
    with pytest.raises(DataFormatError, match="byte 0 of the records: a record of 48 bytes cannot be"):
        DbnFile(path).read()


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "a.dbn"
    path.write_bytes(b"price,qty\n")
    with pytest.raises(DataFormatError) as caught:
        DbnFile(path)
    assert str(caught.value) == (
        f"{path}: the bytes are neither DBN nor zstd; convert files that Databento delivered as dbn"
    )


def test_zstd_around_something_else_is_refused(tmp_path):
    path = dbn_file(tmp_path, head=b"price,qty,side\n")
    with pytest.raises(DataFormatError) as caught:
        DbnFile(path)
    assert str(caught.value) == (
        f"{path}: the contents do not begin like DBN; convert files that Databento delivered as dbn"
    )


def test_damaged_metadata_are_refused(tmp_path):
    head = bytearray(header())
    head[3] = 99  # a version that there is not
    path = dbn_file(tmp_path, head=bytes(head))
    with pytest.raises(DataFormatError) as caught:
        DbnFile(path)
    assert str(caught.value).startswith(f"{path}: the metadata cannot be read (")
    assert str(caught.value).endswith("); fetch the file again")


@pytest.mark.parametrize("day", [508, 20241308, 0, 2**32 - 1])
def test_metadata_with_days_that_there_are_not_are_refused(tmp_path, day):
    head = header()
    assert head.count((20240508).to_bytes(4, "little")) == 1
    path = dbn_file(tmp_path, head=head.replace((20240508).to_bytes(4, "little"), day.to_bytes(4, "little")))
    with pytest.raises(DataFormatError) as caught:
        DbnFile(path)
    assert str(caught.value).startswith(f"{path}: the metadata cannot be read (")


@pytest.mark.parametrize("keep", [4, 7, 20])
def test_metadata_that_end_early_are_refused(tmp_path, keep):
    path = tmp_path / "a.dbn"
    path.write_bytes(header()[:keep])
    with pytest.raises(TruncatedFileError) as caught:
        DbnFile(path)
    got, wanted = (keep, 8) if keep < 8 else (keep - 8, len(header()) - 8)
    assert str(caught.value) == f"{path}: the metadata end after {got} of {wanted} bytes; fetch the file again"


def test_a_record_that_is_cut_off_is_refused_or_noted(tmp_path):
    path = dbn_file(tmp_path, message(), message()[:30], name="a.dbn")
    text = f"{path}: the last record is cut off after 30 bytes; fetch the file again"
    with pytest.raises(TruncatedFileError) as caught:
        DbnFile(path).read()
    assert str(caught.value) == text
    file = DbnFile(path, salvage=True)
    assert (len(file.read()), file.damage) == (1, text)


def test_packed_data_that_end_early_are_refused_or_noted(tmp_path):
    rng = np.random.default_rng(1)
    path = dbn_file(tmp_path, *(message(order_id=int(rng.integers(2**60))) for _ in range(30_000)))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(TruncatedFileError) as caught:
        DbnFile(path).read()
    assert str(caught.value).startswith(f"{path}: the zstd data are damaged or end early (")
    file = DbnFile(path, salvage=True)
    assert len(file.read()) < 30_000
    assert file.damage == str(caught.value)


@pytest.mark.parametrize("words", [0, 3, 13])
def test_a_length_that_cannot_be_is_refused_or_noted(tmp_path, words):
    wrong = bytearray(message())
    wrong[0] = words
    path = dbn_file(tmp_path, message(), bytes(wrong), message())
    text = f"{path}: byte 56 of the records: a record of {words * 4} bytes cannot be; fetch the file again"
    with pytest.raises(DataFormatError) as caught:
        DbnFile(path).read()
    assert str(caught.value) == text
    file = DbnFile(path, salvage=True)
    assert (len(file.read()), file.damage) == (1, text)


def test_without_databentos_package_the_extra_is_named(tmp_path, monkeypatch):
    path: Path = dbn_file(tmp_path)
    monkeypatch.setitem(sys.modules, "databento_dbn", None)
    with pytest.raises(ConfigError) as caught:
        DbnFile(path)
    assert str(caught.value) == (
        "reading Databento's files needs databento-dbn; install it with `pip install 'queuefront[databento]'`"
    )


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    """H6.2."""
    monkeypatch.setattr(raw, "FREE_BYTES", 2**20)
    monkeypatch.setattr(dbn, "_CHUNK_BYTES", 2**19)
    path = dbn_file(tmp_path, message() * 2**16)
    with pytest.raises(DataFormatError, match=r"bytes unpack to .* and more; no market data pack that well"):
        DbnFile(path, salvage=True).read()
