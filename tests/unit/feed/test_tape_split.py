"""Tapes are cut by time, and put together again."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import EVENT, ConfigError, DataError, Instrument
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Tape, concat_tapes, correct_event_order, create_last_snapshot, cuts_every, split_tape
from tests.differential.markets import Synthetic
from tests.l3_market import OrderMarket

INSTRUMENT = Instrument("test", "XYZ", "1", "1")
BID = DEPTH_EVENT | BUY_EVENT


def tape_of(*rows: tuple[int, int, int, float, float], instrument: Instrument = INSTRUMENT) -> Tape:
    """Make a tape of (kind, exch_ts, local_ts, px, qty)."""
    events = np.zeros(len(rows), EVENT)
    for i, (ev, exch_ts, local_ts, px, qty) in enumerate(rows):
        events[i] = (ev, exch_ts, local_ts, px, qty, 0, 0, 0.0)
    return Tape.build(correct_event_order(events), instrument, source="made")


def market(seed: int, count: int = 400) -> Tape:
    return Tape.build(Synthetic(seed, count).events(), INSTRUMENT, source="made")


SMALL = tape_of(
    (BID, 10, 12, 100, 1), (BID, 20, 22, 99, 2), (TRADE_EVENT | BUY_EVENT, 30, 32, 100, 1), (BID, 40, 42, 98, 1)
)


def test_a_piece_opens_with_the_book_at_its_cut():
    first, second = split_tape(SMALL, [32])
    assert first.to_events()["local_ts"].tolist() == [12, 22]
    events = second.to_events()
    kind = (events["ev"] & np.uint64(KIND_MASK)).tolist()
    assert kind == [DEPTH_CLEAR_EVENT, 4, 4, TRADE_EVENT, DEPTH_EVENT]
    assert events["px"][1:].tolist() == [100.0, 99.0, 100.0, 98.0]
    assert events["qty"][1:3].tolist() == [1.0, 2.0]
    assert events["exch_ts"].tolist() == [30, 30, 30, 30, 40]
    assert events["local_ts"].tolist() == [32, 32, 32, 32, 42]
    assert second.meta["account"]["split"] == {"of": SMALL.meta["checksum"], "part": 1, "opening_rows": 3, "first_row": 2}


def test_halves_that_know_different_books_open_with_their_own():
    tape = tape_of((BID, 10, 12, 100, 1), (BID, 20, 50, 99, 2), (TRADE_EVENT | BUY_EVENT, 30, 40, 100, 1))
    second = list(split_tape(tape, [40]))[1]
    for flag, bids in ((EXCH_EVENT, [100.0, 99.0]), (LOCAL_EVENT, [100.0])):
        rows = second.to_events()[: second.meta["account"]["split"]["opening_rows"]]
        mine = rows[(rows["ev"] & np.uint64(flag)) != 0]
        assert mine["px"][1:].tolist() == bids


@pytest.mark.parametrize("seed", range(6))
def test_pieces_together_are_the_tape_and_end_with_its_books(seed):
    tape = market(seed)
    rng = np.random.default_rng(seed)
    local_ts = np.unique(tape.to_events()["local_ts"])
    at = sorted({int(ts) + int(rng.integers(0, 2)) for ts in rng.choice(local_ts, 4)})
    pieces = list(split_tape(tape, at))
    assert len(pieces) > 1
    whole = concat_tapes(pieces)
    assert whole.to_events().tobytes() == tape.to_events().tobytes()
    assert whole.meta["checksum"] == tape.meta["checksum"]
    assert "split" not in whole.meta["account"]
    for end, piece in enumerate(pieces, 1):
        before = create_last_snapshot(concat_tapes(pieces[:end]).to_events(), 1, 1)
        assert create_last_snapshot(piece.to_events(), 1, 1).tobytes() == before.tobytes()


def test_pieces_are_stored_and_put_together_again(tmp_path):
    tape = market(3)
    paths = []
    for i, piece in enumerate(split_tape(tape, [int(np.median(tape.local_ts))])):
        paths.append(tmp_path / f"{i}.tape")
        piece.save(paths[-1])
    whole = concat_tapes([Tape.open(path) for path in paths], [str(path) for path in paths])
    assert whole.to_events().tobytes() == tape.to_events().tobytes()
    assert whole.meta["account"]["concat"] == [str(path) for path in paths]


def test_times_outside_of_the_tape_cut_nothing_off():
    assert [len(piece) for piece in split_tape(SMALL, [1, 12, 1_000])] == [4]
    assert list(split_tape(tape_of(), [5])) == []


def test_an_interval_cuts_at_its_multiples():
    assert cuts_every(SMALL, 10) == [20, 30, 40]
    assert cuts_every(SMALL, 100) == []
    assert cuts_every(tape_of(), 10) == []


@pytest.mark.parametrize(("interval", "text"), [(0, "the interval is 0 ns; give at least 1")])
def test_an_interval_of_no_length_is_refused(interval, text):
    with pytest.raises(ConfigError) as caught:
        cuts_every(SMALL, interval)
    assert str(caught.value) == text


def test_an_interval_of_too_many_pieces_is_refused():
    long = tape_of((BID, 1, 1, 1, 1), (BID, 10**6, 10**6, 1, 1))
    with pytest.raises(ConfigError) as caught:
        cuts_every(long, 1)
    assert str(caught.value) == "an interval of 1 ns makes 1,000,000 pieces; give a longer one"


def test_times_that_do_not_ascend_are_refused():
    with pytest.raises(ConfigError) as caught:
        list(split_tape(SMALL, [5, 5]))
    assert str(caught.value) == "the times to split at do not ascend; give each once, in order"


def order_tape(seed: int, *, splits_rows: bool = False) -> Tape:
    events = OrderMarket(seed, 400, clears=True).events()
    if splits_rows:  # our half sees each row five rows later, so that the halves know different orders
        exch, local = events.copy(), events.copy()
        exch["ev"] &= np.uint64(2**64 - 1 - LOCAL_EVENT)
        local["ev"] &= np.uint64(2**64 - 1 - EXCH_EVENT)
        at = np.concatenate([np.arange(len(events)), np.arange(len(events)) + 5.5])
        events = np.concatenate([exch, local])[np.argsort(at)]
    return Tape.build(events, INSTRUMENT, source="made", on_gap="skip")


def best_ticks(tape: Tape, name: str, rows: slice) -> np.ndarray:
    """Return ticks of best prices, -1 where there is none; levels differ from tape to tape."""
    levels = getattr(tape, name)[rows]
    return np.append(tape.levels, -1)[np.where(levels < len(tape.levels), levels, -1)]


def test_a_piece_of_a_market_by_order_opens_with_the_orders_that_rest():
    rows = [
        (ADD_ORDER_EVENT | BUY_EVENT, 100, 3, 11),
        (ADD_ORDER_EVENT | BUY_EVENT, 100, 2, 12),
        (ADD_ORDER_EVENT | SELL_EVENT, 101, 4, 13),
        (MODIFY_ORDER_EVENT | BUY_EVENT, 100, 5, 11),  # grows, and queues anew: behind 12
        (ADD_ORDER_EVENT | SELL_EVENT, 102, 1, 14),
        (CANCEL_ORDER_EVENT | SELL_EVENT, 102, 1, 14),
        (TRADE_EVENT | SELL_EVENT, 100, 1, 0),
    ]
    events = np.zeros(len(rows), EVENT)
    for i, (ev, px, qty, order_id) in enumerate(rows):
        events[i] = (ev | EXCH_EVENT | LOCAL_EVENT, 10 * (i + 1), 10 * (i + 1) + 2, px, qty, order_id, 0, 0.0)
    second = list(split_tape(Tape.build(events, INSTRUMENT, source="made"), [72]))[1].to_events()
    kind = (second["ev"] & np.uint64(KIND_MASK)).tolist()
    assert kind == [DEPTH_CLEAR_EVENT, ADD_ORDER_EVENT, ADD_ORDER_EVENT, ADD_ORDER_EVENT, TRADE_EVENT]
    assert second["order_id"][1:4].tolist() == [12, 13, 11]
    assert second["px"][1:4].tolist() == [100.0, 101.0, 100.0]
    assert second["qty"][1:4].tolist() == [2.0, 4.0, 5.0]
    assert second["exch_ts"].tolist() == [70] * 5
    assert second["local_ts"].tolist() == [72] * 5


@pytest.mark.parametrize("splits_rows", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_a_market_by_order_have_its_books_and_queues(seed, splits_rows):
    tape = order_tape(seed, splits_rows=splits_rows)
    rng = np.random.default_rng(seed)
    at = sorted({int(ts) for ts in rng.choice(np.unique(tape.local_ts), 4)})
    pieces = list(split_tape(tape, at))
    assert len(pieces) > 2
    whole = concat_tapes(pieces)
    assert whole.to_events().tobytes() == tape.to_events().tobytes()
    assert whole.meta["checksum"] == tape.meta["checksum"]
    seen = 0
    for piece in pieces:
        told = piece.meta["account"]["split"]
        opening, first = told["opening_rows"], told["first_row"]
        own, rows = slice(opening, None), slice(first, first + len(piece) - opening)
        assert piece.meta["gap_rows"] <= tape.meta["gap_rows"]
        np.testing.assert_array_equal(piece.op[own], tape.op[rows])
        for name in ("best_bid_exch", "best_ask_exch", "best_bid_local", "best_ask_local"):
            np.testing.assert_array_equal(best_ticks(piece, name, own), best_ticks(tape, name, rows), err_msg=name)
        np.testing.assert_array_equal(piece.extra["prior_lots"][own], tape.extra["prior_lots"][rows])
        mine, theirs = piece.extra["prior_row"][own].astype(np.int64), tape.extra["prior_row"][rows].astype(np.int64)
        later = theirs >= first
        np.testing.assert_array_equal(mine[later] - opening + first, theirs[later])
        before = (theirs >= 0) & ~later
        seen += int(before.sum())
        assert (mine[before] < opening).all()
        for flag in (EXCH_EVENT, LOCAL_EVENT):  # places keep their order in each half
            of_half = before & ((piece.ev[own] & flag) != 0)
            order = np.argsort(theirs[of_half], kind="stable")
            assert (np.diff(mine[of_half][order]) >= 0).all()
    assert seen > 20


def test_a_market_by_order_and_one_by_price_are_not_put_together():
    with pytest.raises(DataError) as caught:
        concat_tapes([SMALL, order_tape(1)], ["a", "b"])
    assert str(caught.value) == "b: one of a and this is market by order; convert both alike"


def test_days_follow_on_one_another():
    later = tape_of((BID, 50, 52, 97, 1))
    assert concat_tapes([SMALL, tape_of(), later]).to_events()["exch_ts"].tolist() == [10, 20, 30, 40, 50]


def test_a_hole_between_pieces_keeps_the_opening_rows():
    first, _, third = split_tape(SMALL, [22, 42])
    events = concat_tapes([first, third]).to_events()
    kinds = (events["ev"] & np.uint64(KIND_MASK)).tolist()
    assert kinds == [DEPTH_EVENT, DEPTH_CLEAR_EVENT, 4, 4, DEPTH_EVENT]


@pytest.mark.parametrize(
    ("tape", "text"),
    [
        (
            tape_of((BID, 39, 52, 97, 1)),
            "b: exch_ts begins at 1970-01-01T00:00:00.000000039Z, before a ends at 1970-01-01T00:00:00.000000040Z",
        ),
        (
            tape_of((BID, 45, 41, 97, 1)),
            "b: local_ts begins at 1970-01-01T00:00:00.000000041Z, before a ends at 1970-01-01T00:00:00.000000042Z",
        ),
        (
            tape_of((BID, 50, 52, 97, 1), instrument=Instrument("test", "ABC", "1", "1")),
            "b: symbol is ABC where a has XYZ; only one market makes a tape",
        ),
        (
            tape_of((BID, 50, 52, 97, 1), instrument=Instrument("test", "XYZ", "0.5", "1")),
            "b: tick_size is 0.5 where a has 1; only one market makes a tape",
        ),
    ],
)
def test_tapes_that_do_not_belong_together_are_refused(tape, text):
    with pytest.raises(DataError) as caught:
        concat_tapes([SMALL, tape], ["a", "b"])
    advice = "" if "market" in text else "; give the tapes in the order of time, and each span once"
    assert str(caught.value) == text + advice


def test_nothing_is_no_tape():
    with pytest.raises(ConfigError) as caught:
        concat_tapes([])
    assert str(caught.value) == "there is no tape to put together; name at least one"
