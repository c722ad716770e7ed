"""Lines come out of every packing, and what lies about its size or contents is refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from queuefront.core import ConfigError, DataFormatError, TruncatedFileError
from queuefront.feed.sources import raw
from queuefront.feed.sources.packed import PackedLines

TEXT = b"".join(b"line %d, which is a little longer\n" % i for i in range(5_000))


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def write(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [TEXT, gzip.compress(TEXT), zipped(a=TEXT), pa.compress(TEXT, "zstd", asbytes=True)],
    ids=["plain", "gzip", "zip", "zstd"],
)
def test_every_packing_gives_the_same_lines_and_counts_its_bytes(tmp_path: Path, data: bytes):
    lines = PackedLines(write(tmp_path, data))
    assert b"".join(lines) == TEXT
    assert lines.bytes_done == lines.bytes_total == len(data)
    assert not lines.is_unfinished


def test_the_digest_is_that_of_the_packed_file(tmp_path: Path):
    from hashlib import sha256

    for data in (zipped(a=TEXT), pa.compress(TEXT, "zstd", asbytes=True)):
        lines = PackedLines(write(tmp_path, data))
        assert list(lines)
        assert lines.digest == sha256(data).hexdigest()


def test_a_member_is_chosen_by_name(tmp_path: Path):
    path = write(tmp_path, zipped(a=b"1\n", b=b"2\n"))
    assert list(PackedLines(path, member="b")) == [b"2\n"]
    with pytest.raises(ConfigError) as missing:
        list(PackedLines(path, member="c"))
    assert str(missing.value) == f"{path}: the archive has no member 'c'; it has a, b"
    with pytest.raises(DataFormatError) as several:
        list(PackedLines(path))
    assert str(several.value) == f"{path}: the archive has 2 members (a, b), and one is expected; unpack it"


def test_a_member_that_is_packed_without_a_bound_is_refused(tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", TEXT)
    path = write(tmp_path, buffer.getvalue())
    with pytest.raises(DataFormatError) as caught:
        list(PackedLines(path))
    assert str(caught.value) == f"{path}: a is packed by method 12; unpack it"


def test_a_member_without_a_name_is_read(tmp_path: Path):
    """H6.3: found by fuzzing; a name ends at a zero byte."""
    whole = bytearray(zipped(a=TEXT))
    whole[30] = whole[whole.index(b"PK\x01\x02") + 46] = 0
    assert b"".join(PackedLines(write(tmp_path, bytes(whole)))) == TEXT


@pytest.mark.parametrize("pack", [lambda text: zipped(a=text), lambda text: pa.compress(text, "zstd", asbytes=True)])
def test_what_stands_before_the_damage_is_kept_on_request(tmp_path: Path, pack):
    data = bytearray(pack(TEXT * 40))
    data[len(data) // 2 : len(data) // 2 + 8] = b"\0" * 8
    path = write(tmp_path, bytes(data))
    with pytest.raises(DataFormatError, match=f"{path}: .* on_bad='skip' to keep what is there"):
        list(PackedLines(path))
    lines = PackedLines(path, salvage=True)
    kept = b"".join(lines)
    assert lines.damage is not None
    assert len(kept) < len(TEXT) * 40 + 1


def test_a_zstd_file_that_is_cut_off_is_said_to_be(tmp_path: Path):
    data = pa.compress(TEXT, "zstd", asbytes=True)
    with pytest.raises(TruncatedFileError, match="damaged or end early"):
        list(PackedLines(write(tmp_path, data[:-5])))


def test_a_bomb_is_refused_at_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(raw, "FREE_BYTES", 2**20)
    path = write(tmp_path, gzip.compress(b"0\n" * 2**22))
    with pytest.raises(DataFormatError) as caught:
        list(PackedLines(path))
    assert str(caught.value).endswith("no market data pack that well, so this is refused; if it is meant, unpack it first")


def test_an_unfinished_last_line_is_noted(tmp_path: Path):
    lines = PackedLines(write(tmp_path, b"a\nb"))
    assert list(lines) == [b"a\n", b"b\n"]
    assert lines.is_unfinished
