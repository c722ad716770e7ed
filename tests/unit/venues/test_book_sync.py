"""The book is valid exactly while it is the venue's, under loss, duplication and reordering, by both rules."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, SELL_EVENT
from queuefront.feed.sources.binance_message import MessageDecoder
from queuefront.venues.book_sync import BookSync, Notice, Publication, Rule
from queuefront.venues.level_book import LevelBook
from tests.venue_data import load, needs_data

Levels = tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class Message:
    """A change or a snapshot."""

    first_id: int
    last_id: int
    prev_id: int = 0
    levels: Levels = ()
    local_ts: int = 0
    exch_ts: int = 0
    is_snapshot: bool = False
    rows: np.ndarray = field(init=False, compare=False)

    def __post_init__(self) -> None:
        rows = np.zeros(len(self.levels), EVENT)
        for i, (side, px, qty) in enumerate(self.levels):
            rows["ev"][i] = side | (DEPTH_SNAPSHOT_EVENT if self.is_snapshot else DEPTH_EVENT)
            rows["px"][i], rows["qty"][i] = px, qty
        object.__setattr__(self, "rows", rows)


def diff(first: int, last: int, prev: int = 0, *levels: tuple[int, float, float], ts: int = 0) -> Message:
    return Message(first, last, prev, levels, ts)


def snapshot(last: int, *levels: tuple[int, float, float], ts: int = 0) -> Message:
    return Message(0, last, 0, levels, ts, is_snapshot=True)


B, A = BUY_EVENT, SELL_EVENT


def synced(rule: Rule = Rule.SPOT) -> BookSync:
    """A valid book at update 10: bid 1.0, ask 2.0."""
    sync = BookSync(rule)
    generation = sync.connect(0)
    sync.receive(diff(8, 10, 7, (B, 1.0, 5.0)))
    published = sync.take_snapshot(snapshot(9, (B, 0.5, 1.0), (A, 2.0, 1.0)), generation)
    assert [p.notice for p in published] == [Notice.SYNCED]
    return sync


def test_nothing_is_published_before_the_book_is_continuous() -> None:
    """H8.14, H8.33: however long the snapshot takes, no depth leaves; the notice comes with the whole book."""
    sync = BookSync(Rule.SPOT)
    generation = sync.connect(0)
    for i in range(50):
        assert sync.receive(diff(i * 2, i * 2 + 1, 0, (B, 1.0, float(i)))) == []
        assert sync.wants_snapshot
        assert not sync.is_valid
    published = sync.take_snapshot(snapshot(90, (B, 0.5, 7.0), (A, 2.0, 3.0)), generation)
    assert [p.notice for p in published] == [Notice.SYNCED]
    rebuilt = LevelBook()
    rebuilt.apply(published[0].rows)
    assert (rebuilt.bids(9), rebuilt.asks(9)) == ([(1.0, 49.0), (0.5, 7.0)], [(2.0, 3.0)])
    assert (sync.book.bids(9), sync.is_valid, sync.last_id) == (rebuilt.bids(9), True, 99)


def test_a_snapshot_without_a_change_that_overlaps_it_is_not_published_yet() -> None:
    sync = BookSync(Rule.SPOT)
    generation = sync.connect(0)
    sync.receive(diff(1, 3))
    assert sync.take_snapshot(snapshot(9), generation) == []
    assert not sync.is_valid
    assert not sync.wants_snapshot
    assert [p.notice for p in sync.receive(diff(8, 12))] == [Notice.SYNCED]


@pytest.mark.parametrize(
    ("first", "last", "is_accepted"), [(8, 9, False), (9, 10, True), (10, 10, True), (5, 20, True), (11, 12, False)]
)
def test_the_first_change_of_spot_spans_the_snapshot_plus_one(first: int, last: int, is_accepted: bool) -> None:
    """H2.4, H8.14: snapshot at 9."""
    sync = BookSync(Rule.SPOT)
    generation = sync.connect(0)
    sync.receive(diff(first, last))
    sync.take_snapshot(snapshot(9), generation)
    assert sync.is_valid is is_accepted
    assert sync.counts.old_snapshots == (first == 11)
    assert sync.wants_snapshot is (first == 11)


@pytest.mark.parametrize(
    ("first", "last", "prev", "is_accepted"),
    [(7, 8, 6, False), (8, 9, 7, True), (9, 12, 3, True), (10, 12, 9, True), (10, 12, 8, False), (12, 13, 11, False)],
)
def test_the_first_change_of_futures_spans_the_snapshot_or_follows_it(
    first: int, last: int, prev: int, is_accepted: bool
) -> None:
    """H2.3, H8.15: snapshot at 9."""
    sync = BookSync(Rule.FUTURES)
    generation = sync.connect(0)
    sync.receive(diff(first, last, prev))
    sync.take_snapshot(snapshot(9), generation)
    assert sync.is_valid is is_accepted


def test_a_change_that_continues_is_published_and_applied() -> None:
    for sync in (synced(), synced(Rule.FUTURES)):
        change = diff(11, 14, 10, (B, 1.0, 0.0))
        assert sync.receive(change) == [Publication(change.rows)]
        assert sync.book.best_bid == (0.5, 1.0)


def test_futures_changes_need_no_consecutive_first_ids() -> None:
    sync = synced(Rule.FUTURES)
    assert len(sync.receive(diff(900, 950, 10))) == 1
    assert sync.is_valid


@pytest.mark.parametrize(
    ("rule", "change"), [(Rule.SPOT, diff(12, 14)), (Rule.FUTURES, diff(11, 14, 9)), (Rule.FUTURES, diff(11, 14, 11))]
)
def test_a_gap_makes_the_book_invalid_at_once_and_the_snapshot_mends_it(rule: Rule, change: Message) -> None:
    """H8.16: one lost change; the event is clear, the resynchronisation counted and timed."""
    sync = synced(rule)
    change = Message(change.first_id, change.last_id, change.prev_id, ((B, 1.5, 1.0),), local_ts=1000)
    lost = sync.receive(change)
    assert [(p.notice, p.reason, len(p.rows)) for p in lost] == [(Notice.LOST, "gap", 0)]
    assert not sync.is_valid
    assert sync.wants_snapshot
    assert sync.book.level_count == 0
    assert sync.receive(diff(15, 16, 14, ts=1500)) == []
    again = sync.take_snapshot(snapshot(13, (B, 1.0, 1.0), ts=2000), sync.generation)
    assert [p.notice for p in again] == [Notice.SYNCED]
    assert (sync.last_id, sync.book.best_bid) == (16, (1.5, 1.0))
    assert (sync.counts.gaps, sync.counts.syncs, sync.counts.last_sync_ns) == (1, 2, 500)


def test_a_change_that_came_twice_is_counted_and_left() -> None:
    for sync in (synced(), synced(Rule.FUTURES)):
        change = diff(11, 14, 10, (B, 1.0, 9.0))
        sync.receive(change)
        assert sync.receive(change) == []
        assert sync.receive(diff(8, 10, 7, (B, 1.0, 1.0))) == []
        assert (sync.is_valid, sync.counts.duplicates, sync.book.best_bid) == (True, 2, (1.0, 9.0))


def test_a_snapshot_of_a_connection_that_is_gone_is_discarded() -> None:
    """H8.7."""
    sync = BookSync(Rule.SPOT)
    old = sync.connect(0)
    sync.receive(diff(8, 10))
    sync.disconnect(1)
    assert sync.take_snapshot(snapshot(9), old) == []
    new = sync.connect(2)
    sync.receive(diff(20, 22))
    assert sync.take_snapshot(snapshot(9), old) == []
    assert sync.counts.late_snapshots == 2
    assert not sync.is_valid
    assert sync.take_snapshot(snapshot(21), new)[0].notice is Notice.SYNCED


def test_a_second_snapshot_of_a_book_that_is_there_changes_nothing() -> None:
    sync = synced()
    assert sync.take_snapshot(snapshot(5, (B, 9.0, 9.0)), sync.generation) == []
    assert sync.book.best_bid == (1.0, 5.0)


def test_a_lost_connection_is_a_lost_book() -> None:
    sync = synced()
    assert [(p.notice, p.reason) for p in sync.disconnect(5)] == [(Notice.LOST, "disconnected")]
    assert sync.disconnect(6) == []
    assert sync.receive(diff(11, 14, 10)) == []
    assert not sync.wants_snapshot
    assert sync.counts.disconnects == 1


def test_a_crossed_book_is_lost_and_begun_again() -> None:
    sync = synced()
    lost = sync.receive(diff(11, 14, 10, (B, 2.0, 1.0)))
    assert [(p.notice, p.reason) for p in lost] == [(Notice.LOST, "crossed")]
    assert sync.wants_snapshot
    assert sync.take_snapshot(snapshot(14, (B, 3.0, 1.0), (A, 2.0, 1.0)), sync.generation) == []
    assert (sync.counts.crossed, sync.is_valid) == (2, False)


def test_best_prices_that_differ_from_the_venues_lose_the_book() -> None:
    sync = synced()
    assert sync.check_top(10, 1.0, 2.0, 5) == []
    assert sync.check_top(11, 7.0, 8.0, 5) == []  # of another update
    assert [p.reason for p in sync.check_top(10, 1.0, 2.5, 5)] == ["the best prices are others than the venue's"]
    assert (sync.is_valid, sync.counts.top_mismatches) == (False, 1)


def test_a_side_that_the_venue_has_and_we_do_not_loses_the_book() -> None:
    sync = synced()
    sync.receive(diff(11, 14, 10, (A, 2.0, 0.0)))
    assert [p.notice for p in sync.check_top(14, 1.0, 3.0, 5)] == [Notice.LOST]


def test_a_full_buffer_drops_the_oldest_and_continuity_decides() -> None:
    sync = BookSync(Rule.SPOT, buffer_max=3)
    generation = sync.connect(0)
    for i in range(10):
        sync.receive(diff(i, i))
    assert sync.counts.overflows == 7
    assert sync.take_snapshot(snapshot(3), generation) == []
    assert sync.counts.old_snapshots == 1
    assert sync.take_snapshot(snapshot(8), generation)[0].notice is Notice.SYNCED


# --- any loss, duplication and reordering -------------------------------------------------------------------------------
def stream(rule: Rule, changes: list[list[tuple[bool, int, int]]]) -> tuple[list[Message], list[LevelBook]]:
    """A venue's own history: its messages, and its book after each."""
    messages, books, last = [], [], 100
    truth: dict[tuple[int, float], float] = {}
    for levels in changes:
        first = last + 1 if rule is Rule.SPOT else last + 3
        change = tuple((B, float(px), float(q)) if bid else (A, float(px + 100), float(q)) for bid, px, q in levels)
        messages.append(Message(first, first + 1, last, change))
        last = first + 1
        truth |= {(side, px): qty for side, px, qty in change}
        book = LevelBook()
        book.apply(Message(0, 0, 0, tuple((s, p, q) for (s, p), q in truth.items())).rows)
        books.append(book)
    return messages, books


LEVEL = st.tuples(st.booleans(), st.integers(1, 5), st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("rule", list(Rule))
@given(data=st.data())
def test_under_loss_duplication_and_reordering_a_valid_book_is_the_venues(rule: Rule, data: st.DataObject) -> None:
    """H2.3, H2.4, H8.14, H8.15, H8.16, H8.33: and it becomes valid again once messages come undisturbed."""
    messages, books = stream(rule, data.draw(st.lists(st.lists(LEVEL, max_size=4), min_size=8, max_size=40)))
    order: list[int] = []
    for i in range(len(messages) - 4):
        order += [i] * data.draw(st.sampled_from([1, 1, 1, 1, 0, 2]))
    for _ in range(data.draw(st.integers(0, 5))):
        if len(order) > 1:
            at = data.draw(st.integers(0, len(order) - 2))
            order[at], order[at + 1] = order[at + 1], order[at]
    order += range(len(messages) - 4, len(messages))
    delay = data.draw(st.integers(0, 3))
    sync, seen, waited = BookSync(rule), LevelBook(), 0
    sync.connect(0)
    is_known = False
    newest = 0
    for number in [*order, *[len(messages) - 1] * 8]:
        newest = max(newest, number)
        published = sync.receive(messages[number])
        waited = waited + 1 if sync.wants_snapshot else 0
        if waited > delay:
            waited = 0
            at = max(newest - data.draw(st.integers(0, 1)) if number < len(messages) - 1 else newest, 0)
            book = books[at]
            levels = tuple([(B, *level) for level in book.bids(99)] + [(A, *level) for level in book.asks(99)])
            published += sync.take_snapshot(snapshot(messages[at].last_id, *levels), sync.generation)
        for publication in published:
            if publication.notice is Notice.LOST:
                is_known = False
            else:
                assert is_known or publication.notice is Notice.SYNCED
                is_known = True
                seen.apply(publication.rows)
        assert sync.is_valid is is_known
        if sync.is_valid:
            truth = books[next(i for i, m in enumerate(messages) if m.last_id == sync.last_id)]
            for book in (sync.book, seen):
                assert (book.bids(99), book.asks(99)) == (truth.bids(99), truth.asks(99))
    if rule is Rule.FUTURES:  # the last message, which came eight times more, overlaps the newest snapshot
        assert sync.is_valid


# --- recorded -----------------------------------------------------------------------------------------------------------
#: With the updates whose best prices can be compared: all that are applied one by one after the snapshot.
CAPTURES = [
    ("binance_spot/ws_capture_depth_sync.json", "BTCUSDT", Rule.SPOT, 160),
    ("binance_spot/ws_capture_depth_sync_nknusdt.json", "NKNUSDT", Rule.SPOT, 0),
    ("binance_usdm/ws_capture_depth_sync.json", "BTCUSDT", Rule.FUTURES, 160),
    ("binance_coinm/ws_capture_depth_sync.json", "BTCUSD_PERP", Rule.FUTURES, 400),
    ("binance_coinm/ws_capture_depth_sync_linkusd_211231.json", "LINKUSD_211231", Rule.FUTURES, 0),
]


Top = tuple[float, float]


def replay(
    rows: list[dict[str, Any]], symbol: str, rule: Rule
) -> tuple[BookSync, list[tuple[Top, Top]], list[Publication]]:
    """Replay a capture; return the sync, the pairs of our and the venue's best prices of one update, what was published."""
    decoder = MessageDecoder(symbol, is_spot=rule is Rule.SPOT, is_combined=True)
    sync = BookSync(rule)
    sync.connect(0)
    tops: dict[int, Top] = {}
    ours: dict[int, Top] = {}
    published: list[Publication] = []
    for row in rows:
        body = json.dumps(row["msg"], separators=(",", ":")).encode()
        local_ts = row.get("local_ts_ns") or int(row["local_ts_s"] * 1e6) * 1000
        if row["kind"] == "rest_depth_snapshot":
            published += sync.take_snapshot(decoder.decode_snapshot(body, local_ts), sync.generation)
            continue
        message = decoder.decode(body, local_ts)
        if message.kind == "book ticker":
            update_id = row["msg"]["data"]["u"]
            tops[update_id] = float(message.rows["px"][0]), float(message.rows["px"][1])
            assert sync.check_top(update_id, *tops[update_id], local_ts) == []
        elif message.kind == "depth":
            published += sync.receive(message)
            bid, ask = sync.book.best_bid, sync.book.best_ask
            if sync.is_valid and bid is not None and ask is not None:
                ours[sync.last_id] = bid[0], ask[0]
    # The ticker tells every change of the best prices: the newest of at most an update's id holds at that update.
    told = sorted(tops)
    pairs = [(ours[i], tops[told[at - 1]]) for i in ours if (at := bisect_right(told, i))]
    return sync, pairs, published


@needs_data
@pytest.mark.parametrize(("name", "symbol", "rule", "count"), CAPTURES, ids=lambda v: v if isinstance(v, str) else "")
def test_a_recorded_capture_gives_the_venues_own_best_prices(name: str, symbol: str, rule: Rule, count: int) -> None:
    """H8.14 (spot), H8.15 (futures): at every update id that the book ticker names too."""
    sync, pairs, published = replay(load(name), symbol, rule)
    assert sync.is_valid
    assert (sync.counts.gaps, sync.counts.crossed, sync.counts.syncs) == (0, 0, 1)
    assert [ours for ours, _ in pairs] == [theirs for _, theirs in pairs]
    assert len(pairs) == count
    assert published[0].notice is Notice.SYNCED


@needs_data
@pytest.mark.parametrize(("name", "symbol", "rule", "count"), CAPTURES[:1] + CAPTURES[2:4])
def test_one_lost_message_of_a_capture_loses_the_book(name: str, symbol: str, rule: Rule, count: int) -> None:
    """H8.16."""
    rows = load(name)
    depth = [i for i, row in enumerate(rows) if row["kind"] == "ws" and "@depth" in row["msg"]["stream"]]
    del rows[depth[-5]]
    sync, _, published = replay(rows, symbol, rule)
    assert not sync.is_valid
    assert sync.counts.gaps == 1
    assert published[-1].notice is Notice.LOST


# --- whole books in the stream itself -------------------------------------------------------------------------------------
BUY, SELL = BUY_EVENT, SELL_EVENT


def in_stream() -> BookSync:
    sync = BookSync(Rule.IN_STREAM)
    sync.connect(0)
    return sync


def test_a_whole_book_of_the_stream_is_valid_at_once_and_changes_continue_it() -> None:
    sync = in_stream()
    (opening,) = sync.replace(snapshot(10, (BUY, 99.0, 1.0), (SELL, 101.0, 1.0)))
    assert (opening.notice, len(opening.rows)) == (Notice.SYNCED, 3)
    (change,) = sync.receive(diff(11, 11, 0, (BUY, 100.0, 2.0)))
    assert change.notice is None
    assert sync.book.best_bid == (100.0, 2.0)
    assert sync.receive(diff(11, 11, 0, (BUY, 100.0, 9.0))) == []
    assert (sync.counts.duplicates, sync.last_id) == (1, 11)


def test_a_hole_in_the_stream_loses_the_book_until_the_next_whole_one() -> None:
    sync = in_stream()
    sync.replace(snapshot(10, (BUY, 99.0, 1.0), (SELL, 101.0, 1.0)))
    (lost,) = sync.receive(diff(12, 12, 0, (BUY, 100.0, 2.0)))
    assert (lost.notice, lost.reason) == (Notice.LOST, "gap")
    assert sync.wants_snapshot
    assert sync.receive(diff(13, 13, 0, (BUY, 98.0, 2.0))) == []
    (opening,) = sync.replace(snapshot(20, (BUY, 97.0, 1.0), (SELL, 101.0, 1.0)))
    assert opening.notice is Notice.SYNCED
    assert (sync.book.best_bid, sync.book.level_count) == ((97.0, 1.0), 2)


def test_a_whole_book_replaces_a_valid_one_even_where_its_number_is_lower() -> None:
    sync = in_stream()
    sync.replace(snapshot(10, (BUY, 99.0, 1.0), (SELL, 101.0, 1.0)))
    (again,) = sync.replace(snapshot(1, (BUY, 50.0, 1.0), (SELL, 51.0, 1.0)))
    assert (again.notice, again.rows["px"].tolist()) == (None, [0.0, 50.0, 51.0])
    assert len(sync.receive(diff(2, 2, 0, (BUY, 50.5, 1.0)))) == 1
    assert sync.counts.syncs == 1


def test_a_crossed_or_a_late_whole_book_is_none() -> None:
    sync = in_stream()
    assert sync.replace(snapshot(10, (BUY, 102.0, 1.0), (SELL, 101.0, 1.0))) == []
    assert (sync.counts.crossed, sync.is_valid) == (1, False)
    sync.disconnect(1)
    assert sync.replace(snapshot(11, (BUY, 99.0, 1.0), (SELL, 101.0, 1.0))) == []
    assert not sync.is_valid
