"""The passport's measures in plain Python, from what docs/passport.md says, second by second of a market's life."""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, EXCH_EVENT, KIND_MASK, LOCAL_EVENT, TRADE_EVENT
from queuefront.feed import Tape

Books = dict[str, dict[int, int]]


def naive_measures(tape: Tape, span_ns: int) -> dict[str, list[int]]:
    """Return columns of a market by price whose rows stand in the order of the exchange's times."""
    events = tape.to_events()
    rows = [row for row in events if int(row["ev"]) & EXCH_EVENT]
    first = int(rows[0]["exch_ts"]) // span_ns * span_ns
    count = int(rows[-1]["exch_ts"]) // span_ns - first // span_ns + 1
    out: dict[str, list[int]] = {
        name: [0] * count for name in (
            "events", "trades", "book_changes", "duplicates", "one_sided_rows", "inversions", "latencies", "silence_ns",
            "covered_ns", "crossed_ns", "locked_ns", "hidden_levels", "empty_ns", "outside_trades", "outside_max_ticks",
        )
    }  # fmt: skip

    def span(ts: int) -> int:
        return (ts - first) // span_ns

    for row in events:
        halves = int(row["ev"]) & (EXCH_EVENT | LOCAL_EVENT)
        at = min(max(span(int(row["exch_ts"])), 0), count - 1)
        out["one_sided_rows"][at] += halves in (EXCH_EVENT, LOCAL_EVENT)
        if halves & LOCAL_EVENT:
            out["latencies"][at] += 1
            out["inversions"][at] += int(row["local_ts"]) < int(row["exch_ts"])
    books: Books = {"bid": {}, "ask": {}}
    said: dict[tuple[str, int], tuple[int, int]] = {}
    bests = list(zip(tape.best_bid_exch.tolist(), tape.best_ask_exch.tolist(), tape.op.tolist(), strict=True))
    best = [(bid, ask) for bid, ask, op in bests if op & 0x80]
    levels = tape.levels.tolist()
    for i, row in enumerate(rows):
        ts, kind, is_buy = int(row["exch_ts"]), int(row["ev"]) & KIND_MASK, bool(int(row["ev"]) & BUY_EVENT)
        at = span(ts)
        out["events"][at] += 1
        bid = levels[best[i - 1][0]] if i and best[i - 1][0] >= 0 else None
        ask = levels[best[i - 1][1]] if i and best[i - 1][1] < len(levels) else None
        if kind == TRADE_EVENT:
            out["trades"][at] += 1
            tick = int(row["px"])
            far = max(tick - ask if ask is not None else 0, bid - tick if bid is not None else 0, 0)
            out["outside_trades"][at] += far > 0
            out["outside_max_ticks"][at] = max(out["outside_max_ticks"][at], far)
        else:
            out["book_changes"][at] += 1
            out["duplicates"][at] += _apply(books, said, row, kind, is_buy, ts)
        stop = int(rows[i + 1]["exch_ts"]) if i + 1 < len(rows) else ts
        if stop > ts:
            _stand(out, books, levels, best[i], ts, stop, first, span_ns)
    return out


def _apply(books: Books, said: dict[tuple[str, int], tuple[int, int]], row: Any, kind: int, is_buy: bool, ts: int) -> bool:
    side = "bid" if is_buy else "ask"
    if kind == DEPTH_CLEAR_EVENT:
        for book in books.values():
            book.clear()
        for place in said:
            said[place] = (said[place][0], 0)
        return False
    assert kind == DEPTH_EVENT
    tick, lots = int(row["px"]), int(row["qty"])
    is_repeated = said.get((side, tick)) == (ts, lots)
    said[side, tick] = (ts, lots)
    books[side][tick] = lots
    return is_repeated


def _stand(
    out: dict[str, list[int]],
    books: Books,
    levels: list[int],
    best: tuple[int, int],
    start: int,
    stop: int,
    first: int,
    span_ns: int,
) -> None:
    bid = levels[best[0]] if best[0] >= 0 else -np.inf
    ask = levels[best[1]] if best[1] < len(levels) else np.inf
    asks = [tick for tick, lots in books["ask"].items() if lots > 0 and tick <= bid]
    bids = [tick for tick, lots in books["bid"].items() if lots > 0 and tick >= ask]
    is_crossed = any(tick < bid for tick in asks) or any(tick > ask for tick in bids)
    for k in range((start - first) // span_ns, (stop - 1 - first) // span_ns + 1):
        ns = min(stop, first + (k + 1) * span_ns) - max(start, first + k * span_ns)
        out["covered_ns"][k] += ns
        out["silence_ns"][k] = max(out["silence_ns"][k], stop - start)
        out["hidden_levels"][k] = max(out["hidden_levels"][k], len(asks) + len(bids))
        out["crossed_ns"][k] += ns if is_crossed else 0
        out["locked_ns"][k] += ns if (asks or bids) and not is_crossed else 0
        out["empty_ns"][k] += ns if not (np.isfinite(bid) and np.isfinite(ask)) else 0
