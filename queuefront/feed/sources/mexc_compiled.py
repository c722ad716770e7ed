"""Scan the messages of MEXC spot into events."""

from __future__ import annotations

from typing import Final

import numpy as np

from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.core.jit import borrowing, compiled
from queuefront.feed.sources.message_compiled import (
    NAME_USE,
    STATE_SYMBOL_BYTES,
    USE_COUNT,
    account_line,
    key_at,
    key_word,
    level_at,
    line_end_at,
    name_at,
    quoted_decimal_at,
    receipt_at,
    rotate,
    same_text_at,
    skip_text,
    skip_value,
    time_at,
)
from queuefront.feed.sources.words_compiled import whole_at

__all__ = ["scan_lines"]

# What becomes of a message, by its channel.
USE_CHANGES: Final = 1
USE_BEST_LEVELS: Final = 2
USE_DEALS: Final = 3

# What the scan of a message found: slots of int64[FOUND_SIZE].
_TS, _VERSION, _ROW = 0, 1, 2
FOUND_SIZE: Final = 3

_SAW_CHANNEL, _SAW_DATA, _SAW_SYMBOL, _SAW_TIME = 1, 2, 4, 8
_SAW_BIDS, _SAW_ASKS, _SAW_VERSION, _SAW_DEALS = 16, 32, 64, 128
_SAW_PX, _SAW_QTY, _SAW_SIDE = 256, 512, 1024
_MESSAGE_NEEDS: Final = _SAW_CHANNEL | _SAW_DATA | _SAW_SYMBOL | _SAW_TIME
_DEAL_NEEDS: Final = _SAW_PX | _SAW_QTY | _SAW_TIME | _SAW_SIDE

_CHANNEL, _DATA, _SYMBOL, _TIME, _P, _V, _SIDE, _VERSION_KEY = (key_word(key) for key in "cdstpvSr")
_BIDS, _ASKS, _DEALS = (key_word(key) for key in ("bids", "asks", "deals"))
_QUOTE, _COMMA, _ONE, _TWO, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = 34, 44, 49, 50, 123, 125, 91, 93


@borrowing
def version_at(buf, i):
    """Return (index after, number) of the version at `i`, which may stand in quotes."""
    if buf[i] != _QUOTE:
        return whole_at(buf, i)
    i, version = whole_at(buf, i + 1)
    return i + 1 if i >= 0 and buf[i] == _QUOTE else -1, version


@borrowing
def levels_at(buf, i, rows, n, ev):
    """Write the levels of the list at `i`, without times; return (index after, rows used)."""
    if buf[i] != _OPEN_LIST:
        return -1, n
    if buf[i + 1] == _CLOSE_LIST:
        return i + 2, n
    before = _OPEN_LIST
    while buf[i] == before:
        before = _COMMA
        i, rows["px"][n], rows["qty"][n] = level_at(buf, i + 1, _P, _V)
        if i < 0:
            break
        rows["ev"][n] = ev
        n += 1
        if buf[i] == _CLOSE_LIST:
            return i + 1, n
    return -1, n


@borrowing
def depth_at(buf, i, found, rows, n, kind):
    """Write the levels of the depth at `i`, bids before asks; return (index after, rows used)."""
    seen = 0
    first = n
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == _ASKS:
            saw = _SAW_ASKS
            i, n = levels_at(buf, i, rows, n, np.uint64(kind | SELL_EVENT))
        elif key == _BIDS:
            saw = _SAW_BIDS
            middle = n
            i, n = levels_at(buf, i, rows, n, np.uint64(kind | BUY_EVENT))
            if first < middle < n:
                rotate(rows["px"], first, middle, n)
                rotate(rows["qty"], first, middle, n)
                rotate(rows["ev"], first, middle, n)
        elif key == _VERSION_KEY:
            saw = _SAW_VERSION
            i, found[_VERSION] = version_at(buf, i)
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            return i + 1, n
    return -1, n


@borrowing
def deal_at(buf, i, state, rows, n):
    """Write the deal at `i`, without a receipt time; return the index after it."""
    seen = 0
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == _P:
            saw = _SAW_PX
            i, rows["px"][n] = quoted_decimal_at(buf, i)
        elif key == _V:
            saw = _SAW_QTY
            i, rows["qty"][n] = quoted_decimal_at(buf, i)
        elif key == _TIME:
            saw = _SAW_TIME
            i, rows["exch_ts"][n] = time_at(buf, i, state)
        elif key == _SIDE:
            saw = _SAW_SIDE
            is_buy = buf[i] == _ONE
            rows["ev"][n] = TRADE_EVENT | (BUY_EVENT if is_buy else SELL_EVENT)
            i = i + 1 if is_buy or buf[i] == _TWO else -1
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            return i + 1 if seen == _DEAL_NEEDS and rows["px"][n] > 0.0 else -1
    return -1


@borrowing
def deal_list_at(buf, i, state, rows, n):
    """Write the list of deals at `i`; return (index after, rows used)."""
    if buf[i] != _OPEN_LIST:
        return -1, n
    before = _OPEN_LIST
    while buf[i] == before:
        before = _COMMA
        i = deal_at(buf, i + 1, state, rows, n)
        if i < 0:
            break
        n += 1
        if buf[i] == _CLOSE_LIST:
            return i + 1, n
    return -1, n


@borrowing
def deals_at(buf, i, state, rows, n):
    """Write the deals of the data at `i`; return (index after, rows used)."""
    seen = 0
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0:
            break
        saw = 0
        if key == _DEALS:
            saw = _SAW_DEALS
            i, n = deal_list_at(buf, i, state, rows, n)
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            return i + 1 if seen & _SAW_DEALS else -1, n
    return -1, n


@borrowing
def data_at(buf, i, use, state, found, rows, n):
    """Read the data of a message at `i`; return (index after, rows used)."""
    if use == USE_CHANGES:
        return depth_at(buf, i, found, rows, n, DEPTH_EVENT)
    if use == USE_BEST_LEVELS:
        return depth_at(buf, i, found, rows, n, DEPTH_SNAPSHOT_EVENT)
    if use == USE_DEALS:
        return deals_at(buf, i, state, rows, n)
    return skip_value(buf, i), n


@borrowing
def message_at(buf, i, texts, names, state, found, rows, n):
    """Scan the message at `i`; return (index after, rows used). Depth has no times yet, deals have no receipt times."""
    seen = 0
    use = USE_COUNT
    found[_VERSION] = -1
    if buf[i] != _OPEN:
        return -1, n
    before = _OPEN
    while buf[i] == before:
        before = _COMMA
        i, key = key_at(buf, i + 1)
        if i < 0 or (key != _CHANNEL and seen & _SAW_CHANNEL == 0):
            break
        saw = 0
        if key == _CHANNEL:
            saw = _SAW_CHANNEL
            i, found[_ROW] = name_at(buf, i, texts, names)
            use = names[found[_ROW], NAME_USE]
        elif key == _DATA:
            saw = _SAW_DATA
            i, n = data_at(buf, i, use, state, found, rows, n)
        elif key == _SYMBOL:
            saw = _SAW_SYMBOL
            if use != USE_COUNT:
                i = same_text_at(buf, i, texts, 0, state[STATE_SYMBOL_BYTES])
            else:
                i = skip_text(buf, i + 1) if buf[i] == _QUOTE else -1
        elif key == _TIME:
            saw = _SAW_TIME
            i, found[_TS] = time_at(buf, i, state)
        else:
            i = skip_value(buf, i)
        if i < 0 or seen & saw != 0:
            break
        seen |= saw
        if buf[i] == _CLOSE:
            return i + 1 if seen & _MESSAGE_NEEDS == _MESSAGE_NEEDS else -1, n
    return -1, n


@compiled(nogil=True)
def scan_lines(buf, begin, texts, names, state, _books, gaps, rows):
    """Scan raw lines from `begin` on, until the end or until one is declined.

    buf : uint8[n], whole lines; the last byte is a newline.   texts : uint8[m + 8].   names : int64[k, NAME_COLUMNS].
    state : int64[STATE_SIZE].   gaps : int64[g, GAP_COLUMNS], written.
    rows : EVENT[r], written, but for the spare fields, which callers keep at zero; a level takes nine bytes of its line.
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
        after, end = message_at(buf, after, texts, names, state, found, rows, n)
        after = line_end_at(buf, after) if after >= 0 else -1
        if after < 0:
            break
        use = names[found[_ROW], NAME_USE]
        for k in range(n, end):
            local_tss[k] = local_ts
            if use != USE_DEALS:
                exch_tss[k] = found[_TS]
        version = found[_VERSION] if use == USE_CHANGES else np.int64(-1)
        account_line(state, names, gaps, line, found[_ROW], local_ts, version, is_whole=False)
        i = after
        n = end
        line += 1
    return i, line, n
