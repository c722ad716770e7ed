"""Raw files give their lines, however they are packed."""

from __future__ import annotations

import gzip
import hashlib
import zlib

import pytest

from queuefront.core import DataFormatError, TruncatedFileError
from queuefront.feed.sources import raw
from queuefront.feed.sources.raw import RawLines

LINES = [b"%d line %d" % (10**18 + i, i) for i in range(3000)]
TEXT = b"".join(line + b"\n" for line in LINES)


@pytest.fixture
def write(tmp_path):
    def _write(data: bytes):
        path = tmp_path / "raw"
        path.write_bytes(data)
        return path

    return _write


def lines_of(lines: RawLines) -> list[bytes]:
    blocks = list(lines)
    assert all(block.endswith(b"\n") for block in blocks)
    return b"".join(blocks).split(b"\n")[:-1]


@pytest.mark.parametrize("block_bytes", [7, 100, 2**20])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_all_lines_come_out_whole(write, monkeypatch, block_bytes, pack):
    monkeypatch.setattr(raw, "_BLOCK_BYTES", block_bytes)
    assert lines_of(RawLines(write(pack(TEXT[:5000])))) == TEXT[:5000].split(b"\n")


def test_members_and_padding_of_a_restarted_collector_are_read(write):
    data = gzip.compress(TEXT) + bytes(100) + gzip.compress(b"") + gzip.compress(TEXT) + bytes(512)
    assert lines_of(RawLines(write(data))) == LINES * 2


def test_the_last_line_needs_no_newline(write):
    assert lines_of(RawLines(write(b"one\ntwo"))) == [b"one", b"two"]


def test_an_empty_file_has_no_lines(write):
    assert lines_of(RawLines(write(b""))) == []
    assert lines_of(RawLines(write(gzip.compress(b"")))) == []


def test_bytes_are_counted_and_hashed_as_they_stand_in_the_file(write):
    data = gzip.compress(TEXT)
    lines = RawLines(write(data))
    list(lines)
    assert lines.bytes_done == lines.bytes_total == len(data)
    assert lines.digest == hashlib.sha256(data).hexdigest()


def test_a_stream_that_is_cut_off_is_an_error(write):
    data = gzip.compress(TEXT)
    for end in range(2, len(data), 97):
        with pytest.raises(TruncatedFileError, match="cut off at byte"):
            list(RawLines(write(data[:end])))


def test_a_cut_in_a_later_member_is_found(write):
    data = gzip.compress(TEXT) + gzip.compress(TEXT)[:-1]
    with pytest.raises(TruncatedFileError, match=f"cut off at byte {len(data):,}"):
        list(RawLines(write(data)))


def test_what_stands_before_a_cut_can_be_salvaged(write):
    lines = RawLines(write(gzip.compress(TEXT)[:-100]), salvage=True)
    got = lines_of(lines)
    assert lines.damage is not None
    assert "cut off" in lines.damage
    assert len(got) > 100
    assert got[:-1] == LINES[: len(got) - 1]


def test_a_damaged_stream_is_an_error(write):
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 1  # the checksum
    with pytest.raises(DataFormatError, match="is damaged before byte"):
        list(RawLines(write(bytes(data))))
    lines = RawLines(write(bytes(data)), salvage=True)
    assert lines_of(lines) == LINES
    assert lines.damage is not None


def outcome(path, *, salvage: bool) -> tuple[object, str | None]:
    lines = RawLines(path, salvage=salvage)
    try:
        return b"".join(lines), lines.damage
    except DataFormatError as e:
        return type(e), str(e)


@pytest.mark.parametrize("salvage", [False, True])
@pytest.mark.parametrize("block_bytes", [64, 4096, 2**20])
def test_damage_is_told_and_salvaged_as_zlib_does_it(write, monkeypatch, salvage, block_bytes):
    monkeypatch.setattr(raw, "_BLOCK_BYTES", block_bytes)
    whole = gzip.compress(TEXT[:9000]) + b"\0" + gzip.compress(TEXT[9000:20000])
    damaged = []
    for place in [*range(2, 12), *range(12, len(whole), 61), *range(len(whole) - 9, len(whole))]:
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        damaged.append(bytes(data))
    fast = [outcome(write(data), salvage=salvage) for data in (*damaged, whole)]
    monkeypatch.setattr(raw, "_member", lambda packed: zlib.decompressobj(31))
    slow = [outcome(write(data), salvage=salvage) for data in (*damaged, whole)]
    assert fast == slow
    assert fast[-1] == (TEXT[:20000] + b"\n", None)
    assert sum(damage is not None for _, damage in fast) > len(damaged) * 3 // 4


def test_a_header_that_only_zlib_looks_at_is_left_to_it(write):
    data = gzip.compress(TEXT)
    with pytest.raises(DataFormatError, match="unknown header flags set"):
        list(RawLines(write(data[:3] + b"\x80" + data[4:])))


@pytest.mark.parametrize(
    ("magic", "name"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"), (b"\xfd7zXZ\x00", "xz"), (b"BZh", "bzip2")]
)
def test_other_packings_are_named(write, magic, name):
    with pytest.raises(DataFormatError, match=f"the file is {name} compressed"):
        list(RawLines(write(magic + b"....")))


def test_a_line_without_end_does_not_fill_the_memory(write, monkeypatch):
    monkeypatch.setattr(raw, "LINE_BYTES_MAX", 1000)
    monkeypatch.setattr(raw, "_BLOCK_BYTES", 100)
    with pytest.raises(DataFormatError, match="a line is longer than 1,000 bytes"):
        list(RawLines(write(b"x" * 5000)))


def test_reading_can_stop_midway(write, monkeypatch):
    monkeypatch.setattr(raw, "_BLOCK_BYTES", 100)
    for _ in RawLines(write(gzip.compress(TEXT))):
        break
