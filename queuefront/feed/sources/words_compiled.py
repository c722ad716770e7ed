"""Read numbers and texts from bytes, eight at a time.

A run of digits is read as one word of eight bytes: where each byte is a digit is told by one addition, and three
multiplications join the digits by twos, fours and eights. Texts of other lengths cost the same, without a branch that the
processor would have to guess.

A decimal text is an integer and a power of ten; where the integer is at most 2^53 and the power at most 10^22, both are
exact in binary64 and their quotient or product is the float nearest to the text (Clinger 1990). All else is declined.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from queuefront.core.jit import IS_INTERPRETED, borrowing

__all__ = [
    "WORD_BYTES",
    "decimal_at",
    "digit_run",
    "mark_word",
    "plain_end",
    "same_at",
    "signed_decimal_at",
    "whole_at",
    "word_at",
]

WHOLE_DIGITS_MAX: Final = 18  # of which every number fits into int64

_ZERO, _NINE, _MINUS, _PLUS, _DOT, _LOWER_E, _UPPER_E = 48, 57, 45, 43, 46, 101, 69
WORD_BYTES: Final = 8
_BLANK, _BACKSLASH, _ASCII_END = 32, 92, 128
_MANTISSA_MAX: Final = 2**53
_DIGITS_MAX: Final = 17
_POWER_MAX: Final = 22
_POWERS: Final = np.array([float(10**k) for k in range(_POWER_MAX + 1)])
_WHOLE_POWERS: Final = np.array([10**k for k in range(WORD_BYTES + 1)], np.int64)


def mark_word(character: bytes) -> np.uint64:
    """Return a word of eight times this character, which `plain_end` looks for."""
    return np.uint64(int.from_bytes(character * WORD_BYTES, "little"))


if IS_INTERPRETED:

    def word_at(buf: Any, i: int) -> Any:
        """Return the eight bytes at `i` as uint64, the first one lowest; `i + 8` is at most the length."""
        return np.uint64(int.from_bytes(bytes(buf[i : i + WORD_BYTES]), "little"))

    def digit_run(buf: Any, i: int) -> tuple[int, Any]:
        """Return (how many digits stand at `i`, at most eight, their value)."""
        first, value = i, np.int64(0)
        while i < len(buf) and i - first < WORD_BYTES and _ZERO <= buf[i] <= _NINE:
            value = value * 10 + (np.int64(buf[i]) - _ZERO)
            i += 1
        return i - first, value

    def plain_end(buf: Any, i: int, mark: Any) -> int:
        """Return the index of the first `mark` (see `mark_word`), control character, backslash or byte from 128 on."""
        wanted = int(mark) & 0xFF
        while buf[i] != wanted and _BLANK <= buf[i] < _ASCII_END and buf[i] != _BACKSLASH:
            i += 1
        return i

    def same_at(buf: Any, i: int, text: Any, first: int, size: int) -> bool:
        """Tell whether `size` bytes at `i` are those of `text` from `first` on; eight more bytes follow in `text`."""
        return i + size <= len(buf) and bool((buf[i : i + size] == text[first : first + size]).all())
else:
    _U8, _WHOLE_BYTES = np.uint64(8), np.uint64(0xF8)
    _ASCII_ZEROS = np.uint64(0x3030303030303030)
    _ABOVE_NINE = np.uint64(0x7676767676767676)
    _HIGH_BITS = np.uint64(0x8080808080808080)
    _TWOS, _TWOS_MASK = np.uint64(2561), np.uint64(0x00FF00FF00FF00FF)  # 2561 is 10 * 2^8 + 1, and so on
    _FOURS, _FOURS_MASK = np.uint64(6553601), np.uint64(0x0000FFFF0000FFFF)
    _EIGHTS = np.uint64(42949672960001)
    _ONES, _BLANKS, _BACKSLASHES = (np.uint64(byte * 0x0101010101010101) for byte in (1, _BLANK, _BACKSLASH))
    _LOW_BYTE, _U3 = np.uint64(0xFF), np.uint64(3)
    _U16, _U32, _U64 = np.uint64(16), np.uint64(32), np.uint64(64)

    @intrinsic  # type: ignore[untyped-decorator]
    def word_at(_context: Any, array: Any, _index: Any) -> Any:
        """Return the eight bytes at `i` as uint64, the first one lowest; `i + 8` is at most the length."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array_type = signature.args[0]
            view = context.make_array(array_type)(context, builder, args[0])
            place = cgutils.get_item_pointer(context, builder, array_type, view, [args[1]])
            return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

        return types.uint64(array, types.int64), build

    @intrinsic  # type: ignore[untyped-decorator]
    def _trailing_zeros(_context: Any, _word: Any) -> Any:
        def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

        return types.uint64(types.uint64), build

    @borrowing
    def digit_run(buf, i):
        """Return (how many digits stand at `i`, at most eight, their value)."""
        if i + WORD_BYTES > len(buf):
            first = i
            tail = np.int64(0)
            while i < len(buf) and _ZERO <= buf[i] <= _NINE:
                tail = tail * 10 + (np.int64(buf[i]) - _ZERO)
                i += 1
            return i - first, tail
        word = word_at(buf, i) ^ _ASCII_ZEROS
        bits = _trailing_zeros(((word + _ABOVE_NINE) | word) & _HIGH_BITS) & _WHOLE_BYTES
        if bits == 0:
            return np.int64(0), np.int64(0)
        word = word << (_U64 - bits)
        word = (word * _TWOS) >> _U8
        word = ((word & _TWOS_MASK) * _FOURS) >> _U16
        word = ((word & _FOURS_MASK) * _EIGHTS) >> _U32
        return np.int64(bits) >> 3, np.int64(word)

    @borrowing
    def plain_end(buf, i, mark):
        """Return the index of the first `mark` (see `mark_word`), control character, backslash or byte from 128 on."""
        while i + WORD_BYTES <= len(buf):
            word = word_at(buf, i)
            marks, backslashes = word ^ mark, word ^ _BACKSLASHES
            # A byte is zero where taking one borrows from its high bit; below a true hit there is no false one.
            hits = ((marks - _ONES) & ~marks) | ((backslashes - _ONES) & ~backslashes) | ((word - _BLANKS) & ~word) | word
            hits &= _HIGH_BITS
            if hits != 0:
                return i + np.int64(_trailing_zeros(hits) >> _U3)
            i += WORD_BYTES
        wanted = np.int64(mark & _LOW_BYTE)
        while buf[i] != wanted and _BLANK <= buf[i] < _ASCII_END and buf[i] != _BACKSLASH:
            i += 1
        return i

    @borrowing
    def same_at(buf, i, text, first, size):
        """Tell whether `size` bytes at `i` are those of `text` from `first` on; eight more bytes follow in `text`."""
        if i + size + WORD_BYTES > len(buf):
            if i + size > len(buf):
                return False
            for k in range(size):  # noqa: SIM110 - compiled code has no generators
                if buf[i + k] != text[first + k]:
                    return False
            return True
        k = 0
        while k + WORD_BYTES <= size:
            if word_at(buf, i + k) != word_at(text, first + k):
                return False
            k += WORD_BYTES
        if k == size:
            return True
        return (word_at(buf, i + k) ^ word_at(text, first + k)) << np.uint64(8 * (WORD_BYTES - size + k)) == 0


@borrowing
def whole_at(buf, i):
    """Return (index after, value) of the whole number of at most 18 digits at `i`, or (-1, …): none, longer, or `01`."""
    count, value = digit_run(buf, i)
    if count == 0 or (buf[i] == _ZERO and count > 1):
        return -1, value
    i += count
    total = count
    while count == WORD_BYTES:
        count, more = digit_run(buf, i)
        total += count
        if total > WHOLE_DIGITS_MAX:
            return -1, value
        value = value * _WHOLE_POWERS[count] + more
        i += count
    return i, value


@borrowing
def decimal_at(buf, i):
    """Return (index after, value) of the decimal at `i`, which has no sign, or (-1, …) where it is left to others."""
    first = buf[i]
    count, mantissa = digit_run(buf, i)
    if count == 0 or (first == _ZERO and count > 1):
        return -1, 0.0
    i += count
    digits = count
    while count == WORD_BYTES:
        count, more = digit_run(buf, i)
        digits += count
        if digits > _DIGITS_MAX:
            return -1, 0.0
        mantissa = mantissa * _WHOLE_POWERS[count] + more
        i += count
    scale = np.int64(0)
    if buf[i] == _DOT:
        count, more = digit_run(buf, i + 1)
        i += 1 + count
        scale = count
        while True:
            digits += count
            if digits > _DIGITS_MAX or scale == 0:
                return -1, 0.0
            mantissa = mantissa * _WHOLE_POWERS[count] + more
            if count < WORD_BYTES:
                break
            count, more = digit_run(buf, i)
            i += count
            scale += count
    if mantissa > _MANTISSA_MAX:
        return -1, 0.0
    if buf[i] == _LOWER_E or buf[i] == _UPPER_E:
        return _scaled(buf, i + 1, mantissa, scale)
    return i, np.float64(mantissa) / _POWERS[scale]


@borrowing
def _scaled(buf, i, mantissa, scale):
    """Return (index after, value) of a decimal whose exponent stands at `i`."""
    is_negative = buf[i] == _MINUS
    if is_negative or buf[i] == _PLUS:
        i += 1
    count, exponent = digit_run(buf, i)
    power = (-exponent if is_negative else exponent) - scale
    if count == 0 or count > 2 or power < -_POWER_MAX or power > _POWER_MAX:
        return -1, 0.0
    if power < 0:
        return i + count, np.float64(mantissa) / _POWERS[-power]
    return i + count, np.float64(mantissa) * _POWERS[power]


@borrowing
def signed_decimal_at(buf, i):
    """Return (index after, value) of the decimal at `i`, which may have a minus, or (-1, …)."""
    if buf[i] != _MINUS:
        return decimal_at(buf, i)
    i, value = decimal_at(buf, i + 1)
    return i, -value
