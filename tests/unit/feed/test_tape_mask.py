"""The columns of a masked tape; what they come to in a replay stands in tests/scenario/test_masked_spans.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import (
    EXCH_EVENT,
    LOCAL_EVENT,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MASKED,
    OP_NOTHING,
    OP_OTHER_TRADE,
    OP_SELL_TRADE,
)
from queuefront.feed import Tape
from tests.passport_market import SECOND, T0, tape_of

ROWS = (
    (0, "bid", 100, 5), (0, "ask", 102, 7), (5, "bid", 101, 5), (12, "buy", 102, 1), (14, "bid", 100, 6),
    (21, "ask", 103, 7), (22, "sell", 100, 1), (23, "bid", 99, 6), (24, "bid", 98, 6),
)  # fmt: skip


def stretches(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array([[T0 + round(t * SECOND) for t in pair] for pair in pairs], np.int64).reshape(-1, 2)


def masked_rows(tape: Tape) -> list[int]:
    return np.flatnonzero(tape.op & np.uint8(OP_MASKED)).tolist()


def test_rows_are_masked_from_the_last_before_a_stretch_to_its_last() -> None:
    assert masked_rows(tape_of(*ROWS).masked(stretches((10, 20)))) == [2, 3, 4]


def test_best_prices_are_gone_until_a_row_tells_of_their_side() -> None:
    plain = tape_of(*ROWS)
    tape = plain.masked(stretches((10, 20)))
    assert np.flatnonzero(tape.best_bid_exch == -1).tolist() == [2, 3, 4, 5, 6]
    assert np.flatnonzero(tape.best_ask_exch == len(tape.levels)).tolist() == [0, 2, 3, 4]
    for row in (0, 1, 7, 8):
        assert (tape.best_bid_exch[row], tape.best_ask_exch[row]) == (plain.best_bid_exch[row], plain.best_ask_exch[row])


def test_trades_fill_nobody_in_a_stretch_and_stay_trades_elsewhere() -> None:
    tape = tape_of(*ROWS).masked(stretches((10, 20)))
    assert tape.op[3] & OP_MASK == OP_OTHER_TRADE
    assert tape.op[6] & OP_MASK == OP_SELL_TRADE


def test_what_we_see_and_the_events_stay_as_they_were() -> None:
    plain = tape_of(*ROWS)
    tape = plain.masked(stretches((0, 30)))
    assert np.array_equal(tape.best_bid_local, plain.best_bid_local)
    assert np.array_equal(tape.to_events(), plain.to_events())
    assert tape.measures is plain.measures


def test_several_stretches_and_the_ends_of_the_tape() -> None:
    plain = tape_of(*ROWS)
    assert masked_rows(plain.masked(stretches((-5, 1), (23, 99)))) == [0, 1, 6, 7, 8]
    assert masked_rows(plain.masked(stretches((50, 60)))) == [8]
    assert masked_rows(plain.masked(stretches())) == []


def test_fills_of_a_market_by_order_are_silenced() -> None:
    rows = [(0, "add bid", 100, 5, 1), (12, "fill", 100, 1, 1), (25, "fill", 100, 1, 1)]
    tape = tape_of(*rows).masked(stretches((10, 20)))
    assert [op & OP_MASK for op in tape.op.tolist()][1:] == [OP_NOTHING, OP_FILL_ORDER]


def test_rows_of_one_half_do_not_shift_the_mask() -> None:
    tape = tape_of(*ROWS, flags={2: LOCAL_EVENT, 4: EXCH_EVENT}).masked(stretches((10, 20)))
    assert masked_rows(tape) == [1, 2, 3, 4]  # the last row that the exchange saw before is the second


def test_an_empty_tape_can_be_masked() -> None:
    assert len(tape_of().masked(stretches((0, 10)))) == 0


def test_a_masked_tape_keeps_its_mask_under_another_instrument_and_range() -> None:
    tape = tape_of(*ROWS).masked(stretches((10, 20)))
    assert tape.with_instrument(tape.instrument.override(multiplier=1)).is_masked
    assert tape_of(*ROWS).bounded(100, 102).masked(stretches((10, 20))).tick_range == (100, 102)


def test_a_masked_tape_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a masked tape lives in memory only"):
        tape_of(*ROWS).masked(stretches((10, 20))).save(tmp_path / "a.tape")


@pytest.mark.parametrize("wrong", [stretches((20, 10)), stretches((0, 10), (5, 20)), np.zeros((2, 3), np.int64)])
def test_stretches_out_of_order_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="the stretches of a mask are pairs of times, ascending and apart"):
        tape_of(*ROWS).masked(wrong)
