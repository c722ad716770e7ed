"""Scan the messages of Hyperliquid into events; each book is compared with the one before."""

from __future__ import annotations

from typing import Final

import numpy as np

from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.core.jit import borrowing, compiled
from queuefront.feed.sources.message_compiled import (
    NAME_USE,
    STATE_ASKS,
    STATE_BIDS,
    STATE_OPTION,
    STATE_SYMBOL_BYTES,
    account_line,
    key_at,
    key_word,
    level_at,
    line_end_at,
    name_at,
    quoted_decimal_at,
    receipt_at,
    same_text_at,
    skip_value,
    time_at,
)

__all__ = ["scan_lines"]

# What becomes of a message, by its channel.
USE_BOOK: Final = 1
USE_TRADES: Final = 2

OPT_DELETES_ALL: Final = 1  # a level that fell out of sight is gone

# First index of `books`.
_OLD_PX, _OLD_QTY, _NEW_PX, _NEW_QTY = 0, 1, 2, 3
_BID, _ASK = 0, 1

# What the scan of a book found: slots of int64[FOUND_SIZE].
_TS, _BIDS, _ASKS = 0, 1, 2
FOUND_SIZE: Final = 3

_SAW_COIN, _SAW_TIME, _SAW_LEVELS, _SAW_PX, _SAW_SZ, _SAW_SIDE = 1, 2, 4, 8, 16, 32
_BOOK_NEEDS: Final = _SAW_COIN | _SAW_TIME | _SAW_LEVELS
_TRADE_NEEDS: Final = _SAW_COIN | _SAW_TIME | _SAW_PX | _SAW_SZ | _SAW_SIDE

_CHANNEL, _DATA, _COIN, _TIME, _LEVELS, _PX, _SZ, _SIDE = (
    key_word(key) for key in ("channel", "data", "coin", "time", "levels", "px", "sz", "side")
)
_TEXTS: Final = np.frombuffer(b"BA" + b"\0" * 8, np.uint8)
_COMMA, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = 44, 123, 125, 91, 93


@borrowing
def side_at(buf, i, books, side):
    """Read the levels of a side, best first, whose list is at `i`; return (index after, how many)."""
    count = 0
    if buf[i] != _OPEN_LIST:
        return -1, count
    if buf[i + 1] == _CLOSE_LIST:
        return i + 2, count
    before = _OPEN_LIST
    while buf[i] == before and count < books.shape[2]:
        before = _COMMA
        i, px, qty = level_at(buf, i + 1, _PX, _SZ)
        if i < 0:
            break
        if count > 0:
            last = books[_NEW_PX, side, count - 1]
            if (px >= last) if side == _BID else (px <= last):
                break
        books[_NEW_PX, side, count] = px
        books[_NEW_QTY, side, count] = qty
        count += 1
        if buf[i] == _CLOSE_LIST:
            return i + 1, count
    return -1, count


@borrowing
def book_at(buf, i, texts, state, books, found):
    """Read the book at `i`; return the index after it."""
    if state[STATE_BIDS] < 0:
        return -1
    seen = 0
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == _COIN:
            saw = _SAW_COIN
            i = same_text_at(buf, i, texts, 0, state[STATE_SYMBOL_BYTES])
        elif key == _TIME:
            saw = _SAW_TIME
            i, found[_TS] = time_at(buf, i, state)
        elif key == _LEVELS:
            saw = _SAW_LEVELS
            if buf[i] != _OPEN_LIST:
                break
            i, found[_BIDS] = side_at(buf, i + 1, books, _BID)
            if i < 0 or buf[i] != _COMMA:
                break
            i, found[_ASKS] = side_at(buf, i + 1, books, _ASK)
            if i < 0 or buf[i] != _CLOSE_LIST:
                break
            i += 1
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            return i + 1 if seen == _BOOK_NEEDS else -1
    return -1


@borrowing
def is_before(a, b, side):
    """Tell whether price `a` stands before `b` in a side, which begins with its best."""
    return a > b if side == _BID else a < b


@borrowing
def write_row(rows, n, ev, exch_ts, px, qty):
    """Write one event, without a receipt time, at row `n`; return the next one."""
    rows["ev"][n] = ev
    rows["exch_ts"][n] = exch_ts
    rows["px"][n] = px
    rows["qty"][n] = qty
    return n + 1


@borrowing
def write_changes(books, side, old_count, new_count, exch_ts, rows, n):
    """Write a row for each level of a side that is new or has another quantity; return the rows used."""
    k = 0
    for j in range(new_count):
        px = books[_NEW_PX, side, j]
        while k < old_count and is_before(books[_OLD_PX, side, k], px, side):
            k += 1
        if k == old_count or books[_OLD_PX, side, k] != px or books[_OLD_QTY, side, k] != books[_NEW_QTY, side, j]:
            ev = DEPTH_EVENT | (BUY_EVENT if side == _BID else SELL_EVENT)
            n = write_row(rows, n, ev, exch_ts, px, books[_NEW_QTY, side, j])
    return n


@borrowing
def write_deletions(books, side, old_count, new_count, deletes_all, exch_ts, rows, n):
    """Write a row for each level of a side that is gone; return the rows used."""
    j = 0
    for k in range(old_count):
        px = books[_OLD_PX, side, k]
        while j < new_count and is_before(books[_NEW_PX, side, j], px, side):
            j += 1
        if j < new_count and books[_NEW_PX, side, j] == px:
            continue
        if deletes_all or 0 < j < new_count:  # between levels that are shown
            n = write_row(rows, n, DEPTH_EVENT | (BUY_EVENT if side == _BID else SELL_EVENT), exch_ts, px, 0.0)
    return n


@borrowing
def take_book(state, books, found, rows, n):
    """Write what changed from the book before to the one that was read, which takes its place; return the rows used."""
    deletes_all = state[STATE_OPTION] & OPT_DELETES_ALL != 0
    n = write_changes(books, _BID, state[STATE_BIDS], found[_BIDS], found[_TS], rows, n)
    n = write_changes(books, _ASK, state[STATE_ASKS], found[_ASKS], found[_TS], rows, n)
    n = write_deletions(books, _BID, state[STATE_BIDS], found[_BIDS], deletes_all, found[_TS], rows, n)
    n = write_deletions(books, _ASK, state[STATE_ASKS], found[_ASKS], deletes_all, found[_TS], rows, n)
    for side in range(2):
        for k in range(found[_BIDS + side]):
            books[_OLD_PX, side, k] = books[_NEW_PX, side, k]
            books[_OLD_QTY, side, k] = books[_NEW_QTY, side, k]
    state[STATE_BIDS] = found[_BIDS]
    state[STATE_ASKS] = found[_ASKS]
    return n


@borrowing
def trade_at(buf, i, texts, state, rows, n):
    """Write the trade at `i`, without a receipt time; return the index after it."""
    seen = 0
    side = BUY_EVENT
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == _COIN:
            saw = _SAW_COIN
            i = same_text_at(buf, i, texts, 0, state[STATE_SYMBOL_BYTES])
        elif key == _TIME:
            saw = _SAW_TIME
            i, rows["exch_ts"][n] = time_at(buf, i, state)
        elif key == _PX:
            saw = _SAW_PX
            i, rows["px"][n] = quoted_decimal_at(buf, i)
        elif key == _SZ:
            saw = _SAW_SZ
            i, rows["qty"][n] = quoted_decimal_at(buf, i)
        elif key == _SIDE:
            saw = _SAW_SIDE
            after = same_text_at(buf, i, _TEXTS, 0, 1)
            side = BUY_EVENT if after >= 0 else SELL_EVENT
            i = after if after >= 0 else same_text_at(buf, i, _TEXTS, 1, 1)
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            rows["ev"][n] = TRADE_EVENT | side
            return i + 1 if seen == _TRADE_NEEDS and rows["px"][n] > 0.0 else -1
    return -1


@borrowing
def trades_at(buf, i, texts, state, rows, n):
    """Write the list of trades at `i`; return (index after, rows used)."""
    if buf[i] != _OPEN_LIST or buf[i + 1] != _OPEN:
        return -1, n
    before = _OPEN_LIST
    while buf[i] == before:
        before = _COMMA
        i = trade_at(buf, i + 1, texts, state, rows, n)
        if i < 0:
            break
        n += 1
        if buf[i] == _CLOSE_LIST:
            return i + 1, n
    return -1, n


@borrowing
def message_at(buf, i, texts, names, state, books, found, rows, n):
    """Scan the message at `i`; return (index after, row of its name, rows used). A book is read, and not compared yet."""
    row = 0
    if buf[i] != _OPEN:
        return -1, row, n
    i, key = key_at(buf, i + 1)
    if i < 0 or key != _CHANNEL:
        return -1, row, n
    i, row = name_at(buf, i, texts, names)
    if i < 0 or buf[i] != _COMMA:
        return -1, row, n
    i, key = key_at(buf, i + 1)
    if i < 0 or key != _DATA:
        return -1, row, n
    if names[row, NAME_USE] == USE_BOOK:
        i = book_at(buf, i, texts, state, books, found)
    elif names[row, NAME_USE] == USE_TRADES:
        i, n = trades_at(buf, i, texts, state, rows, n)
    else:
        i = skip_value(buf, i)
    return i + 1 if i >= 0 and buf[i] == _CLOSE else -1, row, n


@compiled(nogil=True)
def scan_lines(buf, begin, texts, names, state, books, gaps, rows):
    """Scan raw lines from `begin` on, until the end or until one is declined.

    buf : uint8[n], whole lines; the last byte is a newline.   texts : uint8[m + 8].   names : int64[k, NAME_COLUMNS].
    state : int64[STATE_SIZE].   gaps : int64[g, GAP_COLUMNS], written.
    books : float64[4, 2, l], the book before, and room for the next.
    rows : EVENT[r], written, but for the spare fields, which callers keep at zero; a level takes twenty bytes of its line,
        and makes a row when it comes and one when it goes, as those do that were there before.
    Returns (begin of the declined line or n, lines taken, rows used).
    """
    found = np.zeros(FOUND_SIZE, np.int64)
    i = np.int64(begin)
    line = 0
    n = 0
    local_tss = rows["local_ts"]
    while i < len(buf):
        after, local_ts = receipt_at(buf, i)
        if after < 0:
            break
        after, row, end = message_at(buf, after, texts, names, state, books, found, rows, n)
        after = line_end_at(buf, after) if after >= 0 else -1
        if after < 0:
            break
        if names[row, NAME_USE] == USE_BOOK:
            end = take_book(state, books, found, rows, n)
        for k in range(n, end):
            local_tss[k] = local_ts
        account_line(state, names, gaps, line, row, local_ts, np.int64(-1), is_whole=False)
        i = after
        n = end
        line += 1
    return i, line, n
