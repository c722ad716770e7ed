"""Scan the messages of Bybit, of raw streams and of the archive of books, into events."""

from __future__ import annotations

from typing import Final

import numpy as np

from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.jit import borrowing, compiled
from queuefront.feed.sources.message_compiled import (
    NAME_COLUMNS,
    NAME_USE,
    STATE_OPTION,
    STATE_SET_ASIDE,
    STATE_SYMBOL_BYTES,
    account_line,
    key_at,
    key_word,
    levels_at,
    line_end_at,
    name_at,
    quoted_decimal_at,
    receipt_at,
    rotate,
    same_text_at,
    skip_text,
    skip_value,
    time_at,
    truth_at,
)
from queuefront.feed.sources.words_compiled import whole_at

__all__ = ["scan_books", "scan_lines"]

# What becomes of a message, by its topic.
USE_BOOK: Final = 1
USE_TRADES: Final = 2

# Options (bits).
OPT_CLEARS: Final = 1  # a snapshot clears each side up to its worst price
OPT_ASKS_FIRST: Final = 2
OPT_WORST_BY_PRICE: Final = 4  # the worst price is the farthest one, not the last

# Columns of what is told of a line of the archive.
COL_TS: Final = 0  # ns
COL_UPDATE_ID: Final = 1
COL_IS_SNAPSHOT: Final = 2
BOOK_COLUMNS: Final = 3

# What the scan of a message found: slots of int64[FOUND_SIZE].
_TYPE, _TS, _UPDATE_ID, _ROW, _SEEN = 0, 1, 2, 3, 4
FOUND_SIZE: Final = 5
_SNAPSHOT, _DELTA, _OTHER_TYPE = 1, 2, 3

_SAW_TOPIC, _SAW_TYPE, _SAW_TS, _SAW_DATA = 1, 2, 4, 8
_SAW_SYMBOL, _SAW_BIDS, _SAW_ASKS, _SAW_ID = 16, 32, 64, 128
_SAW_PRICE, _SAW_QTY, _SAW_SIDE, _SAW_BLOCK = 256, 512, 1024, 2048
_BOOK_NEEDS: Final = _SAW_SYMBOL | _SAW_BIDS | _SAW_ASKS | _SAW_ID
_TRADE_NEEDS: Final = _SAW_TS | _SAW_SYMBOL | _SAW_PRICE | _SAW_QTY | _SAW_SIDE

_TOPIC, _TYPE_KEY, _TS_KEY, _DATA = (key_word(key) for key in ("topic", "type", "ts", "data"))
_S, _B, _A, _U = (key_word(key) for key in "sbau")
_T, _SIDE, _V, _P, _BT = (key_word(key) for key in ("T", "S", "v", "p", "BT"))
_TEXTS: Final = np.frombuffer(b"snapshot" + b"delta" + b"Buy" + b"Sell" + b"\0" * 8, np.uint8)
_QUOTE, _COMMA, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = 34, 44, 123, 125, 91, 93


@borrowing
def type_at(buf, i):
    """Return (index after, _SNAPSHOT, _DELTA or _OTHER_TYPE) of the type at `i`."""
    after = same_text_at(buf, i, _TEXTS, 0, 8)
    if after >= 0:
        return after, _SNAPSHOT
    after = same_text_at(buf, i, _TEXTS, 8, 5)
    if after >= 0:
        return after, _DELTA
    return skip_text(buf, i + 1) if buf[i] == _QUOTE else -1, _OTHER_TYPE


@borrowing
def worst_of(px, first, end, is_bid, options):
    """Return the worst price of a side, which stands at `first` to `end`."""
    if options & OPT_WORST_BY_PRICE == 0:
        return px[end - 1]
    worst = px[first]
    for k in range(first + 1, end):
        worst = min(worst, px[k]) if is_bid else max(worst, px[k])
    return worst


@borrowing
def side_of_book(buf, i, rows, n, side, kind, options):
    """Write the rows of a side whose list is at `i`, the clear before them; return (index after, rows used)."""
    px = rows["px"]
    qty = rows["qty"]
    ev = rows["ev"]
    clears = kind == _SNAPSHOT and options & OPT_CLEARS != 0
    first = n + 1 if clears else n
    i, end = levels_at(buf, i, px, qty, first)
    if i < 0 or end == first:
        return i, n
    level_ev = np.uint64((DEPTH_SNAPSHOT_EVENT if kind == _SNAPSHOT else DEPTH_EVENT) | side)
    for k in range(first, end):
        ev[k] = level_ev
    if clears:
        ev[n] = DEPTH_CLEAR_EVENT | side
        px[n] = worst_of(px, first, end, side == BUY_EVENT, options)
        qty[n] = 0.0
    return i, end


@borrowing
def book_at(buf, i, texts, state, found, rows, n):
    """Write the rows of the book at `i`, without times; return (index after, rows used)."""
    if buf[i] != _OPEN:
        return -1, n
    options = state[STATE_OPTION]
    seen = 0
    first = n
    middle = n
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == _B or key == _A:
            saw = _SAW_BIDS if key == _B else _SAW_ASKS
            middle = n
            i, n = side_of_book(buf, i, rows, n, BUY_EVENT if key == _B else SELL_EVENT, found[_TYPE], options)
            is_last_bids = key == _B
            if i >= 0 and is_last_bids != (options & OPT_ASKS_FIRST != 0) and seen & (_SAW_BIDS | _SAW_ASKS) != 0:
                rotate(rows["px"], first, middle, n)
                rotate(rows["qty"], first, middle, n)
                rotate(rows["ev"], first, middle, n)
        elif key == _U:
            saw = _SAW_ID
            i, found[_UPDATE_ID] = whole_at(buf, i)
        elif key == _S:
            saw = _SAW_SYMBOL
            i = same_text_at(buf, i, texts, 0, state[STATE_SYMBOL_BYTES])
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            return i + 1 if seen & _BOOK_NEEDS == _BOOK_NEEDS else -1, n
    return -1, n


@borrowing
def side_at(buf, i):
    """Return (index after, side bit) of the taker's side at `i`."""
    after = same_text_at(buf, i, _TEXTS, 13, 3)
    if after >= 0:
        return after, BUY_EVENT
    return same_text_at(buf, i, _TEXTS, 16, 4), SELL_EVENT


@borrowing
def trade_at(buf, i, texts, state, rows, n):
    """Write the trade at `i`, without a receipt time; return (index after, rows used, 1 if it is a block trade)."""
    seen = 0
    is_block = np.int64(0)
    side = BUY_EVENT
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == _P:
            saw = _SAW_PRICE
            i, rows["px"][n] = quoted_decimal_at(buf, i)
        elif key == _V:
            saw = _SAW_QTY
            i, rows["qty"][n] = quoted_decimal_at(buf, i)
        elif key == _T:
            saw = _SAW_TS
            i, rows["exch_ts"][n] = time_at(buf, i, state)
        elif key == _S:
            saw = _SAW_SYMBOL
            i = same_text_at(buf, i, texts, 0, state[STATE_SYMBOL_BYTES])
        elif key == _SIDE:
            saw = _SAW_SIDE
            i, side = side_at(buf, i)
        elif key == _BT:
            saw = _SAW_BLOCK
            i, is_block = truth_at(buf, i)
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            if seen & _TRADE_NEEDS != _TRADE_NEEDS or rows["px"][n] <= 0.0:
                return -1, n, is_block
            rows["ev"][n] = TRADE_EVENT | side
            return i + 1, n + 1 - is_block, is_block
    return -1, n, 0


@borrowing
def trades_at(buf, i, texts, state, rows, n):
    """Write the list of trades at `i`; return (index after, rows used, block trades, which make no rows)."""
    blocks = 0
    if buf[i] != _OPEN_LIST or buf[i + 1] != _OPEN:
        return -1, n, blocks
    before = _OPEN_LIST
    while buf[i] == before:
        before = _COMMA
        i, n, is_block = trade_at(buf, i + 1, texts, state, rows, n)
        if i < 0:
            break
        blocks += is_block
        if buf[i] == _CLOSE_LIST:
            return i + 1, n, blocks
    return -1, n, blocks


@borrowing
def data_at(buf, i, use, texts, state, found, rows, n):
    """Read the data of a message at `i`; return (index after, rows used, block trades)."""
    if use == USE_BOOK:
        if found[_TYPE] == _OTHER_TYPE or found[_SEEN] & _SAW_TYPE == 0:
            return -1, n, 0
        i, n = book_at(buf, i, texts, state, found, rows, n)
        return i, n, 0
    if use == USE_TRADES:
        return trades_at(buf, i, texts, state, rows, n)
    return skip_value(buf, i), n, 0


@borrowing
def message_at(buf, i, texts, names, state, found, rows, n):
    """Scan the message at `i`; return (index after, rows used, block trades). Rows have no receipt times yet.

    Without rows in `names`, topics are not looked at, and all messages are books.
    """
    blocks = 0
    found[_SEEN] = 0
    found[_UPDATE_ID] = -1
    found[_ROW] = 0
    use = USE_BOOK if len(names) == 0 else 0
    if buf[i] != _OPEN:
        return -1, n, blocks
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        is_unnamed = len(names) > 0 and found[_SEEN] & _SAW_TOPIC == 0
        if i < 0 or (is_unnamed and (key == _TS_KEY or key == _DATA)):
            break
        saw = 0
        if key == _TOPIC and len(names) > 0:
            saw = _SAW_TOPIC
            i, found[_ROW] = name_at(buf, i, texts, names)
            use = names[found[_ROW], NAME_USE]
        elif key == _TYPE_KEY:
            saw = _SAW_TYPE
            i, found[_TYPE] = type_at(buf, i)
        elif key == _TS_KEY:
            saw = _SAW_TS
            i, found[_TS] = time_at(buf, i, state) if use == USE_BOOK else whole_at(buf, i)
        elif key == _DATA:
            saw = _SAW_DATA
            i, n, blocks = data_at(buf, i, use, texts, state, found, rows, n)
        else:
            i = skip_value(buf, i)
        if i < 0 or found[_SEEN] & saw != 0:
            break
        found[_SEEN] |= saw
        if buf[i] == _CLOSE:
            needs = _SAW_TOPIC if len(names) > 0 else 0
            needs |= _SAW_DATA if use != 0 else 0
            needs |= _SAW_TS | _SAW_TYPE if use == USE_BOOK else 0
            return i + 1 if found[_SEEN] & needs == needs else -1, n, blocks
    return -1, n, blocks


@compiled(nogil=True)
def scan_lines(buf, begin, texts, names, state, _books, gaps, rows):
    """Scan raw lines from `begin` on, until the end or until one is declined.

    buf : uint8[n], whole lines; the last byte is a newline.   texts : uint8[m + 8].   names : int64[k, NAME_COLUMNS].
    state : int64[STATE_SIZE].   gaps : int64[g, GAP_COLUMNS], written.
    rows : EVENT[r], written, but for the spare fields, which callers keep at zero; a level takes nine bytes of its line,
        and the other keys of a message more than the two clears that it may make.
    Returns (begin of the declined line or n, lines taken, rows used).
    """
    found = np.zeros(FOUND_SIZE, np.int64)
    i = np.int64(begin)
    line = 0
    n = 0
    exch_tss = rows["exch_ts"]
    local_tss = rows["local_ts"]
    while i < len(buf):
        after, local_ts = receipt_at(buf, i)
        if after < 0:
            break
        after, end, blocks = message_at(buf, after, texts, names, state, found, rows, n)
        after = line_end_at(buf, after) if after >= 0 else -1
        if after < 0:
            break
        is_book = names[found[_ROW], NAME_USE] == USE_BOOK
        for k in range(n, end):
            local_tss[k] = local_ts
            if is_book:
                exch_tss[k] = found[_TS]
        account_line(
            state, names, gaps, line, found[_ROW], local_ts, found[_UPDATE_ID], is_book and found[_TYPE] == _SNAPSHOT
        )
        state[STATE_SET_ASIDE] += blocks
        i = after
        n = end
        line += 1
    return i, line, n


@compiled(nogil=True)
def scan_books(buf, begin, texts, state, lines, rows):
    """Scan lines of the archive of books from `begin` on, until the end or until one is declined.

    buf, texts, state, rows : as in `scan_lines`.   lines : int64[m, BOOK_COLUMNS], written, one a line.
    Returns (begin of the declined line or n, lines taken, rows used).
    """
    found = np.zeros(FOUND_SIZE, np.int64)
    names = np.zeros((0, NAME_COLUMNS), np.int64)
    i = np.int64(begin)
    line = 0
    n = 0
    exch_tss = rows["exch_ts"]
    while i < len(buf):
        after, end, _blocks = message_at(buf, i, texts, names, state, found, rows, n)
        after = line_end_at(buf, after) if after >= 0 else -1
        if after < 0:
            break
        for k in range(n, end):
            exch_tss[k] = found[_TS]
        lines[line, COL_TS] = found[_TS]
        lines[line, COL_UPDATE_ID] = found[_UPDATE_ID]
        lines[line, COL_IS_SNAPSHOT] = found[_TYPE] == _SNAPSHOT
        i = after
        n = end
        line += 1
    return i, line, n
