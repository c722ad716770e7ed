"""Event files are read whole or refused with a reason."""

from __future__ import annotations

import io
import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest

from queuefront.core import EVENT, LATENCY, REGISTRY, ConfigError, DataError, DataFormatError, register
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT
from queuefront.core.errors import SchemaMismatchError, TruncatedFileError
from queuefront.feed import npz as npz_module
from queuefront.feed.npz import as_records, read_events, read_latencies, read_records, write_npy, write_npz


def rows(count: int) -> np.ndarray:
    events = np.zeros(count, EVENT)
    events["ev"] = DEPTH_EVENT | BUY_EVENT | EXCH_EVENT | LOCAL_EVENT
    events["exch_ts"] = np.arange(count) + 1_700_000_000_000_000_000
    events["local_ts"] = events["exch_ts"] + 10
    events["px"] = 100.0 + np.arange(count)
    events["qty"] = np.arange(count)
    return events


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_with(header: bytes | str, payload: bytes = b"", version: int = 1) -> bytes:
    text = header.encode() if isinstance(header, str) else header
    return b"\x93NUMPY" + bytes((version, 0)) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + payload


def header_of(**changes: object) -> str:
    header = {"descr": EVENT.descr, "fortran_order": False, "shape": (0,)} | changes
    return repr({k: v for k, v in header.items() if v is not ...})


@pytest.fixture
def write(tmp_path: Path):
    def _write(data: bytes, name: str = "a.npy") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return _write


# --- good files -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_written_by_numpy_is_read(tmp_path, save):
    save(tmp_path / "a.npz", data=rows(5))
    assert read_events(tmp_path / "a.npz").tobytes() == rows(5).tobytes()


def test_a_plain_file_written_by_numpy_is_read(write):
    assert read_events(write(npy_bytes(rows(5)))).tobytes() == rows(5).tobytes()


@pytest.mark.parametrize("compress", [True, False])
def test_what_is_written_is_read_by_numpy(tmp_path, compress):
    write_npz(tmp_path / "a.npz", rows(7), compress=compress)
    assert np.load(tmp_path / "a.npz")["data"].tobytes() == rows(7).tobytes()


def test_a_plain_file_that_is_written_is_read_by_numpy(tmp_path):
    write_npy(tmp_path / "a.npy", rows(7))
    assert np.load(tmp_path / "a.npy").tobytes() == rows(7).tobytes()


def test_another_member_is_read_by_name(tmp_path):
    write_npz(tmp_path / "a.npz", rows(2), member="other")
    assert len(read_events(tmp_path / "a.npz", member="other")) == 2
    assert len(read_events(tmp_path / "a.npz", member="other.npy")) == 2


def test_what_is_read_cannot_be_written_to(write):  # H3.30
    events = read_events(write(npy_bytes(rows(1))))
    with pytest.raises(ValueError, match="read-only"):
        events["px"][0] = 1.0
    copy = events.copy()
    copy["px"][0] = 1.0
    assert events["px"][0] == 100.0


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_format_version_is_read(write, version):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, rows(3), version=version)
    assert read_events(write(stream.getvalue())).tobytes() == rows(3).tobytes()


@pytest.mark.parametrize("padding", range(64))
def test_any_start_of_the_records_gives_equal_records(write, padding):  # H6.17, H3.10
    data = npy_with(header_of(shape=(3,)) + " " * padding + "\n", rows(3).tobytes())
    events = read_events(write(data))
    assert events.tobytes() == rows(3).tobytes()
    assert events.ctypes.data % 8 == 0


def test_a_file_without_records_is_empty(write):  # H6.16
    assert len(read_events(write(npy_bytes(rows(0))))) == 0


@pytest.mark.parametrize("mark", ["<", "=", ""])
def test_the_spelling_of_the_byte_order_does_not_matter(write, mark):  # H6.19
    descr = [(name, mark + EVENT[name].str[1:]) for name in EVENT.names]
    data = npy_with(header_of(descr=descr, shape=(2,)), rows(2).tobytes())
    assert read_events(write(data)).tobytes() == rows(2).tobytes()


def test_one_byte_types_need_no_byte_order(write):  # H6.19
    order = REGISTRY["order"]
    for mark in "|=<>":
        descr = [(n, mark + order[n].str[1:] if order[n].itemsize == 1 else order[n].str) for n in order.names]
        data = npy_with(repr({"descr": descr, "fortran_order": False, "shape": (1,)}), bytes(order.itemsize))
        assert len(read_records(write(data), order)) == 1


def test_big_endian_records_are_converted_with_a_notice(write, caplog):  # H6.20
    data = npy_bytes(rows(3).astype(EVENT.newbyteorder(">")))
    with caplog.at_level(logging.INFO, "queuefront.feed.npz"):
        events = read_events(write(data))
    assert events.dtype == EVENT
    assert events.tobytes() == rows(3).tobytes()
    assert "big-endian" in caplog.text


def test_big_endian_records_can_be_refused(write):  # H6.20
    path = write(npy_bytes(rows(3).astype(EVENT.newbyteorder(">"))))
    with pytest.raises(DataFormatError, match="big-endian byte order; pass swap_bytes=True"):
        read_records(path, EVENT, swap_bytes=False)


def test_a_field_may_be_renamed_explicitly_and_only_so(write):  # H6.10
    renamed = rows(2).astype([("price" if n == "px" else n, EVENT[n]) for n in EVENT.names])
    path = write(npy_bytes(renamed))
    with pytest.raises(SchemaMismatchError, match="missing px; extra \\['price'\\]"):
        read_events(path)
    assert read_events(path, rename={"price": "px"}).tobytes() == rows(2).tobytes()


# --- refused bytes --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("compress", [None, True, False])
def test_a_file_cut_at_any_byte_is_refused(tmp_path, compress):  # H6.1, H6.2, H6.6, H3.39
    whole = tmp_path / ("a.npy" if compress is None else "a.npz")
    write_npy(whole, rows(1)) if compress is None else write_npz(whole, rows(1), compress=compress)
    data = whole.read_bytes()
    for end in range(len(data)):
        whole.write_bytes(data[:end])
        with pytest.raises(DataFormatError):
            read_events(whole)
        if compress is None:
            with pytest.raises(TruncatedFileError):
                read_events(whole)


def test_a_header_longer_than_the_file_is_refused(write):  # H6.2
    data = npy_bytes(rows(1))
    data = data[:8] + b"\xff\xff" + data[10:200]
    with pytest.raises(TruncatedFileError, match="a header of 65,535 bytes, where 190 are left"):
        read_events(write(data))


def test_a_huge_header_is_refused_before_it_is_read(write):
    data = b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + b" " * 50
    with pytest.raises(DataFormatError, match="a header of 2,147,483,648 bytes; the limit is 4,194,304"):
        read_events(write(data))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{'descr': \xff\xfe}",
        b"{'descr'\x00: 1}",
        b"[1, 2]",
        b"__import__('os').system('true')",
        b"(" * 5000,
        b"-" * 100_000 + b"1",
        b"{'a': " * 300,
        b"'\\d'",
        b"9" * 20_000,
    ],
)
@pytest.mark.parametrize("version", [2, 3])
def test_a_header_that_is_no_dictionary_is_refused(write, header, version):  # H6.3, H6.4
    with pytest.raises(DataFormatError):
        read_events(write(npy_with(header, version=version)))


def test_text_that_is_no_utf_8_is_refused_at_its_offset(write):  # H6.4
    with pytest.raises(DataFormatError, match="offset 15: the header is not utf-8 text"):
        read_events(write(npy_with(b"{'a\xff': 1}", version=3)))


@pytest.mark.parametrize("key", ["descr", "fortran_order", "shape"])
def test_every_key_of_the_header_is_needed(write, key):  # H6.12, H6.11
    error = SchemaMismatchError if key == "descr" else DataFormatError
    with pytest.raises(error, match=key):
        read_events(write(npy_with(header_of(**{key: ...}))))


def test_an_unknown_key_is_refused(write):  # H6.12
    with pytest.raises(DataFormatError, match="unknown key 'extra'"):
        read_events(write(npy_with(header_of(extra=1))))


@pytest.mark.parametrize("order", [True, 0, None, "False"])
def test_only_c_order_is_read(write, order):  # H6.12
    with pytest.raises(DataFormatError, match="fortran_order is"):
        read_events(write(npy_with(header_of(fortran_order=order))))


@pytest.mark.parametrize("shape", [(), (-1,), (True,), (2, 3), 3, [3], (1.0,), ("1",)])
def test_a_shape_is_one_count(write, shape):  # H6.16
    with pytest.raises(DataFormatError, match="not one count of records"):
        read_events(write(npy_with(header_of(shape=shape))))


@pytest.mark.parametrize(
    "descr",
    [
        [],
        "<f8",
        None,
        "|O",
        [("ev", "|O")],
        [("ev", "<M8[ns]")],
        [("ev", "<U4")],
        [("ev", "|u8")],
        [("ev", "<u8", (2,))],
        [(("title", "ev"), "<u8")],
        [("ev", [("x", "<u8")])],
        ["ev"],
    ],
)
def test_only_plain_records_are_read(write, descr):  # H6.11, H6.12
    with pytest.raises(SchemaMismatchError):
        read_events(write(npy_with(header_of(descr=descr))))


def test_a_field_more_or_fewer_is_refused_by_name(write):  # H6.9
    fields = [(n, EVENT[n].str) for n in EVENT.names]
    with pytest.raises(SchemaMismatchError, match="missing fval"):
        read_events(write(npy_with(header_of(descr=fields[:-1]))))
    with pytest.raises(SchemaMismatchError, match="extra \\['pad'\\]"):
        read_events(write(npy_with(header_of(descr=[*fields, ("pad", "<i8")]))))
    with pytest.raises(SchemaMismatchError, match="a field stands twice"):
        read_events(write(npy_with(header_of(descr=[*fields, fields[-1]]))))


def test_exchanged_columns_are_refused(write):  # H6.10
    names = ["ev", "exch_ts", "local_ts", "qty", "px", "order_id", "ival", "fval"]
    with pytest.raises(SchemaMismatchError, match="their order is ev, exch_ts, local_ts, qty, px"):
        read_events(write(npy_with(header_of(descr=[(n, EVENT[n].str) for n in names]))))


def test_a_field_of_another_type_is_refused(write):
    descr = [(n, "<i8" if n == "px" else EVENT[n].str) for n in EVENT.names]
    with pytest.raises(SchemaMismatchError, match="field 'px' is <i8, not <f8"):
        read_events(write(npy_with(header_of(descr=descr))))


def test_one_record_more_than_declared_is_refused(write):  # H6.13, H3.35
    with pytest.raises(DataFormatError, match="64 bytes more than the 2 declared records take"):
        read_events(write(npy_bytes(rows(2)) + rows(1).tobytes()))


@pytest.mark.parametrize("extra", [1, 63])
def test_a_part_of_a_record_is_refused(write, extra):  # H6.14
    with pytest.raises(DataFormatError, match=f"{extra} bytes more than whole records"):
        read_events(write(npy_bytes(rows(2)) + bytes(extra)))


def test_zeros_at_the_end_are_stripped_on_request(write, caplog):  # H6.15
    path = write(npy_bytes(rows(2)) + bytes(64))
    with pytest.raises(DataFormatError, match="strip_padding=True"):
        read_events(path)
    with caplog.at_level(logging.INFO, "queuefront.feed.npz"):
        assert read_events(path, strip_padding=True).tobytes() == rows(2).tobytes()
    assert "bytes=64" in caplog.text
    with pytest.raises(DataFormatError, match="are not zeros"):
        read_events(write(npy_bytes(rows(2)) + b"\0" * 63 + b"\1"), strip_padding=True)


def test_more_records_than_bytes_take_no_memory(write):  # H3.22
    with pytest.raises(TruncatedFileError, match="1,125,899,906,842,624 records of 64 bytes are declared"):
        read_events(write(npy_with(header_of(shape=(2**50,)))))


@pytest.mark.parametrize("version", [b"\x00\x00", b"\x04\x00", b"\x01\x01"])
def test_an_unknown_format_version_is_refused(write, version):
    data = npy_bytes(rows(1))
    with pytest.raises(DataFormatError, match="NumPy format"):
        read_events(write(data[:6] + version + data[8:]))


def test_other_files_are_refused(write):
    with pytest.raises(DataFormatError, match="is not the start of a NumPy file"):
        read_events(write(b"hello, world"))


# --- archives -------------------------------------------------------------------------------------------------------
def archive(path: Path, data: bytes, name: str = "data.npy", method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as f:
        f.writestr(name, data)
    return path


def test_a_missing_member_is_named_with_those_that_are_there(tmp_path):
    with pytest.raises(DataFormatError, match=r"no member 'data.npy'; it holds events.npy"):
        read_events(archive(tmp_path / "a.npz", npy_bytes(rows(1)), "events.npy"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_changed_byte_in_a_member_is_found(tmp_path, method):  # H6.6
    path = archive(tmp_path / "a.npz", npy_bytes(rows(20)), method=method)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(TruncatedFileError, match=r"a\.npz \(data\.npy\)"):
        read_events(path)


def test_a_shortened_member_is_found(tmp_path):  # H6.6, H3.35
    whole = npy_bytes(rows(3))
    with pytest.raises(TruncatedFileError, match=r"3 records of 64 bytes are declared"):
        read_events(archive(tmp_path / "a.npz", whole[:-64]))


def test_a_member_with_a_record_too_many_is_refused(tmp_path):  # H6.13, H3.35
    with pytest.raises(DataFormatError, match="64 bytes more than the 3 declared records take"):
        read_events(archive(tmp_path / "a.npz", npy_bytes(rows(3)) + bytes(64)))


def test_other_compression_is_refused(tmp_path):
    with pytest.raises(DataFormatError, match="compression method 14; save it stored or deflated"):
        read_events(archive(tmp_path / "a.npz", npy_bytes(rows(3)), method=zipfile.ZIP_LZMA))


def test_a_size_that_compression_cannot_reach_is_refused(tmp_path):
    path = archive(tmp_path / "a.npz", npy_bytes(rows(3)), method=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(DataFormatError, match=r"bytes cannot unpack to 2,147,483,648"):
        read_events(path)


def test_an_encrypted_member_is_refused(tmp_path):
    path = archive(tmp_path / "a.npz", npy_bytes(rows(3)))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataFormatError, match="encrypted"):
        read_events(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as f:
        f.writestr("data.npy", npy_bytes(rows(1)))
        f.writestr("data.npy", npy_bytes(rows(2)))
    with pytest.raises(DataFormatError, match=r"2 members 'data\.npy'"):
        read_events(tmp_path / "a.npz")


# --- streams --------------------------------------------------------------------------------------------------------
class Stuttering(io.BytesIO):
    """Give a byte or two at a time, and nothing from `end` on."""

    def __init__(self, data: bytes, end: int) -> None:
        super().__init__(data)
        self.end = end

    def read(self, size: int = -1) -> bytes:
        left = self.end - self.tell()
        return super().read(max(0, min(size, 2, left)))


def test_a_stream_that_gives_nothing_is_an_error_and_no_loop():  # H6.5
    data = npy_bytes(rows(3))
    options = npz_module._Options(EVENT, {}, strip_padding=False, swap_bytes=True)
    for end in (5, 60, len(data) - 1):
        with pytest.raises(TruncatedFileError):
            npz_module._read_npy(Stuttering(data, end), len(data), "stub", options)
    whole = npz_module._read_npy(Stuttering(data, len(data)), len(data), "stub", options)
    assert whole.tobytes() == rows(3).tobytes()


def test_a_stream_longer_than_it_says_is_an_error():
    data = npy_bytes(rows(3))
    options = npz_module._Options(EVENT, {}, strip_padding=False, swap_bytes=True)
    with pytest.raises(DataFormatError, match="longer than"):
        npz_module._read_npy(io.BytesIO(data + b"x"), len(data), "stub", options)


def test_a_failing_read_leaves_no_data_behind():  # H3.27
    class Failing(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            if self.tell() > 300:
                raise OSError("the disk is gone")
            return super().read(min(size, 100))

    data = npy_bytes(rows(9))
    options = npz_module._Options(EVENT, {}, strip_padding=False, swap_bytes=True)
    with pytest.raises(OSError, match="the disk is gone"):
        npz_module._read_npy(Failing(data), len(data), "stub", options)


# --- bytes to records -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("offset", [-1, 129, 2**62, 2**63 - 1])
def test_an_offset_outside_is_refused(offset):  # H6.7, H6.8, H3.3
    with pytest.raises(DataFormatError, match="lies outside the 128 bytes"):
        as_records(np.zeros(128, np.uint8), EVENT, offset=offset)


def test_records_are_whole(write):  # H6.7, H3.3
    with pytest.raises(DataFormatError, match="36 more than whole records"):
        as_records(np.zeros(100, np.uint8), EVENT)
    with pytest.raises(DataFormatError, match="contiguous"):
        as_records(np.zeros(256, np.uint8)[::2], EVENT)
    assert len(as_records(np.zeros(128, np.uint8), EVENT, offset=128)) == 0


def test_unaligned_bytes_are_copied():  # H3.10
    data = np.zeros(65, np.uint8)
    assert as_records(data, EVENT, offset=1).ctypes.data % 8 == 0


# --- values ---------------------------------------------------------------------------------------------------------
def test_a_row_of_unknown_kind_is_refused_by_number(write):  # H3.5, H3.33
    events = rows(4)
    events["ev"][2] = EXCH_EVENT | 77
    with pytest.raises(DataError, match=r"a\.npy: row 2: unknown kind: ev is 0x8000004d"):
        read_events(write(npy_bytes(events)))
    assert len(read_events(write(npy_bytes(events)), extra_kinds=frozenset({77}))) == 4
    assert len(read_records(write(npy_bytes(events)), EVENT)) == 4


def test_latencies_are_read_and_checked(write):  # H3.20
    latencies = np.zeros(3, LATENCY)
    latencies["req_ts"] = [10, 20, 30]
    latencies["exch_ts"] = [11, 0, 31]
    latencies["resp_ts"] = [12, 22, 32]
    assert read_latencies(write(npy_bytes(latencies))).tobytes() == latencies.tobytes()
    latencies["resp_ts"][2] = 30
    with pytest.raises(DataError, match="row 2: negative response latency: resp_ts is 30"):
        read_latencies(write(npy_bytes(latencies)))


# --- writing --------------------------------------------------------------------------------------------------------
def test_equal_records_give_equal_bytes(tmp_path):  # H3.2, H3.32
    write_npz(tmp_path / "a.npz", rows(9))
    write_npz(tmp_path / "b.npz", rows(9))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_only_contiguous_registered_records_are_written(tmp_path):  # H3.11
    path = tmp_path / "a.npz"
    padded = np.zeros(3, np.dtype({"names": ["a"], "formats": ["<i8"], "itemsize": 16}))
    for bad in (rows(4)[::2], padded, np.zeros(3), rows(4).reshape(2, 2), [1, 2], rows(3).astype(EVENT.newbyteorder(">"))):
        with pytest.raises(ConfigError):
            write_npz(path, bad)
    with pytest.raises(ConfigError, match=r"must end in \.npz"):
        write_npz(tmp_path / "a.bin", rows(1))
    with pytest.raises(ConfigError, match=r"must end in \.npy"):
        write_npy(tmp_path / "a.npz", rows(1))
    assert list(tmp_path.iterdir()) == []


def test_a_dtype_must_be_registered_to_be_read(tmp_path):
    with pytest.raises(ConfigError, match="not registered"):
        read_records(tmp_path / "a.npy", np.dtype("<i8"))


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    write_npz(path, rows(1))
    before = path.read_bytes()

    def fail(stream, records):
        stream.write(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(npz_module, "_write_bytes", fail)
    with pytest.raises(OSError, match="the disk is full"):
        write_npz(path, rows(2))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_a_header_beyond_two_bytes_of_length_round_trips(tmp_path):  # H6.18
    names = [f"a_field_with_a_rather_long_name_{i:04}" for i in range(3000)]
    wide = register("test_wide", [(n, "i8") for n in names], itemsize=24_000)
    try:
        records = np.zeros(2, wide)
        records[names[-1]] = [1, 2]
        write_npz(tmp_path / "a.npz", records)
        write_npy(tmp_path / "a.npy", records)
        assert read_records(tmp_path / "a.npz", wide).tobytes() == records.tobytes()
        assert np.load(tmp_path / "a.npy", max_header_size=10**6).tobytes() == records.tobytes()
    finally:
        del REGISTRY["test_wide"]


def test_a_name_beyond_latin_1_round_trips(tmp_path):
    dtype = register("test_greek", [("λ", "f8")], itemsize=8)
    try:
        write_npy(tmp_path / "a.npy", np.ones(2, dtype))
        assert read_records(tmp_path / "a.npy", dtype)["λ"].tolist() == [1.0, 1.0]
    finally:
        del REGISTRY["test_greek"]
