"""Whatever the bytes are, reading gives the records or a format error."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import EVENT, DataFormatError
from queuefront.feed.npz import read_records, write_npy, write_npz

TOKENS = (
    "{", "}", "(", ")", "[", "]", ",", ":", "'", '"', "descr", "'descr'", "'fortran_order'", "'shape'", "False", "True",
    "None", "-", "1", "99999999999999999999", "0x", "1e999", "\\", "\\x", "\n", "\0", " ", "<f8", "'<f8'", "é", "\ud800",
    "lambda", "f''", "b''", "...", "not", "#", "{'descr': [('ev', '<u8')], 'fortran_order': False, 'shape': (1,)}",
)  # fmt: skip


@pytest.mark.slow
def test_ten_thousand_random_headers_give_nothing_but_format_errors(tmp_path):  # H6.3
    dice = random.Random(20240808)
    path = tmp_path / "a.npy"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(10_000):
            text = "".join(dice.choice(TOKENS) for _ in range(dice.randrange(12))).encode("utf-8", "surrogatepass")
            version = dice.choice((1, 2, 3))
            length = len(text).to_bytes(2 if version == 1 else 4, "little")
            path.write_bytes(b"\x93NUMPY" + bytes((version, 0)) + length + text)
            with pytest.raises(DataFormatError):
                read_records(path, EVENT)


def test_any_changed_byte_of_a_file_is_refused_or_changes_nothing_else(tmp_path):
    records = np.zeros(2, EVENT)
    records["px"] = [1.5, 2.5]
    for path in (tmp_path / "a.npz", tmp_path / "b.npy"):
        write_npz(path, records) if path.suffix == ".npz" else write_npy(path, records)
        data = path.read_bytes()
        start = len(data) - records.nbytes if path.suffix == ".npy" else len(data)
        for i in range(start):
            for flip in (0x01, 0x80, 0xFF):
                path.write_bytes(data[:i] + bytes([data[i] ^ flip]) + data[i + 1 :])
                try:
                    got = read_records(path, EVENT)
                except DataFormatError:
                    continue
                # Harmless bytes: dates, attributes, comments, blanks of the header, the order mark of byte swapping.
                assert got.tobytes() == records.tobytes() or path.suffix == ".npy", i


@settings(deadline=None, max_examples=60)
@given(
    columns=st.lists(
        st.tuples(
            st.integers(0, 2**64 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(),
            st.floats(),
            st.integers(0, 2**64 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(),
        ),
        max_size=20,
    ),
    compress=st.booleans(),
)
def test_any_records_come_back_bit_for_bit(tmp_path_factory, columns, compress):
    path = Path(tmp_path_factory.mktemp("npz")) / "a.npz"
    records = np.array(columns, EVENT)
    write_npz(path, records, compress=compress)
    assert read_records(path, EVENT).tobytes() == records.tobytes()
    write_npy(path.with_suffix(".npy"), records)
    assert read_records(path.with_suffix(".npy"), EVENT).tobytes() == records.tobytes()
