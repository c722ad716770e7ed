"""`qf synth`: the same seed, the same bytes."""

from __future__ import annotations

from pathlib import Path

from queuefront.feed import Tape
from queuefront.paper import Listing
from queuefront.paper.listing import list_market
from queuefront.paper.rules import rules_of
from tests.unit.cli.runs import qf


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.npz" for i in range(3)]
    for path, seed in zip(paths, (5, 5, 6), strict=True):
        assert qf("synth", "-o", path, "--events", 1000, "--seed", seed).code == 0
    first, second, third = (path.read_bytes() for path in paths)
    assert first == second
    assert first != third


def test_the_options_reach_the_market(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    ran = qf("synth", "-o", path, "--events", 1000, "--tick-size", "0.5", "--lot-size", "0.01", "--levels", 10)
    assert ran.code == 0
    assert "events 1,000" in ran.rows
    tape = Tape.open(path)
    assert (str(tape.instrument.tick_size), str(tape.instrument.lot_size)) == ("0.5", "0.01")
    assert tape.meta["counts"]["snapshot"] == 20
    assert tape.meta["source"] == "synthetic, seed 1"


def test_an_inverse_market_is_one_that_the_coin_margined_paper_exchange_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    ran = qf("synth", "-o", path, "--events", 1000, "--contract", "inverse", "--multiplier", "100", "--lot-size", "1")
    assert (ran.code, ran.err) == (0, "")
    assert "multiplier 100" in ran.rows
    market, _ = list_market(Listing(path, "BTCUSD_PERP"), rules_of("binance-coinm"))
    assert (market.asset, market.instrument.multiplier) == ("BTC", 100)


def test_an_unknown_contract_is_refused(tmp_path: Path) -> None:
    ran = qf("synth", "-o", tmp_path / "a.tape", "--events", 1000, "--contract", "quanto")
    assert ran.code == 2
    assert "quanto" in ran.err
    assert "linear" in ran.err


def test_a_market_by_order_is_drawn_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    ran = qf("synth", "-o", path, "--events", 1000, "--by-order")
    assert (ran.code, ran.err) == (0, "")
    assert Tape.open(path).is_by_order


def test_a_market_that_cannot_be_is_refused(tmp_path: Path) -> None:
    ran = qf("synth", "-o", tmp_path / "a.tape", "--events", 5)
    assert (ran.code, ran.err) == (2, "qf synth: events is 5; the opening snapshot alone takes 62\n")


def test_an_existing_output_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    path.touch()
    assert qf("synth", "-o", path, "--events", 1000).code == 2
    assert qf("synth", "-o", path, "--events", 1000, "-f").code == 0
