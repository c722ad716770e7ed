"""What a run books adds up exactly, comes out alike every time, and knows nothing of the future (H0.3)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import gcd
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core.enums import FEE_QTY, FEE_VALUE
from queuefront.feed import Tape
from queuefront.sim import Asset, AssetResult
from tests.property.storm import CONTRACTS, EXCHANGES, FEES, Outcome, asset_of, digests, play, storm_of, tape_of

ROOT = Path(__file__).parents[2]
E18 = 10**18
SEEDS = st.integers(0, 2**32 - 1)


def half_away(x: Fraction) -> int:
    """Return the nearest integer; halves go away from zero."""
    whole = (2 * abs(x) + 1) // 2
    return int(whole) if x >= 0 else -int(whole)


def sum_of(state: np.void, name: str) -> int:
    high, low = int(state[f"{name}_high"]), int(state[f"{name}_low"])
    assert 0 <= low < E18
    return high * E18 + low


def expected_money(fill: np.void, asset: Asset) -> tuple[int, int]:
    """Return (amount, fee) of a fill in the account's units, by exact arithmetic."""
    tick, lots = int(fill["price_tick"]), int(fill["lots"])
    is_linear = asset.tape.instrument.contract == "linear"
    amount = tick * lots if is_linear else half_away(Fraction(lots * 10**15, tick))
    maker, taker = asset.fees.rates_e9()
    if is_linear and asset.fees.code == FEE_VALUE:  # a linear fee counts steps of what both rates are multiples of
        step = gcd(maker, taker)
        maker, taker = maker // step, taker // step
    rate = maker if fill["is_maker"] else taker
    if asset.fees.code == FEE_QTY:
        return amount, rate * lots
    if asset.fees.code != FEE_VALUE:
        return amount, rate
    return amount, rate * amount if is_linear else half_away(Fraction(rate * amount, 10**5))


def assert_conserved(result: AssetResult, asset: Asset) -> None:
    state, fills = result.state[0], result.fills
    position = cash = fee = value = volume = 0
    for fill in fills:
        amount, fill_fee = expected_money(fill, asset)
        assert (int(fill["amount"]), int(fill["fee"])) == (amount, fill_fee)
        side, lots = int(fill["side"]), int(fill["lots"])
        assert lots > 0
        position, cash, fee = position + side * lots, cash - side * amount, fee + fill_fee
        value, volume = value + amount, volume + lots
        assert int(fill["position_lots"]) == position
    assert int(state["position_lots"]) == position
    assert sum_of(state, "cash") == cash
    assert sum_of(state, "fee") == fee
    assert sum_of(state, "value") == value
    assert int(state["volume_lots"]) == volume
    assert int(state["num_trades"]) == len(fills)


def assert_orders_are_not_overfilled(outcome: Outcome) -> None:
    filled: Counter[int] = Counter()
    for fill in outcome.results[0].fills:
        filled[int(fill["order_id"])] += int(fill["lots"])
    for order_id, lots in filled.items():
        assert lots <= outcome.lots_asked[order_id]
    # An order that was never modified is filled by what it asked for less what is left of it.
    last = {int(c["order_id"]): c for c in outcome.results[0].changes if c["is_response"]}
    for order_id, change in last.items():
        if order_id not in outcome.modified:
            assert filled[order_id] == outcome.lots_asked[order_id] - int(change["leaves_lots"])


def storm(seed: int, contract: str, exchange: str, fees: str) -> tuple[Asset, Outcome]:
    asset = asset_of(seed, contract, exchange, fees)
    return asset, play([asset], storm_of(seed, 150))


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(SEEDS, st.sampled_from(list(CONTRACTS)), st.sampled_from(list(EXCHANGES)), st.sampled_from(list(FEES)))
def test_position_cash_and_fees_are_the_sums_of_the_fills(seed, contract, exchange, fees):  # H0.3
    asset, outcome = storm(seed, contract, exchange, fees)
    assert_conserved(outcome.results[0], asset)
    assert_orders_are_not_overfilled(outcome)


@pytest.mark.slow
@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_storms_fill_orders_of_every_kind(contract, exchange):
    makers, lots = set(), Counter()
    for seed in range(6):
        asset, outcome = storm(seed, contract, exchange, "value")
        assert_conserved(outcome.results[0], asset)
        makers |= set(outcome.results[0].fills["is_maker"].tolist())
        lots.update((seed, int(f["order_id"])) for f in outcome.results[0].fills)
    assert makers == {0, 1}
    assert len(lots) > 20
    assert (max(lots.values()) > 1) == (exchange == "partial fill")


def test_the_comparison_sees_one_unit_of_cash_too_much():
    asset, outcome = storm(0, "linear", "partial fill", "value")
    state = outcome.results[0].state.copy()
    state["cash_low"] += 1
    with pytest.raises(AssertionError):
        assert_conserved(replace(outcome.results[0], state=state), asset)


# --- the same again ---------------------------------------------------------------------------------------------------
@pytest.mark.slow
@settings(deadline=None, max_examples=10)
@given(SEEDS, st.sampled_from(list(CONTRACTS)), st.sampled_from(list(EXCHANGES)))
def test_two_runs_of_one_storm_are_equal_to_the_byte(seed, contract, exchange):
    assert storm(seed, contract, exchange, "value")[1].digest() == storm(seed, contract, exchange, "value")[1].digest()


@pytest.mark.slow
def test_another_process_leaves_the_same_bytes():
    command = [sys.executable, "-m", "tests.property.storm"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=True)
    assert result.stdout.split() == digests()
    assert len(set(digests())) == 4


# --- other assets, and the future ---------------------------------------------------------------------------------
def idle_asset(seed: int, busy: Tape) -> Asset:
    """Return an asset whose market lies within the time of another's."""
    tape = tape_of(seed, "linear")
    events = tape.to_events()
    is_within = np.ones(len(events), bool)
    for name in ("exch_ts", "local_ts"):
        is_within &= (events[name] >= busy.meta[f"first_{name}"]) & (events[name] <= busy.meta[f"last_{name}"])
    assert is_within.any()
    return Asset(Tape.build(events[is_within], tape.instrument, source="idle"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_idle_second_asset_changes_nothing_of_the_first(seed, exchange):
    asset = asset_of(seed, "linear", exchange, "value")
    actions = storm_of(seed, 100, waits_for_feed=False)  # a wait for the next feed ends with any asset's
    alone, beside = play([asset], actions), play([asset, idle_asset(seed + 100, asset.tape)], actions)
    assert beside.log == alone.log
    assert beside.results[0].fills.tobytes() == alone.results[0].fills.tobytes()
    assert beside.results[0].changes.tobytes() == alone.results[0].changes.tobytes()
    assert beside.results[0].state["position_lots"] == alone.results[0].state["position_lots"]
    assert len(beside.results[1].fills) == len(beside.results[1].changes) == 0


@pytest.mark.slow
@settings(deadline=None, max_examples=20)
@given(SEEDS, st.sampled_from(list(EXCHANGES)), st.integers(100, 700))
def test_a_longer_tape_does_not_change_what_came_before(seed, exchange, rows):
    actions = storm_of(seed, 120)
    short_asset, long_asset = (asset_of(seed, "linear", exchange, "value", rows=r) for r in (rows, None))
    short, long = play([short_asset], actions), play([long_asset], actions)
    meta = short_asset.tape.meta
    common_ts = min(meta["last_exch_ts"] or 0, meta["last_local_ts"] or 0)
    # Up to the first call that met the end of the short tape, or reached rows that only the long one has.
    known = next((i for i, entry in enumerate(short.log) if entry[0] == 1 or entry[1] >= common_ts), len(short.log))
    assert long.log[:known] == short.log[:known]
    # What is booked by then is the same; money after the end of the data is the short tape's own.
    booked = short.log[known - 1][3][3] if known else 0
    assert long.results[0].fills[:booked].tobytes() == short.results[0].fills[:booked].tobytes()
