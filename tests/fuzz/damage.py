"""Damage to good data: of bytes, of lines and their fields, of numbers in binary records.

All is drawn from a `random.Random`, so that a seed repeats it, whether a loop draws it or a coverage-guided fuzzer.
"""

from __future__ import annotations

import re
import struct
from random import Random

__all__ = ["damaged", "damaged_numbers", "damaged_records", "damaged_text"]

SPLICES = (
    b"null",
    b"nan",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b'"',
    b"{",
    b"[",
    b"]]",
    b"\xff",
    b"0",
    b"\\u0000",
    b"true",
)
#: What stands in place of a field: wrong types, limits of integers and floats, other ways to write a number.
FIELDS = (
    b"",
    b"0",
    b"-0",
    b"-1",
    b"1",
    b"+1",
    b" 1",
    b"1 ",
    b"1_0",
    b"0x10",
    b"007",
    b".5",
    b"5.",
    b"1e5",
    b"1E-7",
    b"1e308",
    b"1e309",
    b"1e-400",
    b"nan",
    b"inf",
    b"-inf",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b'"x"',
    b"9007199254740993",
    b"4294967296",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"99999999999999999999999",
    b"123456789.123456789123456789",
    b"1700000000",
    b"1700000000000",
    b"1700000000000000",
    b"1700000000000000000",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"\\u00e9",
    b"\0",
    b"\r",
    b"b",
    b"Sell",
)
_FIELD = re.compile(rb"[^,\s:\[\]{}\"]+|\"\"")
_INTEGERS = (0, 1, -1, 2**31, 2**31 - 1, 2**32 - 1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 10**9, 10**18)
_FLOATS = (0.0, -0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e308, 5e-324, 2.0**53, 0.1)


def damaged(data: bytes, rng: Random) -> bytes:
    """Flip, cut, repeat or replace pieces of the data."""
    made = bytearray(data)
    for _ in range(rng.randrange(1, 3)):
        place = rng.randrange(max(len(made), 1))
        length = rng.randrange(12)
        what = rng.randrange(6)
        if what == 0 and made:
            made[place] ^= 1 << rng.randrange(8)
        elif what == 1:
            del made[place : place + length]
        elif what == 2:
            made[place:place] = made[rng.randrange(max(len(made), 1)) :][:length]
        elif what == 3:
            made[place : place + length] = rng.choice(SPLICES)
        elif what == 4:
            made[place : place + length] = rng.randbytes(length)
        else:
            del made[place:]
    return bytes(made)


def damaged_text(data: bytes, rng: Random) -> bytes:
    """Put other values into fields of CSV or JSON, and move, repeat, drop or cut lines."""
    lines = data.split(b"\n")
    for _ in range(rng.randrange(1, 4)):
        i = rng.randrange(len(lines))
        what = rng.randrange(8)
        if what < 5:
            lines[i] = _with_a_field(lines[i], rng)
        elif what == 5:
            lines.insert(i, rng.choice(lines))
        elif what == 6:
            lines[i] = lines[i][: rng.randrange(len(lines[i]) + 1)]
        elif len(lines) > 1:
            j = rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _with_a_field(line: bytes, rng: Random) -> bytes:
    found = [match.span() for match in _FIELD.finditer(line)]
    if not found:
        return line
    begin, end = rng.choice(found)
    what = rng.randrange(4)
    if what == 0:  # one that stands elsewhere: another symbol, time or price
        other = rng.choice(found)
        return line[:begin] + line[other[0] : other[1]] + line[end:]
    if what == 1:
        text = bytearray(line[begin:end])
        text[rng.randrange(len(text))] = rng.choice(b"0123456789.-e,")
        return line[:begin] + bytes(text) + line[end:]
    return line[:begin] + rng.choice(FIELDS) + line[end:]


def damaged_numbers(data: bytes, rng: Random) -> bytes:
    """Put the limits of its type in place of a number of 1, 2, 4 or 8 bytes; records are aligned to 4 bytes."""
    made = bytearray(data)
    for _ in range(rng.randrange(1, 3)):
        place = rng.randrange(max(len(made) // 4, 1)) * 4
        if rng.randrange(3):
            size = rng.choice((1, 2, 4, 8, 8))
            number = rng.choice(_INTEGERS) % 2 ** (8 * size)
            made[place : place + size] = number.to_bytes(size, "little")
        else:
            made[place : place + 8] = struct.pack("<d", rng.choice(_FLOATS))
    return bytes(made)


def damaged_records(data: bytes, rng: Random) -> bytes:
    """Do `damaged_numbers` behind the header of a `.npy` file; nothing to others."""
    begin = 10 + int.from_bytes(data[8:10], "little")
    return data[:begin] + damaged_numbers(data[begin:], rng) if data[:6] == b"\x93NUMPY" else damaged(data, rng)
