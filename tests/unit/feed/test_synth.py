"""The synthetic market obeys the rules of a feed, and a seed gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed.check import check_events
from queuefront.feed.synth import SynthConfig, synthesize, synthetic_instrument

SMALL = SynthConfig(seed=7, events=3000)


def digest(events: np.ndarray) -> str:
    return hashlib.sha256(events.tobytes()).hexdigest()


def walk(events: np.ndarray):
    """Yield (kind, is_buy, tick, qty, bids, asks) with the books before each row."""
    bids: dict[int, float] = {}
    asks: dict[int, float] = {}
    for ev, px, qty in zip(events["ev"].tolist(), events["px"].tolist(), events["qty"].tolist(), strict=True):
        kind, is_buy, tick = ev & KIND_MASK, bool(ev & BUY_EVENT), round(px * 10)
        yield kind, is_buy, tick, qty, bids, asks
        if kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT):
            book = bids if is_buy else asks
            if qty > 0:
                book[tick] = qty
            else:
                del book[tick]


def test_a_seed_gives_the_same_bytes_for_ever():
    assert digest(synthesize(SMALL)) == GOLDEN
    assert digest(synthesize(SynthConfig(seed=8, events=3000))) != GOLDEN


def test_the_bytes_are_the_same_without_compilation():
    code = (
        "import hashlib; from queuefront.feed.synth import *;"
        "print(hashlib.sha256(synthesize(SynthConfig(seed=7, events=3000)).tobytes()).hexdigest())"
    )
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == GOLDEN


def test_a_longer_market_begins_as_the_shorter_one():
    assert synthesize(SynthConfig(seed=7, events=5000))[:3000].tobytes() == synthesize(SMALL).tobytes()


def test_there_are_as_many_rows_as_asked_for_and_they_are_read_only():
    events = synthesize(SMALL)
    assert len(events) == 3000
    assert not events.flags.writeable


def test_nothing_is_wrong_with_the_events():
    events = synthesize(SynthConfig(seed=3, events=50_000))
    assert check_events(events, synthetic_instrument()).counts == dict.fromkeys(check_events(events).counts, 0) | {
        "price off the grid": 0,
        "quantity off the grid": 0,
    }
    assert (events["ev"] & np.uint64(EXCH_EVENT | LOCAL_EVENT) == EXCH_EVENT | LOCAL_EVENT).all()
    assert (events["local_ts"] > events["exch_ts"]).all()


def test_it_opens_with_a_cleared_and_filled_book():
    kinds = (synthesize(SMALL)["ev"] & np.uint64(KIND_MASK)).tolist()
    side = [DEPTH_CLEAR_EVENT] + [DEPTH_SNAPSHOT_EVENT] * SMALL.levels
    assert kinds[: 2 * len(side)] == side * 2
    assert DEPTH_SNAPSHOT_EVENT not in kinds[2 * len(side) :]


@pytest.mark.parametrize("config", [SynthConfig(3, 20_000), SynthConfig(4, 20_000, levels=2, volatility_ticks=200.0)])
def test_the_book_never_crosses_and_never_empties(config):
    opening = 2 * config.levels + 2
    for i, (_, _, _, _, bids, asks) in enumerate(walk(synthesize(config))):
        if i >= opening:
            assert max(bids) < min(asks)


def test_trades_hit_the_best_level_and_its_new_quantity_follows():
    expected = None
    for kind, is_buy, tick, qty, bids, asks in walk(synthesize(SMALL)):
        if expected is not None:
            assert (kind, not is_buy, tick) == (DEPTH_EVENT, *expected[:2])
            assert qty == pytest.approx(expected[2], abs=1e-9)  # 0.3 - 0.1 is not the float 0.2
            expected = None
        if kind == TRADE_EVENT:
            best = min(asks) if is_buy else max(bids)
            assert tick == best
            expected = (is_buy, tick, (asks if is_buy else bids)[tick] - qty)


def test_a_side_has_about_the_wanted_levels():
    counts = [(len(b), len(a)) for *_, b, a in walk(synthesize(SynthConfig(5, 30_000)))]
    low, high = np.min(counts[100:]), np.max(counts[100:])
    assert low >= 5
    assert high <= 35


def test_the_instrument_follows_the_configuration():
    instrument = synthetic_instrument(SynthConfig(tick_size="0.25", lot_size="1"))
    assert (instrument.venue, instrument.symbol) == ("synthetic", "SYN")
    assert str(instrument.tick_size) == "0.25"
    assert check_events(synthesize(SynthConfig(events=500, tick_size="0.25", lot_size="1")), instrument).ok


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": 61}, "events is 61; the opening snapshot alone takes 62"),
        ({"levels": 1}, "levels is 1; give 2 to 1,000"),
        ({"levels": 1001}, "levels is 1001; give 2 to 1,000"),
        ({"seed": -1}, "seed is -1; give a whole number from 0"),
        ({"steps_per_s": 0.0}, "steps_per_s is 0.0; give a positive number below 1e9"),
        ({"jitter_us": -1.0}, "jitter_us is -1.0; give a number from 0 to 1e9"),
        ({"volatility_ticks": float("nan")}, "volatility_ticks is nan; give a number from 0 to 1e9"),
        ({"market_share": 0.6}, "market_share is 0.6; give 0 to 0.5"),
        ({"start_ts": 0}, "start_ts is 0; give nanoseconds since 1970"),
    ],
)
def test_impossible_markets_are_refused(changes, message):
    with pytest.raises(ConfigError) as caught:
        SynthConfig(**changes)
    assert str(caught.value) == message


def test_a_price_too_near_to_zero_is_refused():
    with pytest.raises(ConfigError, match="mid_price 100 is 1,000 ticks; give at least 32,769 ticks"):
        synthesize(SynthConfig(mid_price="100"))


def test_a_book_that_is_all_there_is_has_that_many_rows():
    assert len(synthesize(SynthConfig(events=62))) == 62


GOLDEN = "349b36a83afca51cdd15f3bbd030e8b921a6ec6c48deff8d9ec7b7518236751d"
