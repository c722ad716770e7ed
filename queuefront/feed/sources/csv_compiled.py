"""Scan lines of CSV with known columns into arrays, without an object per field.

The scanner knows the plain shape in which the archives write their records: no white space around fields, no quotes, no
signs where none belongs, values within their range. Whatever else it meets, it leaves to `CsvFile`, which is the authority
on what is valid; the scanner therefore never refuses a line, it only declines it.

A plan has a row for each step along a line. A step reads one field, or steps over several.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from queuefront.core.jit import borrowing, compiled
from queuefront.feed.sources.words_compiled import (
    decimal_at,
    digit_run,
    mark_word,
    plain_end,
    same_at,
    signed_decimal_at,
    whole_at,
)

__all__ = ["PLAN_COLUMNS", "scan_records"]

# What a step does.
STEP_SKIP: Final = 0  # over PLAN_COUNT fields
STEP_SAME: Final = 1  # the text at PLAN_FIRST of `texts`, PLAN_COUNT bytes; it may hold commas
STEP_CHOICE: Final = 2  # one of PLAN_COUNT rows of `choices`, from PLAN_FIRST on
STEP_TIME: Final = 3  # a whole number from PLAN_LOW to PLAN_HIGH, times PLAN_SCALE
STEP_SECONDS: Final = 4  # seconds with up to nine decimals, in ns from PLAN_LOW to PLAN_HIGH
STEP_WHOLE: Final = 5
STEP_PRICE: Final = 6
STEP_QTY: Final = 7
STEP_NUMBER: Final = 8

# Columns of a plan.
PLAN_STEP: Final = 0
PLAN_SLOT: Final = 1  # row of `whole` or `number` that takes the value
PLAN_FIRST: Final = 2
PLAN_COUNT: Final = 3
PLAN_SCALE: Final = 4
PLAN_LOW: Final = 5
PLAN_HIGH: Final = 6
PLAN_OPTIONAL: Final = 7  # 1: the field may be empty, and is NaN then
PLAN_COLUMNS: Final = 8

# Columns of `choices`: where the text stands in `texts`, its size, and its code.
CHOICE_FIRST: Final = 0
CHOICE_SIZE: Final = 1
CHOICE_CODE: Final = 2
CHOICE_COLUMNS: Final = 3

_COMMA, _DOT, _NEWLINE, _RETURN, _MINUS = 44, 46, 10, 13, 45
_COMMAS: Final = mark_word(b",")
_NANOS: Final = 9
_NS_PER_S: Final = 1_000_000_000
_SECONDS_MAX: Final = 9_223_372_035  # whose nanoseconds fit into int64
_POWERS: Final = np.array([10**k for k in range(_NANOS + 1)], np.int64)


@borrowing
def choice_at(buf, i, texts, choices, first, count):
    """Return (index after, code) of the choice that stands at `i`, or (-1, …)."""
    for k in range(first, first + count):
        size = choices[k, CHOICE_SIZE]
        if same_at(buf, i, texts, choices[k, CHOICE_FIRST], size):
            after = buf[i + size]
            if after == _COMMA or after == _NEWLINE or after == _RETURN:
                return i + size, choices[k, CHOICE_CODE]
    return np.int64(-1), np.int64(0)


@borrowing
def seconds_at(buf, i):
    """Return (index after, ns) of the seconds at `i`, or (-1, …)."""
    i, seconds = whole_at(buf, i)
    if i < 0 or seconds > _SECONDS_MAX:
        return -1, seconds
    ns = seconds * _NS_PER_S
    if buf[i] != _DOT:
        return i, ns
    count, decimals = digit_run(buf, i + 1)
    i += 1 + count
    if count == 8:
        one_more, ninth = digit_run(buf, i)
        if one_more > 1:
            return -1, ns
        i += one_more
        count += one_more
        decimals = decimals * _POWERS[one_more] + ninth
    return i if count > 0 else -1, ns + decimals * _POWERS[_NANOS - count]


@borrowing
def skip_fields(buf, i, count):
    """Return the index of the comma or newline after `count` fields, the first one at `i`, or -1."""
    for k in range(count):
        i = plain_end(buf, i, _COMMAS)
        if k < count - 1:
            if buf[i] != _COMMA:
                return -1
            i += 1
    return i


@borrowing
def whole_step(buf, i, step, texts, choices):
    """Return (index after, value) of a step to a whole number, or (-1, …)."""
    kind = step[PLAN_STEP]
    if kind == STEP_CHOICE:
        return choice_at(buf, i, texts, choices, step[PLAN_FIRST], step[PLAN_COUNT])
    if kind == STEP_WHOLE:
        if buf[i] == _MINUS:
            i, value = whole_at(buf, i + 1)
            return i, -value
        return whole_at(buf, i)
    i, value = seconds_at(buf, i) if kind == STEP_SECONDS else whole_at(buf, i)
    if i < 0 or value < step[PLAN_LOW] or value > step[PLAN_HIGH]:
        return -1, value
    return i, value * step[PLAN_SCALE]


@borrowing
def number_step(buf, i, step):
    """Return (index after, value) of a step to a decimal number, or (-1, …)."""
    if step[PLAN_OPTIONAL] != 0 and (buf[i] == _COMMA or buf[i] == _NEWLINE or buf[i] == _RETURN):
        return i, np.nan
    if step[PLAN_STEP] == STEP_NUMBER:
        return signed_decimal_at(buf, i)
    i, value = decimal_at(buf, i)
    return -1 if step[PLAN_STEP] == STEP_PRICE and value <= 0.0 else i, value


@borrowing
def scan_record(buf, i, plan, texts, choices, whole, number, n):
    """Read the line that begins at `i` into place `n`; return the index after its newline, or -1 where it is declined."""
    last = len(plan) - 1
    for k in range(last + 1):
        step = plan[k]
        kind = step[PLAN_STEP]
        if kind >= STEP_PRICE:
            i, number[step[PLAN_SLOT], n] = number_step(buf, i, step)
        elif kind >= STEP_CHOICE:
            i, whole[step[PLAN_SLOT], n] = whole_step(buf, i, step, texts, choices)
        elif kind == STEP_SKIP:
            i = skip_fields(buf, i, step[PLAN_COUNT])
        else:
            i = i + step[PLAN_COUNT] if same_at(buf, i, texts, step[PLAN_FIRST], step[PLAN_COUNT]) else -1
        if i < 0:
            return -1
        if k < last:
            if buf[i] != _COMMA:
                return -1
            i += 1
    if buf[i] == _RETURN:
        i += 1
    return i + 1 if buf[i] == _NEWLINE else -1


@compiled(nogil=True)
def scan_records(buf, begin, plan, texts, choices, whole, number):
    """Scan the lines from `begin` on, until the end or until one is declined.

    buf : uint8[n], whole lines; the last byte is a newline.   plan : int64[k, PLAN_COLUMNS].
    texts : uint8[m + 8], what steps compare with.   choices : int64[c, CHOICE_COLUMNS].
    whole, number : int64[s, r] and float64[t, r], written, a column for each line.
    Returns (begin of the declined line or n, lines taken).
    """
    i = np.int64(begin)
    n = 0
    room = whole.shape[1]
    while i < len(buf) and n < room:
        after = scan_record(buf, i, plan, texts, choices, whole, number, n)
        if after < 0:
            break
        i = after
        n += 1
    return i, n
