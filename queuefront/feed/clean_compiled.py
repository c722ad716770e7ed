"""Merge rows that are in order: two orderings of the same, or one ordering of two."""

from __future__ import annotations

from typing import Final

import numpy as np

from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT
from queuefront.core.jit import borrowing, compiled

AT_EXCH: Final = 1
AT_LOCAL: Final = 2


@compiled
def merge_orders(exch_ts, local_ts, by_exch, by_local):
    """Give every row a place in exchange order and one in local order; one place for both where the two heads meet.

    exch_ts, local_ts : int64[n].   by_exch, by_local : int64[n], stable orderings of the rows by each.
    Returns (int64[m] row, int64[m] AT_EXCH, AT_LOCAL or both), n <= m <= 2 n.

    Where both heads carry the same two times they are the same row: of the rows with these times, the two stable orderings
    have used up equally many.
    """
    n = len(exch_ts)
    row = np.zeros(2 * n, np.int64)
    half = np.zeros(2 * n, np.int64)
    e = 0
    i = 0
    m = 0
    while e < n and i < n:
        a = by_exch[e]
        b = by_local[i]
        is_exch_earlier = exch_ts[a] < exch_ts[b] or (exch_ts[a] == exch_ts[b] and local_ts[a] < local_ts[b])
        if exch_ts[a] == exch_ts[b] and local_ts[a] == local_ts[b]:
            row[m] = a
            half[m] = AT_EXCH | AT_LOCAL
            e += 1
            i += 1
        elif is_exch_earlier:
            row[m] = a
            half[m] = AT_EXCH
            e += 1
        else:
            row[m] = b
            half[m] = AT_LOCAL
            i += 1
        m += 1
    while e < n:
        row[m] = by_exch[e]
        half[m] = AT_EXCH
        e += 1
        m += 1
    while i < n:
        row[m] = by_local[i]
        half[m] = AT_LOCAL
        i += 1
        m += 1
    return row[:m], half[:m]


@compiled
def merge_streams(by_exch, e, by_local, i, out):
    """Do `merge_orders` on the rows themselves, until one of two stretches ends; return (e, i, rows written).

    by_exch, by_local : int64[n, 8] and int64[m, 8], stretches of the same events in exchange and in local order.
    e, i : where to begin in them.   out : int64[…, 8], room for all that is left of both; its `ev` get their halves.
    """
    m = 0
    while e < len(by_exch) and i < len(by_local):
        a, b = by_exch[e], by_local[i]
        if a[1] == b[1] and a[2] == b[2]:
            out[m] = a
            out[m, 0] |= EXCH_EVENT | LOCAL_EVENT
            e += 1
            i += 1
        elif a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]):
            out[m] = a
            out[m, 0] |= EXCH_EVENT
            e += 1
        else:
            out[m] = b
            out[m, 0] |= LOCAL_EVENT
            i += 1
        m += 1
    return e, i, m


@compiled(nogil=True)
def merge_ascending(first, i, second, k, out):
    """Write rows in order of exchange time, `first` first at equal ones, until one of two stretches ends or `out` is full.

    first, second : int64[n, 8] and int64[m, 8], rows of ascending exchange time.   i, k : where to begin in them.
    out : int64[…, 8], written.
    Returns (i, k, rows written).
    """
    n = 0
    while i < len(first) and k < len(second) and n < len(out):
        if first[i, 1] <= second[k, 1]:
            for word in range(8):
                out[n, word] = first[i, word]
            i += 1
        else:
            for word in range(8):
                out[n, word] = second[k, word]
            k += 1
        n += 1
    return i, k, n


@borrowing
def times_at(rows, k):
    """Return both times of an event."""
    return rows[k, 1], rows[k, 2]


@borrowing
def copy_row(out, m, rows, k):
    """Copy an event."""
    for word in range(8):
        out[m, word] = rows[k, word]


@compiled(nogil=True)
def merge_pair(exch, other_exch, local, other_local, at, out):
    """Do `merge_orders` on two groups of rows that each ascend by both times, until a block ends or `out` is full.

    exch, other_exch : int64[n, 8], the block of each group in which the next row in exchange order stands; of no row: there
        is none.   local, other_local : the same in local order; often the same blocks.
    at : int64[4], where in the four blocks those rows stand; moved on.   out : int64[m, 8].   Returns the rows written.
    """
    e, f, i, j = at[0], at[1], at[2], at[3]
    m = 0
    while m < len(out):
        if (0 < len(exch) == e) or (0 < len(other_exch) == f) or (0 < len(local) == i) or (0 < len(other_local) == j):
            break
        has_exch = len(exch) > 0 or len(other_exch) > 0
        has_local = len(local) > 0 or len(other_local) > 0
        if not has_exch and not has_local:
            break
        is_other_exch = len(exch) == 0 or (len(other_exch) > 0 and other_exch[f, 1] < exch[e, 1])
        is_other_local = len(local) == 0 or (len(other_local) > 0 and other_local[j, 2] < local[i, 2])
        takes_exch, takes_local = has_exch, has_local
        if has_exch and has_local:
            a_exch, a_local = times_at(other_exch, f) if is_other_exch else times_at(exch, e)
            b_exch, b_local = times_at(other_local, j) if is_other_local else times_at(local, i)
            if a_exch != b_exch or a_local != b_local:
                takes_exch = a_exch < b_exch or (a_exch == b_exch and a_local < b_local)
                takes_local = not takes_exch
        if takes_exch and is_other_exch:
            copy_row(out, m, other_exch, f)
        elif takes_exch:
            copy_row(out, m, exch, e)
        elif is_other_local:
            copy_row(out, m, other_local, j)
        else:
            copy_row(out, m, local, i)
        if takes_exch:
            out[m, 0] |= EXCH_EVENT
            f += is_other_exch
            e += not is_other_exch
        if takes_local:
            out[m, 0] |= LOCAL_EVENT
            j += is_other_local
            i += not is_other_local
        m += 1
    at[0], at[1], at[2], at[3] = e, f, i, j
    return m
