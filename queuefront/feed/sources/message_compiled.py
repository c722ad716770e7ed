"""Walk the JSON of raw streams in compiled code: the leaves that the scanners of the venues share.

The scanners know the plain shape in which venues write their messages: no white space, no escapes, no character beyond
ASCII, every known key once, numbers that fit. Whatever else they meet, they leave to the decoder of their venue, which is
the authority on what is valid; a scanner therefore never refuses a line, it only declines it.

What a function here returns as the index after something is -1 where the line is declined. Lines end in a newline, which
stands in no plain text, so that no loop runs past the end of the last one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from queuefront.core.jit import borrowing
from queuefront.feed.sources.words_compiled import decimal_at, digit_run, mark_word, plain_end, same_at, whole_at, word_at

__all__ = [
    "account_line",
    "key_at",
    "key_word",
    "level_at",
    "levels_at",
    "line_end_at",
    "name_at",
    "quoted_decimal_at",
    "receipt_at",
    "rotate",
    "same_text_at",
    "skip_text",
    "skip_value",
    "time_at",
    "truth_at",
]

# Slots of the state of a scan, int64[STATE_SIZE]: what was asked, then what is known of the lines before.
STATE_OPTION: Final = 0  # the venue's own
STATE_NS_PER_STEP: Final = 1  # of the venue's times
STATE_TIME_MAX: Final = 2  # in the venue's steps
STATE_SILENCE_MAX_NS: Final = 3
STATE_LOCAL_TS: Final = 4  # when the line before was received; -1: it is the first one
STATE_GAPS: Final = 5  # found, of which as many are written as there is room for
STATE_SET_ASIDE: Final = 6  # block trades, which make no rows
STATE_SYMBOL_BYTES: Final = 7  # at the beginning of `texts`
STATE_TIME_MIN: Final = 8
STATE_BIDS: Final = 9  # levels of the book before; -1: it is not sorted, so that none is compared with it
STATE_ASKS: Final = 10
STATE_SIZE: Final = 11

# Columns of `names`, a row for each text that names a kind of message.
NAME_FIRST: Final = 0  # where it stands in `texts`
NAME_SIZE: Final = 1
NAME_USE: Final = 2  # what the venue's scanner makes of it; USE_COUNT: it is counted
NAME_STREAM: Final = 3  # row of the same table that has the stream's last update id
NAME_LAST_ID: Final = 4  # -1: none yet
NAME_COUNT: Final = 5  # lines taken
NAME_COLUMNS: Final = 6
USE_COUNT: Final = 0

# Columns of `gaps`.
GAP_LINE: Final = 0  # counted from 0 since the scan began
GAP_IS_SEQUENCE: Final = 1
GAP_LOCAL_TS: Final = 2
GAP_SIZE: Final = 3
GAP_COLUMNS: Final = 4

_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = 34, 44, 58, 123, 125, 91, 93
_NEWLINE, _RETURN, _ZERO, _NINE, _MINUS, _DOT, _SPACE = 10, 13, 48, 57, 45, 46, 32
_QUOTES: Final = mark_word(b'"')
_WORD_BYTES: Final = 8
_KEY_BYTES_MAX: Final = 8
_DEPTH_MAX: Final = 60  # of lists and objects in one another; a bit each
_RECEIPT_HEAD_END: Final = 92_233_720  # the leading eight of nineteen digits, from which on they may not fit into int64
_NO_KEY: Final = np.uint64(0)
_SAW_PX, _SAW_QTY = 1, 2
_TRUE: Final = np.frombuffer(b"true" + b"\0" * 8, np.uint8)
_FALSE: Final = np.frombuffer(b"false" + b"\0" * 8, np.uint8)
_NULL: Final = np.frombuffer(b"null" + b"\0" * 8, np.uint8)


def key_word(key: str) -> np.uint64:
    """Return what `key_at` makes of a key of at most eight characters."""
    return np.uint64(int.from_bytes(key.encode(), "little"))


@borrowing
def receipt_at(buf, i):
    """Return (index after, ns) of the receipt time at `i`: nineteen digits and a space."""
    count, head = digit_run(buf, i)
    count_2, middle = digit_run(buf, i + count)
    count_3, tail = digit_run(buf, i + count + count_2)
    if count + count_2 != 2 * _WORD_BYTES or count_3 != 3 or buf[i] == _ZERO or buf[i + 19] != _SPACE:
        return -1, head
    if head >= _RECEIPT_HEAD_END:
        return -1, head
    return i + 20, (head * 100_000_000 + middle) * 1000 + tail


@borrowing
def skip_text(buf, i):
    """Return the index after the closing quote of the plain text that begins at `i`."""
    i = plain_end(buf, i, _QUOTES)
    return i + 1 if buf[i] == _QUOTE else -1


@borrowing
def key_at(buf, i):
    """Return (index after the colon, key) of the key whose opening quote is at `i`.

    The key is its characters as one word; longer ones than eight are 0, which is no key that we use.
    """
    if buf[i] != _QUOTE:
        return -1, _NO_KEY
    first = i + 1
    i = plain_end(buf, first, _QUOTES)
    if buf[i] != _QUOTE or buf[i + 1] != _COLON:
        return -1, _NO_KEY
    size = i - first
    if size == 0 or size > _KEY_BYTES_MAX:
        return i + 2, _NO_KEY
    if first + _WORD_BYTES > len(buf):
        return -1, _NO_KEY  # nothing is known of a key so near the end
    unused = np.uint64(8 * (_WORD_BYTES - size))
    return i + 2, (word_at(buf, first) << unused) >> unused


@borrowing
def skip_number(buf, i):
    """Return the index after the number at `i`, which has no exponent and few enough digits to be any number."""
    if buf[i] == _MINUS:
        i += 1
    i, _value = whole_at(buf, i)
    if i < 0 or buf[i] != _DOT:
        return i
    count, _value = digit_run(buf, i + 1)
    i += 1 + count
    if count == _WORD_BYTES:
        count, _value = digit_run(buf, i)
        i += count
        return i if count < _WORD_BYTES else -1
    return i if count > 0 else -1


@borrowing
def skip_plain(buf, i):
    """Return the index after the text, number or word at `i`."""
    if buf[i] == _QUOTE:
        return skip_text(buf, i + 1)
    if buf[i] == _MINUS or _ZERO <= buf[i] <= _NINE:
        return skip_number(buf, i)
    if same_at(buf, i, _TRUE, 0, 4) or same_at(buf, i, _NULL, 0, 4):
        return i + 4
    return i + 5 if same_at(buf, i, _FALSE, 0, 5) else -1


@borrowing
def skip_value(buf, i):
    """Return the index after the value at `i`, whatever it is."""
    is_object = np.int64(0)  # a bit for each object or list that is open, the innermost lowest
    depth = 0
    while True:
        if buf[i] == _OPEN or buf[i] == _OPEN_LIST:
            depth += 1
            if depth > _DEPTH_MAX:
                return -1
            is_in_object = buf[i] == _OPEN
            is_object = is_object << 1 | (1 if is_in_object else 0)
            i += 1
            if buf[i] != _CLOSE and buf[i] != _CLOSE_LIST:
                if is_in_object:
                    i, _key = key_at(buf, i)
                if i < 0:
                    return -1
                continue
        else:
            i = skip_plain(buf, i)
            if i < 0:
                return -1
        while depth > 0 and buf[i] == (_CLOSE if is_object & 1 else _CLOSE_LIST):
            i += 1
            depth -= 1
            is_object >>= 1
        if depth == 0:
            return i
        if buf[i] != _COMMA:
            return -1
        i += 1
        if is_object & 1:
            i, _key = key_at(buf, i)
            if i < 0:
                return -1


@borrowing
def same_text_at(buf, i, texts, first, size):
    """Return the index after the text at `i`, its quotes included, if it is the given one."""
    if size > 0 and buf[i] == _QUOTE and same_at(buf, i + 1, texts, first, size) and buf[i + 1 + size] == _QUOTE:
        return i + size + 2
    return -1


@borrowing
def name_at(buf, i, texts, names):
    """Return (index after, row of `names`) of the text at `i`, its quotes included."""
    for row in range(len(names)):
        after = same_text_at(buf, i, texts, names[row, NAME_FIRST], names[row, NAME_SIZE])
        if after >= 0:
            return after, row
    return -1, 0


@borrowing
def quoted_decimal_at(buf, i):
    """Return (index after, value) of the decimal in quotes at `i`."""
    if buf[i] != _QUOTE:
        return -1, 0.0
    i, value = decimal_at(buf, i + 1)
    return i + 1 if i >= 0 and buf[i] == _QUOTE else -1, value


@borrowing
def time_at(buf, i, state):
    """Return (index after, ns) of the venue's time at `i`."""
    i, steps = whole_at(buf, i)
    if i < 0 or steps < state[STATE_TIME_MIN] or steps > state[STATE_TIME_MAX]:
        return -1, steps
    return i, steps * state[STATE_NS_PER_STEP]


@borrowing
def truth_at(buf, i):
    """Return (index after, 1 or 0) of the truth value at `i`."""
    if same_at(buf, i, _TRUE, 0, 4):
        return i + 4, np.int64(1)
    return i + 5 if same_at(buf, i, _FALSE, 0, 5) else -1, np.int64(0)


@borrowing
def level_at(buf, i, px_key, qty_key):
    """Return (index after, price, quantity) of the level at `i`, an object of which these are keys."""
    seen = 0
    px = 0.0
    qty = 0.0
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == px_key:
            saw = _SAW_PX
            i, px = quoted_decimal_at(buf, i)
        elif key == qty_key:
            saw = _SAW_QTY
            i, qty = quoted_decimal_at(buf, i)
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            return i + 1 if seen == _SAW_PX | _SAW_QTY and px > 0.0 else -1, px, qty
    return -1, px, qty


@borrowing
def levels_at(buf, i, px, qty, n):
    """Read the list of `["price","quantity"]` at `i` into `px` and `qty` from `n` on; return (index after, n after)."""
    if buf[i] != _OPEN_LIST:
        return -1, n
    i += 1
    if buf[i] == _CLOSE_LIST:
        return i + 1, n
    while True:
        if buf[i] != _OPEN_LIST:
            return -1, n
        i, price = quoted_decimal_at(buf, i + 1)
        if i < 0 or price <= 0.0 or buf[i] != _COMMA:
            return -1, n
        i, quantity = quoted_decimal_at(buf, i + 1)
        if i < 0 or buf[i] != _CLOSE_LIST:
            return -1, n
        px[n] = price
        qty[n] = quantity
        n += 1
        i += 2
        if buf[i - 1] == _CLOSE_LIST:
            return i, n
        if buf[i - 1] != _COMMA:
            return -1, n


@borrowing
def line_end_at(buf, i):
    """Return the index after the newline at `i`, before which a carriage return may stand: archives of Bybit have them."""
    if buf[i] == _RETURN:
        i += 1
    return i + 1 if buf[i] == _NEWLINE else -1


@borrowing
def rotate(values, first, middle, end):
    """Exchange `values[first:middle]` and `values[middle:end]`, in place."""
    for begin, stop in ((first, middle), (middle, end), (first, end)):
        a = begin
        b = stop - 1
        while a < b:
            held = values[a]
            values[a] = values[b]
            values[b] = held
            a += 1
            b -= 1


@borrowing
def write_gap(gaps, state, line, is_sequence, local_ts, size):
    """Count a gap, and note it where there is room."""
    n = state[STATE_GAPS]
    if n < len(gaps):
        gaps[n, GAP_LINE] = line
        gaps[n, GAP_IS_SEQUENCE] = is_sequence
        gaps[n, GAP_LOCAL_TS] = local_ts
        gaps[n, GAP_SIZE] = size
    state[STATE_GAPS] = n + 1


@borrowing
def account_line(state, names, gaps, line, row, local_ts, update_id, is_whole):
    """Take a line into the account: its name's row, its time, and its update id, -1 where it has none."""
    names[row, NAME_COUNT] += 1
    silence = local_ts - state[STATE_LOCAL_TS]
    if state[STATE_LOCAL_TS] >= 0 and silence > state[STATE_SILENCE_MAX_NS]:
        write_gap(gaps, state, line, 0, local_ts, silence)
    state[STATE_LOCAL_TS] = local_ts
    if update_id < 0:
        return
    stream = names[row, NAME_STREAM]
    before = names[stream, NAME_LAST_ID]
    names[stream, NAME_LAST_ID] = update_id
    if before < 0:
        return
    missing = update_id - before - 1
    if missing > 0 or (missing < 0 and not is_whole):
        write_gap(gaps, state, line, 1, local_ts, missing)
