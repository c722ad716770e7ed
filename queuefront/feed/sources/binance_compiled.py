"""Scan raw Binance lines into events, without building an object per message.

The scanner knows the plain shape in which Binance writes its messages: no white space, no escapes, decimals of at most
2^53, every known key once. Whatever else it meets, it leaves to the decoder of `binance.py`, which is the authority on
what is valid; the scanner therefore never refuses a line, it only declines it. Keys may stand in any order. How
texts and numbers are read, `message_compiled` and `words_compiled` say.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_EVENT,
    FUNDING_RATE_EVENT,
    INDEX_PRICE_EVENT,
    MARK_PRICE_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.jit import borrowing, compiled
from queuefront.feed.sources.message_compiled import levels_at, receipt_at, skip_text, truth_at
from queuefront.feed.sources.refusal import NS_MIN, NS_PER_MS
from queuefront.feed.sources.words_compiled import signed_decimal_at, whole_at

# What a line turned out to be.
LINE_DECLINED: Final = 0  # not scanned: the decoder decides
LINE_TRADE: Final = 1
LINE_TRADE_OFF_MARKET: Final = 2  # futures: insurance fund, liquidation housekeeping
LINE_DEPTH: Final = 3
LINE_BOOK_TICKER: Final = 4
LINE_MARK_PRICE: Final = 5
LINE_SNAPSHOT: Final = 6
LINE_ERROR: Final = 7  # the venue's `code` and `msg`
LINE_OTHER: Final = 8
LINE_BLANK: Final = 9
LINE_REFUSED: Final = 10

# Columns of the line table.
COL_KIND: Final = 0
COL_LOCAL_TS: Final = 1
COL_EXCH_TS: Final = 2
COL_FIRST_ID: Final = 3  # `U`
COL_LAST_ID: Final = 4  # `u`
COL_PREV_ID: Final = 5  # `pu`, futures only
LINE_COLUMNS: Final = 6

# What to scan for (bits).
OPT_SPOT: Final = 1
OPT_COMBINED: Final = 2
OPT_BOOK_TICKER: Final = 4
OPT_MARK_PRICE: Final = 8

# Fields of one message: slots of the scratch arrays, and bits of what was seen.
_E, _T, _TIME, _U, _LAST, _PREV, _MAKER, _MARKET, _SYMBOL = 0, 1, 2, 3, 4, 5, 6, 7, 8
_P, _Q, _BID, _BID_QTY, _ASK, _ASK_QTY, _INDEX, _RATE, _BIDS, _ASKS = 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
# Further slots of the scratch array: which of the above were seen (bits), and the times that stand outside the message.
_SEEN, _LOCAL_TS, _LAST_EXCH_TS = 19, 20, 21
SLOTS: Final = 22

_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE, _OPEN_LIST, _NINE, _NEWLINE = 34, 44, 58, 123, 125, 91, 57, 10

_MS_MIN: Final = -(-NS_MIN // NS_PER_MS)
_MS_MAX: Final = (2**63 - 1) // NS_PER_MS

_TRADE_NAME = np.frombuffer(b'trade"', np.uint8)
_DEPTH_NAME = np.frombuffer(b'depthUpdate"', np.uint8)
_TICKER_NAME = np.frombuffer(b'bookTicker"', np.uint8)
_MARK_NAME = np.frombuffer(b'markPriceUpdate"', np.uint8)
_MARKET_NAME = np.frombuffer(b'MARKET"', np.uint8)
_STREAM_KEY = np.frombuffer(b'{"stream":"', np.uint8)
_DATA_KEY = np.frombuffer(b',"data":{', np.uint8)

_SLOT_OF_KEY = np.full(128, -1, np.int64)  # by the one character that names it
for _key, _slot in zip(
    b"eTEUumXspqbBaAir",
    (_E, _T, _TIME, _U, _LAST, _MAKER, _MARKET, _SYMBOL, _P, _Q, _BID, _BID_QTY, _ASK, _ASK_QTY, _INDEX, _RATE),
    strict=True,
):
    _SLOT_OF_KEY[_key] = _slot


@borrowing
def starts_with(buf, i, name):
    """Tell whether the bytes at `i` are those of `name`. A line ends in a newline, which no name holds."""
    for k in range(len(name)):  # noqa: SIM110 - compiled code has no generators
        if buf[i + k] != name[k]:
            return False
    return True


@borrowing
def kind_of(buf, i):
    """Return the LINE_ code of the event name at `i`."""
    if starts_with(buf, i, _TRADE_NAME):
        return LINE_TRADE
    if starts_with(buf, i, _DEPTH_NAME):
        return LINE_DEPTH
    if starts_with(buf, i, _TICKER_NAME):
        return LINE_BOOK_TICKER
    if starts_with(buf, i, _MARK_NAME):
        return LINE_MARK_PRICE
    return LINE_DECLINED


@borrowing
def side_at(buf, i, rows, n, ev):
    """Write a row per level of the list at `i`; return (index after the list or -1, rows used)."""
    i, end = levels_at(buf, i, rows["px"], rows["qty"], n)
    evs = rows["ev"]
    for k in range(n, end):
        evs[k] = ev
    return i, end


@borrowing
def slot_at(buf, i):
    """Return (index after the colon or -1, slot) of the key whose text begins at `i`; slot -1 is one we do not use."""
    first = i
    i = skip_text(buf, i) - 1
    if i < 0:
        return -1, np.int64(-1)
    slot = np.int64(-1)
    if i == first + 1:
        slot = _SLOT_OF_KEY[buf[first]]
    elif i == first + 2 and buf[first] == 112 and buf[first + 1] == 117:
        slot = np.int64(_PREV)  # pu
    return i + 2 if buf[i + 1] == _COLON else -1, slot


@borrowing
def scan_object(buf, i, symbol, whole, number, rows, first_row):
    """Scan one event object, its brace at `i`: values into the scratch arrays, levels into `rows`.

    Returns (index after the object or -1, rows used); `whole[_SEEN]` then tells which slots were filled.
    """
    n = first_row
    seen = np.int64(0)
    while buf[i + 1] == _QUOTE:  # `i` is at a brace or a comma
        i, slot = slot_at(buf, i + 2)
        if i < 0:
            break
        if buf[i] == _QUOTE:
            i += 1
            if slot == _E:
                whole[_E] = kind_of(buf, i)  # LINE_DECLINED for a kind that we do not know
                i = skip_text(buf, i)
            elif slot == _MARKET:
                whole[_MARKET] = 1 if starts_with(buf, i, _MARKET_NAME) else 0
                i = skip_text(buf, i)
            elif slot == _SYMBOL:
                if len(symbol) == 0 or not starts_with(buf, i, symbol) or buf[i + len(symbol)] != _QUOTE:
                    break
                i += len(symbol) + 1
            elif slot >= _P:
                i, number[slot] = signed_decimal_at(buf, i)
                i = i + 1 if i >= 0 and buf[i] == _QUOTE else -1
            else:
                i = skip_text(buf, i) if slot < 0 else -1  # a text where the plain shape has a number or a truth value
        elif buf[i] != _OPEN_LIST:
            is_truth = slot == _MAKER or (slot < 0 and buf[i] > _NINE)
            i, count = truth_at(buf, i) if is_truth else whole_at(buf, i)
            if slot >= 0:
                whole[slot] = count
                if slot == _E or slot > _MAKER or (slot <= _TIME and not _MS_MIN <= count <= _MS_MAX):
                    break  # a number where the plain shape has a text, or a time out of range
        elif slot == _BID and not (seen >> _ASKS) & 1:
            slot = np.int64(_BIDS)
            i, n = side_at(buf, i, rows, n, DEPTH_EVENT | BUY_EVENT)
        elif slot == _ASK:
            slot = np.int64(_ASKS)
            i, n = side_at(buf, i, rows, n, DEPTH_EVENT | SELL_EVENT)
        else:
            break  # asks before bids, or a list we do not know
        if i < 0 or (slot >= 0 and (seen >> slot) & 1):
            break
        if slot >= 0:
            seen |= np.int64(1) << slot
        if buf[i] == _CLOSE:
            whole[_SEEN] = seen
            return i + 1, n
        if buf[i] != _COMMA:
            break
    return -1, n


@borrowing
def has(seen, slots):
    """Tell whether all the bits of `slots` were seen."""
    return seen & slots == slots


_DEPTH_NEEDS: Final = 1 << _BIDS | 1 << _ASKS
_TRADE_NEEDS: Final = 1 << _T | 1 << _P | 1 << _Q | 1 << _MAKER
_TICKER_NEEDS: Final = 1 << _BID | 1 << _BID_QTY | 1 << _ASK | 1 << _ASK_QTY
_MARK_NEEDS: Final = 1 << _TIME | 1 << _INDEX | 1 << _P | 1 << _RATE


@borrowing
def write_row(rows, n, ev, exch_ts, local_ts, px, qty):
    """Write one event at row `n`."""
    rows["ev"][n] = ev
    rows["exch_ts"][n] = exch_ts
    rows["local_ts"][n] = local_ts
    rows["px"][n] = px
    rows["qty"][n] = qty


@borrowing
def emit(kind, options, whole, number, rows, first_row, n):
    """Complete the rows of one scanned message; return (LINE_ code, exch_ts, rows used), declining by LINE_DECLINED.

    exch_ts is 0 where the message makes no rows and tells no time.
    """
    is_spot = options & OPT_SPOT != 0
    seen = whole[_SEEN]
    local_ts = whole[_LOCAL_TS]
    if kind == LINE_DEPTH:
        time_slot = _TIME if is_spot else _T
        if not has(seen, _DEPTH_NEEDS | 1 << time_slot):
            return LINE_DECLINED, np.int64(0), first_row
        exch_ts = whole[time_slot] * NS_PER_MS
        exch_tss = rows["exch_ts"]
        local_tss = rows["local_ts"]
        for k in range(first_row, n):
            exch_tss[k] = exch_ts
            local_tss[k] = local_ts
        return LINE_DEPTH, exch_ts, n
    if n > first_row:
        return LINE_DECLINED, np.int64(0), first_row
    if kind == LINE_TRADE:
        if not has(seen, _TRADE_NEEDS) or (not is_spot and not has(seen, 1 << _MARKET)):
            return LINE_DECLINED, np.int64(0), first_row
        exch_ts = whole[_T] * NS_PER_MS
        if not is_spot and whole[_MARKET] == 0:
            return LINE_TRADE_OFF_MARKET, exch_ts, n
        if number[_P] <= 0.0 or number[_Q] < 0.0:
            return LINE_DECLINED, np.int64(0), first_row
        side = SELL_EVENT if whole[_MAKER] == 1 else BUY_EVENT
        write_row(rows, n, TRADE_EVENT | side, exch_ts, local_ts, number[_P], number[_Q])
        return LINE_TRADE, exch_ts, n + 1
    if kind == LINE_BOOK_TICKER:
        if options & OPT_BOOK_TICKER == 0:
            return LINE_BOOK_TICKER, np.int64(0), n
        exch_ts = whole[_LAST_EXCH_TS] if is_spot else whole[_T] * NS_PER_MS
        if not has(seen, _TICKER_NEEDS) or (not is_spot and not has(seen, 1 << _T)):
            return LINE_DECLINED, np.int64(0), first_row
        if min(number[_BID], number[_ASK]) <= 0.0 or min(number[_BID_QTY], number[_ASK_QTY]) < 0.0 or exch_ts == 0:
            return LINE_DECLINED, np.int64(0), first_row
        write_row(rows, n, BEST_BID_EVENT, exch_ts, local_ts, number[_BID], number[_BID_QTY])
        write_row(rows, n + 1, BEST_ASK_EVENT, exch_ts, local_ts, number[_ASK], number[_ASK_QTY])
        return LINE_BOOK_TICKER, exch_ts, n + 2
    if options & OPT_MARK_PRICE == 0:
        return LINE_MARK_PRICE, np.int64(0), n
    if not has(seen, _MARK_NEEDS) or number[_INDEX] <= 0.0 or number[_P] <= 0.0:
        return LINE_DECLINED, np.int64(0), first_row
    exch_ts = whole[_TIME] * NS_PER_MS
    write_row(rows, n, INDEX_PRICE_EVENT, exch_ts, local_ts, number[_INDEX], 0.0)
    write_row(rows, n + 1, MARK_PRICE_EVENT, exch_ts, local_ts, number[_P], 0.0)
    write_row(rows, n + 2, FUNDING_RATE_EVENT, exch_ts, local_ts, number[_RATE], 0.0)
    return LINE_MARK_PRICE, exch_ts, n + 3


@borrowing
def scan_envelope(buf, i):
    """Step over the start of a combined-stream message at `i`; return the index of the event's brace, or -1."""
    if not starts_with(buf, i, _STREAM_KEY):
        return -1
    i = skip_text(buf, i + len(_STREAM_KEY))
    if i < 0 or not starts_with(buf, i, _DATA_KEY):
        return -1
    return i + len(_DATA_KEY) - 1


@borrowing
def scan_line(buf, i, options, symbol, whole, number, rows, first_row):
    """Scan the line that begins at `i`; its receipt time and, if known, the last event's stand in `whole`.

    Returns (index after its newline, LINE_ code, exch_ts, rows used); the code is LINE_DECLINED where it is declined.
    """
    declined = np.int64(LINE_DECLINED)
    is_combined = options & OPT_COMBINED != 0
    if is_combined:
        i = scan_envelope(buf, i)
        if i < 0:
            return i, declined, np.int64(0), first_row
    elif buf[i] != _OPEN:
        return i, declined, np.int64(0), first_row
    i, n = scan_object(buf, i, symbol, whole, number, rows, first_row)
    if i >= 0 and is_combined:
        i = i + 1 if buf[i] == _CLOSE else -1
    if i < 0 or buf[i] != _NEWLINE:
        return i, declined, np.int64(0), first_row
    kind = whole[_E] if has(whole[_SEEN], 1 << _E) else declined
    if kind == declined and options & OPT_SPOT != 0 and has(whole[_SEEN], _TICKER_NEEDS):
        kind = np.int64(LINE_BOOK_TICKER)  # on spot this one message does not name its kind
    if kind == declined:
        return i, declined, np.int64(0), first_row
    kind, exch_ts, n = emit(kind, options, whole, number, rows, first_row, n)
    return i + 1, np.int64(kind), exch_ts, n


@borrowing
def write_line(lines, n, kind, local_ts, exch_ts, whole):
    """Write what line `n` turned out to be."""
    seen = whole[_SEEN]
    lines[n, COL_KIND] = kind
    lines[n, COL_LOCAL_TS] = local_ts
    lines[n, COL_EXCH_TS] = exch_ts
    lines[n, COL_FIRST_ID] = whole[_U] if has(seen, 1 << _U) else 0
    lines[n, COL_LAST_ID] = whole[_LAST] if has(seen, 1 << _LAST) else 0
    lines[n, COL_PREV_ID] = whole[_PREV] if has(seen, 1 << _PREV) else 0


@compiled(nogil=True)
def scan_lines(buf, begin, options, symbol, last_exch_ts, lines, rows):
    """Scan the lines from `begin` on, until the end or until one is declined.

    buf : uint8[n], whole lines; the last byte is a newline.   options : OPT_ bits.
    symbol : uint8[k], the symbol that every message must name; empty: not known yet, so that any named one is declined.
    last_exch_ts : time of the last event before, 0 if there was none.
    lines : int64[m, LINE_COLUMNS], written, one a line; a line takes at least 20 bytes.
    rows : EVENT[m], written, but for the spare fields, which callers keep at zero; a row takes at least nine bytes of its
        line.
    Returns (begin of the declined line or n, lines written, rows written, last_exch_ts).
    """
    whole = np.zeros(SLOTS, np.int64)
    number = np.zeros(SLOTS, np.float64)
    end = len(buf)
    i = begin
    line_count = 0
    n = 0
    while i < end:
        message, local_ts = receipt_at(buf, i)
        if message < 0:
            break
        whole[_LOCAL_TS] = local_ts
        whole[_LAST_EXCH_TS] = last_exch_ts
        after, kind, exch_ts, n_after = scan_line(buf, message, options, symbol, whole, number, rows, n)
        if kind == LINE_DECLINED:
            break
        i = after
        n = n_after
        if exch_ts > 0 and kind != LINE_TRADE_OFF_MARKET:
            last_exch_ts = exch_ts
        write_line(lines, line_count, kind, local_ts, exch_ts, whole)
        line_count += 1
    return i, line_count, n, last_exch_ts


@compiled(nogil=True)
def scan_message(buf, size, options, symbol, local_ts, last_exch_ts, lines, rows):
    """Scan one message, as `scan_lines` does a line, without a receipt time before it.

    buf : uint8[n], longer than `size`; the message at its start, and the byte behind it is overwritten by a newline.
    options, symbol, last_exch_ts, rows : see `scan_lines`.   local_ts : when it was received.
    lines : int64[1, LINE_COLUMNS], written.
    Returns (rows written or -1 where it is declined, last_exch_ts).
    """
    whole = np.zeros(SLOTS, np.int64)
    number = np.zeros(SLOTS, np.float64)
    buf[size] = _NEWLINE
    whole[_LOCAL_TS] = local_ts
    whole[_LAST_EXCH_TS] = last_exch_ts
    after, kind, exch_ts, n = scan_line(buf, 0, options, symbol, whole, number, rows, 0)
    if kind == LINE_DECLINED or after != size + 1:  # a newline within it is no part of the plain shape
        return -1, last_exch_ts
    if exch_ts > 0 and kind != LINE_TRADE_OFF_MARKET:
        last_exch_ts = exch_ts
    write_line(lines, 0, kind, local_ts, exch_ts, whole)
    return n, last_exch_ts
