"""The header of an `.npy` file, read strictly and written plainly.

Layout (NumPy enhancement proposal 1): magic, version, length of the header (two bytes in version 1, four in 2 and 3), and
the header, a Python dictionary literal with the keys `descr`, `fortran_order` and `shape`. Nothing of it is evaluated as
code, and no size that it names is believed before it was compared with the bytes that are there.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
import warnings
from typing import Any, Final, NamedTuple

import numpy as np

from queuefront.core.errors import DataFormatError, SchemaMismatchError, TruncatedFileError

__all__ = [
    "HEADER_BYTES_MAX",
    "MAGIC",
    "Header",
    "Preamble",
    "file_dtype",
    "parse_header",
    "parse_keys",
    "parse_preamble",
    "show",
    "write_header",
]

MAGIC: Final = b"\x93NUMPY"
HEADER_BYTES_MAX: Final = 2**22
"""Longest header that is parsed."""

_ALIGNMENT: Final = 64
_KEYS: Final = {"descr", "fortran_order", "shape"}
_TYPE: Final = re.compile(r"([<>=|]?)([iuf])([1248])")
_NATIVE: Final = "<" if sys.byteorder == "little" else ">"


class Preamble(NamedTuple):
    """What precedes the header: its version and its length in bytes, and where it begins."""

    version: int
    header_bytes: int
    header_offset: int


class Header(NamedTuple):
    """Fields as (name, type) with `<` or `>`, or a type that is no record as text; and the number of records."""

    fields: list[tuple[str, str]]
    rows: int


def parse_preamble(data: bytes, size: int, where: str) -> Preamble:
    """Read the preamble from the first (at most twelve) bytes of `size`.

    Raises
    ------
    DataFormatError, TruncatedFileError
        For other contents, an unknown version, or a header that would not fit into the file or the limit.
    """
    if not MAGIC.startswith(data[: len(MAGIC)]):
        raise DataFormatError(
            f"{where}: offset 0: {data[:6]!r} is not the start of a NumPy file; give an .npy or .npz file"
        )
    if len(data) < 8:
        raise TruncatedFileError(f"{where}: offset {len(data)}: the file ends within its first 10 bytes; fetch it again")
    version, minor = data[6], data[7]
    if version not in (1, 2, 3) or minor != 0:
        raise DataFormatError(
            f"{where}: offset 6: NumPy format {version}.{minor} is unknown; write the file with NumPy 1.9 to 2"
        )
    width = 2 if version == 1 else 4
    if len(data) < 8 + width:
        raise TruncatedFileError(
            f"{where}: offset {len(data)}: the file ends within its first {8 + width} bytes; fetch it again"
        )
    header_bytes = int.from_bytes(data[8 : 8 + width], "little")
    if header_bytes > HEADER_BYTES_MAX:
        raise DataFormatError(
            f"{where}: offset 8: a header of {header_bytes:,} bytes; the limit is {HEADER_BYTES_MAX:,}, the file is damaged"
        )
    if 8 + width + header_bytes > size:
        raise TruncatedFileError(
            f"{where}: offset {8 + width}: a header of {header_bytes:,} bytes, where {size - 8 - width:,} are left; "
            "fetch the file again"
        )
    return Preamble(version, header_bytes, 8 + width)


def parse_header(text: bytes, preamble: Preamble, where: str) -> Header:
    """Parse the header's text.

    Raises
    ------
    DataFormatError
        If it is not a dictionary with exactly the three keys, or describes anything but one dimension in C order.
    SchemaMismatchError
        If it describes no records.
    """
    at = f"{where}: offset {preamble.header_offset}"
    header = parse_keys(text, preamble, where)
    if header["fortran_order"] is not False:
        raise DataFormatError(f"{at}: fortran_order is {show(header['fortran_order'])}, not False; save a C-ordered array")
    shape = header["shape"]
    if not isinstance(shape, tuple) or len(shape) != 1 or type(shape[0]) is not int or shape[0] < 0:
        raise DataFormatError(f"{at}: the shape is {show(shape)}, not one count of records; save a one-dimensional array")
    return Header(_fields(header["descr"], at), shape[0])


def parse_keys(text: bytes, preamble: Preamble, where: str) -> dict[str, Any]:
    """Parse the header's text into `descr`, `fortran_order` and `shape`, whatever they are; raises as `parse_header`."""
    at = f"{where}: offset {preamble.header_offset}"
    header = _literal(text, "utf-8" if preamble.version == 3 else "latin-1", preamble.header_offset, where)
    if not isinstance(header, dict):
        raise DataFormatError(f"{at}: the header is no dictionary; the file is damaged")
    if "descr" not in header:
        raise SchemaMismatchError(f"{at}: the header does not say what the records are (`descr`); write the file again")
    if header.keys() != _KEYS:
        missing, extra = sorted(_KEYS - header.keys()), sorted(map(repr, header.keys() - _KEYS))
        what = f"lacks {missing[0]!r}" if missing else f"has the unknown key {extra[0][:60]}"
        raise DataFormatError(f"{at}: the header {what}; write the file again with numpy.save")
    return header


def _literal(text: bytes, encoding: str, offset: int, where: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the parser thinks of hostile text is no news
            return ast.literal_eval(text.decode(encoding).strip(" \n\t"))
    except UnicodeDecodeError as e:
        raise DataFormatError(
            f"{where}: offset {offset + e.start}: the header is not {encoding} text; the file is damaged"
        ) from e
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as e:
        reason = str(e).partition("\n")[0][:80] or type(e).__name__
        raise DataFormatError(
            f"{where}: offset {offset}: the header is no dictionary literal ({reason}); the file is damaged"
        ) from e


def _fields(descr: object, at: str) -> list[tuple[str, str]]:
    if not isinstance(descr, list) or not descr:
        raise SchemaMismatchError(f"{at}: the data are {show(descr)}, not records; save an array of the event dtype")
    fields: list[tuple[str, str]] = []
    for item in descr:
        if not (isinstance(item, tuple) and len(item) == 2 and all(isinstance(x, str) for x in item)):
            raise SchemaMismatchError(
                f"{at}: the field {show(item)} is no plain (name, type); save an array of the event dtype"
            )
        name, kind = item
        match = _TYPE.fullmatch(kind)
        if match is None or (match[1] == "|" and match[3] != "1"):
            raise SchemaMismatchError(
                f"{at}: the field {name[:40]!r} has the type {kind[:40]!r}; save an array of the event dtype"
            )
        mark = _NATIVE if match[1] in ("", "=") else match[1]
        fields.append((name, f"{'<' if match[3] == '1' else mark}{match[2]}{match[3]}"))
    return fields


def file_dtype(header: Header, dtype: np.dtype[Any], rename: dict[str, str], where: str) -> np.dtype[Any]:
    """Return the dtype of the file's records, once it is the wanted one in every name, order and type but for byte order.

    Raises
    ------
    SchemaMismatchError
        Naming what differs.
    """
    names = [rename.get(name, name) for name, _ in header.fields]
    wanted = list(dtype.names or ())
    if names != wanted:
        missing = [n for n in wanted if n not in names]
        extra = [n for n in names if n not in wanted]
        if missing or extra or len(names) != len(wanted):
            parts = ([f"missing {', '.join(missing)}"] if missing else []) + ([f"extra {show(extra)}"] if extra else [])
            what = "; ".join(parts) or "a field stands twice"
        else:
            what = f"their order is {', '.join(names)}, not {', '.join(wanted)}"
        raise SchemaMismatchError(
            f"{where}: the records have other fields than expected: {what}; convert the file, or pass rename"
        )
    for name, (_, kind) in zip(wanted, header.fields, strict=True):
        expected = dtype[name].str
        if kind[1:] != expected[1:]:
            raise SchemaMismatchError(f"{where}: field {name!r} is {kind}, not {expected}; convert the file")
    return np.dtype([(name, kind) for name, (_, kind) in zip(wanted, header.fields, strict=True)])


def write_header(dtype: np.dtype[Any], count: int) -> bytes:
    """Return preamble and header of `count` records, padded so that the records begin at a multiple of 64."""
    fields = [(name, dtype[name].str) for name in dtype.names or ()]
    text = repr({"descr": fields, "fortran_order": False, "shape": (count,)})
    is_latin = all(ord(c) < 256 for c in text)
    body = text.encode("latin-1" if is_latin else "utf-8")
    version = 1 if is_latin else 3
    if version == 1 and len(body) + 1 + _ALIGNMENT > 65_535:
        version = 2  # a length of two bytes would be cut off
    width = 2 if version == 1 else 4
    start = len(MAGIC) + 2 + width
    padded = body + b" " * (-(start + len(body) + 1) % _ALIGNMENT) + b"\n"
    return MAGIC + bytes((version, 0)) + struct.pack("<H" if width == 2 else "<I", len(padded)) + padded


def show(value: object) -> str:
    """Return a value of a header as text of 80 characters at most."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits
        text = type(value).__name__
    return text if len(text) <= 80 else text[:79] + "…"
