"""Headers are written plainly and read back; reading is tested through whole files in `test_npz`."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from queuefront.core import EVENT, DataFormatError
from queuefront.core.errors import TruncatedFileError
from queuefront.feed.npy_header import Header, Preamble, file_dtype, parse_header, parse_preamble, write_header


@pytest.mark.parametrize("rows", [0, 1, 10**6, 2**40])
def test_a_written_header_is_read_back(rows):
    data = write_header(EVENT, rows)
    preamble = parse_preamble(data[:12], len(data), "a")
    header = parse_header(data[preamble.header_offset :], preamble, "a")
    assert header == Header([(n, EVENT[n].str) for n in EVENT.names], rows)
    assert file_dtype(header, EVENT, {}, "a") == EVENT


@pytest.mark.parametrize("names", range(1, 40))
def test_records_begin_at_a_multiple_of_64(names):
    dtype = np.dtype([(f"f{i}", "<i8") for i in range(names)])
    data = write_header(dtype, 3)
    assert len(data) % 64 == 0
    assert data.endswith(b"\n")
    assert ast.literal_eval(data[10:].decode())["shape"] == (3,)


@pytest.mark.parametrize("end", range(12))
def test_a_preamble_cut_short_says_so(end):  # H6.1
    data = write_header(EVENT, 1)
    with pytest.raises(TruncatedFileError, match=f"^a: offset {max(end, 0)}|^a: offset 10"):
        parse_preamble(data[:end], end, "a")


def test_the_limit_of_a_header_is_named():
    data = b"\x93NUMPY\x03\x00" + (2**22 + 1).to_bytes(4, "little")
    with pytest.raises(DataFormatError, match="a header of 4,194,305 bytes; the limit is 4,194,304"):
        parse_preamble(data, 2**30, "a")


def test_long_values_are_quoted_in_part():
    with pytest.raises(DataFormatError) as caught:
        parse_header(
            repr({"descr": EVENT.descr, "fortran_order": "x" * 999, "shape": (1,)}).encode(), Preamble(1, 0, 10), "a"
        )
    assert len(str(caught.value)) < 200
