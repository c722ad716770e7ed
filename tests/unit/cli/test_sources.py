"""Input files of events and their grid."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.cli.sources import grid_instrument, read_events_of, require_npz
from queuefront.core import ConfigError
from tests.unit.cli.runs import market


@pytest.mark.parametrize("suffix", [".tape", ".npz", ".parquet"])
def test_events_are_read_from_each_kind_of_file(tmp_path: Path, suffix: str) -> None:
    assert len(read_events_of(market(tmp_path, suffix=suffix))) >= 2_000


def test_a_tape_knows_its_grid_and_options_override_it(tmp_path: Path) -> None:
    tape = market(tmp_path)
    assert str(grid_instrument([tmp_path / "a.npz", tape], None, None, "A").tick_size) == "0.1"
    assert str(grid_instrument([tape], "0.5", None, "A").tick_size) == "0.5"


def test_other_files_take_the_grid_of_the_options(tmp_path: Path) -> None:
    instrument = grid_instrument([tmp_path / "a.npz"], "0.5", "1", "BTC")
    assert (instrument.symbol, str(instrument.tick_size), str(instrument.lot_size)) == ("BTC", "0.5", "1")


@pytest.mark.parametrize(("tick", "option"), [(None, "--tick-size"), ("0.5", "--lot-size")])
def test_without_a_tape_the_grid_must_be_given(tmp_path: Path, tick: str | None, option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        grid_instrument([tmp_path / "a.npz"], tick, None, "A")
    assert str(caught.value) == f"none of the files is a tape, which would know the grid; give {option}"


def test_an_output_of_another_kind_is_refused() -> None:
    require_npz(Path("eod.npz"))
    with pytest.raises(ConfigError) as caught:
        require_npz(Path("eod.tape"))
    assert str(caught.value) == "eod.tape: the output is records in a .npz file; choose a name that ends in .npz"
