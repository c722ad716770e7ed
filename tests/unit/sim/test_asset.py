"""An asset as a user names it: how its tape is found, and what overrides do to it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from queuefront.core import DataError, OffGridError
from queuefront.sim import Asset, ValueFees
from tests.small_market import LINEAR, market


def test_an_asset_without_overrides_is_its_tape() -> None:
    tape = market()
    assert Asset(tape).load() is tape


def test_a_path_is_opened(tmp_path: Path) -> None:
    market().save(tmp_path / "a.tape")
    assert Asset(tmp_path / "a.tape").load().to_events().tobytes() == market().to_events().tobytes()
    assert Asset(str(tmp_path / "a.tape")).load().instrument == LINEAR


def test_a_path_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        Asset(tmp_path / "none.tape").load()


def test_another_contract_shares_the_columns_of_the_tape() -> None:
    tape = market()
    changed = Asset(tape, contract="inverse", multiplier=10).load()
    assert (changed.instrument.contract, changed.instrument.multiplier) == ("inverse", 10)
    assert np.shares_memory(changed.lots, tape.lots)


def test_another_grid_makes_the_tape_anew() -> None:
    changed = Asset(market(), tick_size="0.25", lot_size="0.5").load()
    assert changed.levels.tolist() == [400, 404]
    assert changed.lots.tolist() == [20, 20, 20, 20]
    assert changed.to_events().tobytes() == market().to_events().tobytes()


def test_a_grid_that_the_tape_does_not_fit_is_refused() -> None:
    with pytest.raises(OffGridError):
        Asset(market(), tick_size="3").load()


def test_an_assets_models_are_values() -> None:
    asset = Asset(market(), fees=ValueFees(0, 0))
    assert replace(asset, last_trades_capacity=5) != asset


def test_naming_an_asset_and_its_models_loads_no_compiled_code() -> None:
    code = (
        "import sys; import queuefront as qf; "
        "qf.Asset('a.tape', qf.ConstantLatency(1, 1), qf.LogQueue(), fees=qf.ValueFees()); "
        "print([name for name in ('numba', 'pyarrow', 'polars') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
