"""What the live book says: its state, its rates, its latency, in a line and in a table."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console

from queuefront.cli.venue_book_view import BookView
from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.venues.binance import MarketEvents
from queuefront.venues.book_sync import BookSync, Rule

S = 10**9


def rows(*levels: tuple[int, float, float]) -> Any:
    table = np.zeros(len(levels), EVENT)
    for i, (ev, px, qty) in enumerate(levels):
        table["ev"][i], table["px"][i], table["qty"][i] = ev, px, qty
    return table


def view(*, is_connected: bool = True, reason: str = "") -> BookView:
    sync = BookSync(Rule.SPOT)
    counts = SimpleNamespace(last_reason=reason, connections=1)
    stream: Any = SimpleNamespace(stream=SimpleNamespace(is_connected=is_connected, counts=counts))
    feed: Any = SimpleNamespace(sync=sync)
    return BookView("BTCUSDT", feed, [stream], 0)


def with_book(shown: BookView) -> BookView:
    sync = shown.feed.sync
    sync.connect(0)
    diff = SimpleNamespace(
        first_id=1, last_id=2, prev_id=0, local_ts=5, exch_ts=5, rows=rows((DEPTH_EVENT | BUY_EVENT, 99.5, 3.0))
    )
    sync.receive(diff)
    levels = rows((DEPTH_EVENT | BUY_EVENT, 99.0, 1.0), (DEPTH_EVENT | SELL_EVENT, 100.25, 2.5))
    snapshot = SimpleNamespace(first_id=0, last_id=1, prev_id=0, local_ts=5, exch_ts=5, rows=levels)
    sync.take_snapshot(snapshot, sync.generation)
    return shown


def event(kind: str, latency_ns: int = 0, *, is_local: bool = False) -> MarketEvents:
    return MarketEvents("BTCUSDT", kind, 10 * S, 10 * S - latency_ns, is_local, rows((TRADE_EVENT, 99.75, 1.0)))


def text(shown: BookView, levels: int) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(shown.view(2 * S, levels))
    return capture.get()


def test_a_book_that_is_not_whole_shows_no_prices() -> None:
    assert view(is_connected=False, reason="refused").state == "not connected: refused"
    assert view(is_connected=False).state == "not connected"
    waiting = view()
    assert waiting.state == "waiting for a whole book"
    assert waiting.line(1 * S) == "1970-01-01T00:00:01.000000000Z BTCUSDT waiting for a whole book: - gaps=0 syncs=0"
    assert "99.5" not in text(waiting, 3)


def test_a_whole_book_shows_its_levels_best_first() -> None:
    shown = with_book(view())
    assert shown.line(1 * S).endswith("BTCUSDT in sync: 3 @ 99.5 | 2.5 @ 100.25 gaps=0 syncs=1")
    lines = [line.split() for line in text(shown, 2).splitlines()]
    assert lines[-2:] == [["3", "99.5", "100.25", "2.5"], ["1", "99"]]


def test_rates_are_of_the_time_since_the_last_look() -> None:
    shown = view()
    for _ in range(6):
        shown.take(event("depth"))
    shown.take(event("trade"))
    assert shown.rates(2 * S) == {"depth": 3.0, "trade": 0.5}
    assert shown.rates(3 * S) == {}
    assert shown.last_trade == 99.75


def test_latency_is_of_messages_that_name_their_time() -> None:
    shown = view()
    assert shown.latency_text() == "unknown"
    for ms in range(1, 101):
        shown.take(event("depth", ms * 10**6))
    shown.take(event("book ticker", 10**12, is_local=True))
    assert shown.latency_text() == "p50 51.0 ms, p99 100.0 ms"
