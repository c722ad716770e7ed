"""Tapes are cut by time, and put together again."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import EVENT, ConfigError, DataError, Instrument
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, EXCH_EVENT, KIND_MASK, LOCAL_EVENT, TRADE_EVENT
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


def test_a_market_by_order_is_not_split():
    tape = Tape.build(OrderMarket(1, 40).events(), INSTRUMENT, source="made")
    with pytest.raises(DataError) as caught:
        list(split_tape(tape, [5], "a.tape"))
    assert str(caught.value) == (
        "a.tape: a market by order cannot be split, as rows do not tell its queues; split its source"
    )
    with pytest.raises(DataError) as caught:
        concat_tapes([SMALL, tape], ["a", "b"])
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
