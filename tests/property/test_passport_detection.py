"""No fault of a vendor's file passes unnoticed: markets are spoiled by kind and seed, and their passports say so.

The table of docs/passport.md is made here: fifty synthetic markets a kind. Recorded ones are spoiled with fewer seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from queuefront.core.enums import EXCH_EVENT
from queuefront.feed import SynthConfig, Tape, Verdict, convert_lines, passport_of, synthesize, synthetic_instrument
from tests.differential.recorded import feed
from tests.passport_faults import FAULTS, Events, Fault, judge

PAGE = Path(__file__).parents[2] / "docs" / "passport.md"
MARK = "<!-- made by tests/property/test_passport_detection.py -->\n"
SEEDS = 50


def market(seed: int) -> Events:
    return synthesize(SynthConfig(seed=seed, events=20_000))


@pytest.fixture(scope="module")
def markets() -> list[Events]:
    return [market(seed) for seed in range(SEEDS)]


def detected(fault: Fault, markets: list[Events]) -> int:
    outcomes = [judge(fault, events, synthetic_instrument(), seed) for seed, events in enumerate(markets)]
    assert all(o.is_suspected for o in outcomes), "a spoiled tape was called good"
    assert sum(o.bad_elsewhere for o in outcomes) == 0, "a span before the fault was called bad"
    return sum(o.is_detected for o in outcomes)


@pytest.mark.slow
def test_every_kind_of_fault_is_found_in_every_market(
    markets: list[Events], compare_golden: Callable[[Path, str], None]
) -> None:
    rows = ["| fault | what was done | found by | of 50 | at least |", "| --- | --- | --- | --- | --- |"]
    counts = {fault.name: detected(fault, markets) for fault in FAULTS}
    rows += [
        f"| {f.name} | {f.told} | {f.rules.replace(', ', ' or ')} | {counts[f.name]} | {f.least.word} |" for f in FAULTS
    ]
    assert set(counts.values()) == {SEEDS}
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    after = rest.partition(MARK)[2]
    compare_golden(PAGE, before + MARK + "\n" + "\n".join(rows) + "\n\n" + MARK + after)


@pytest.mark.slow
def test_clean_markets_raise_no_alarm(markets: list[Events]) -> None:
    for events in markets:
        passport = passport_of(Tape.build(events, synthetic_instrument(), source="clean"))
        assert passport.verdict == Verdict.GOOD
        assert passport.span_counts[Verdict.SUSPECT] == passport.span_counts[Verdict.BAD] == 0


RECORDED = {
    "usdm": ("binance-usdm", "binance_usdm_btcusdt_20240808.gz"),
    "coinm": ("binance-coinm", "binance_coinm_btcusd_perp_20240808.gz"),
    "spot": ("binance-spot", "binance_spot_btcusdt_20240808.gz"),
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Tape]:
    made = {}
    for name, (source, file) in RECORDED.items():
        conversion = convert_lines(source, feed(file))
        made[name] = Tape.build(conversion.events, conversion.instrument, source=name, account=conversion.account.to_dict())
    return made


@pytest.mark.slow
def test_recorded_markets_are_good_where_they_are(recorded: dict[str, Tape]) -> None:
    passports = {name: passport_of(tape) for name, tape in recorded.items()}
    assert all(passport.span_counts[Verdict.BAD] == 0 for passport in passports.values())
    assert passports["usdm"].span_counts[Verdict.SUSPECT] == passports["coinm"].span_counts[Verdict.SUSPECT] == 0
    # A bid of the spot recording's snapshot is never taken back, and stands above the market from 88 s on.
    assert {rule for k in range(36) for _, rule, _ in passports["spot"].reasons_of(k)} == {"crossed book", "wide spread"}
    assert max(passports["spot"].measures.columns["hidden_levels"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["usdm", pytest.param("coinm", marks=pytest.mark.soak)])
def test_recorded_markets_are_found_out_when_they_are_spoiled(recorded: dict[str, Tape], name: str) -> None:
    events = recorded[name].to_events()
    events = events[(events["ev"] & np.uint64(EXCH_EVENT)) != 0]
    for fault in FAULTS:
        outcomes = [judge(fault, events, recorded[name].instrument, seed) for seed in range(4)]
        assert all(o.is_suspected for o in outcomes), fault.name
        assert sum(o.is_detected for o in outcomes) >= (3 if fault.name in ("frozen", "shuffled") else 4), fault.name
