"""Write event rows from columns, and look at a block of them, in one pass each."""

from __future__ import annotations

from queuefront.core.enums import KIND_MASK
from queuefront.core.jit import compiled


@compiled(nogil=True)
def fill_events(rows, px_rows, begin, ev, kind, exch_ts, local_ts, px, qty):
    """Write as many events as there is room for, from record `begin` on; return how many.

    rows, px_rows : int64[m, 8] and float64[m, 8], the same memory; every word is written.   kind : joined to each `ev`.
    ev, exch_ts, local_ts : int64[n].   px, qty : float64[n].
    """
    count = min(len(rows), len(ev) - begin)
    for k in range(count):
        n = begin + k
        rows[k, 0] = ev[n] | kind
        rows[k, 1] = exch_ts[n]
        rows[k, 2] = local_ts[n]
        px_rows[k, 3] = px[n]
        px_rows[k, 4] = qty[n]
        rows[k, 5] = 0
        rows[k, 6] = 0
        rows[k, 7] = 0
    return count


@compiled(nogil=True)
def note_events(rows, kinds, spans):
    """Return the least difference of the two times of events; count their kinds, and note the span of each time.

    rows : int64[n, 8], n > 0.   kinds : int64[KIND_MASK + 1], added to.
    spans : int64[2, 3], written: of `exch_ts` and `local_ts` the least, the greatest, and 1 where they ascend.
    """
    least = rows[0, 2] - rows[0, 1]
    for side in range(2):
        spans[side, 0] = spans[side, 1] = rows[0, side + 1]
        spans[side, 2] = 1
    for k in range(len(rows)):
        kinds[rows[k, 0] & KIND_MASK] += 1
        least = min(least, rows[k, 2] - rows[k, 1])
        for side in range(2):
            ts = rows[k, side + 1]
            if k > 0 and ts < rows[k - 1, side + 1]:
                spans[side, 2] = 0
            spans[side, 0] = min(spans[side, 0], ts)
            spans[side, 1] = max(spans[side, 1], ts)
    return least
