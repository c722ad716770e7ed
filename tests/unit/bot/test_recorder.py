"""A recorder keeps the state of every asset at each call, and grows."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.bot import Recorder
from queuefront.core import SAMPLE, ClosedError, ConfigError
from queuefront.core.enums import GTC, LIMIT
from tests.small_market import SECOND, T0, running


def test_a_new_recorder_has_no_rows():
    recorder = Recorder(2, 10)
    assert [len(recorder.get(k)) for k in range(2)] == [0, 0]
    assert recorder.get(0).dtype == SAMPLE


def test_a_row_is_the_state_at_the_call():
    hbt, recorder = running(), Recorder(1, 4)
    recorder.recorder.record(hbt)
    assert hbt.submit_buy_order(0, 1, 101.0, 2.0, GTC, LIMIT, True) == 0
    assert hbt.elapse(SECOND) == 0
    recorder.recorder.record(hbt)
    assert recorder.get(0).tolist() == [
        (T0 + SECOND, 100.5, 0.0, 0.0, 0.0, 0, 0.0, 0.0),
        (T0 + 2 * SECOND, 100.5, 2.0, -202.0, 0.0, 1, 2.0, 202.0),
    ]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_full_recorder_grows(size):  # D37 H3.19
    hbt, recorder = running(), Recorder(1, size)
    for _ in range(100):
        recorder.recorder.record(hbt)
        hbt.elapse(1)
    assert recorder.get(0)["timestamp"].tolist() == [T0 + SECOND + k for k in range(100)]


def test_rows_that_were_taken_are_a_copy():
    hbt, recorder = running(), Recorder(1, 1)
    recorder.recorder.record(hbt)
    rows = recorder.get(0)
    rows["price"] = -1.0
    recorder.recorder.record(hbt)
    assert len(rows) == 1
    assert recorder.get(0)["price"].tolist() == [100.5, 100.5]


def test_an_archive_holds_a_table_an_asset(tmp_path):
    hbt, recorder = running(), Recorder(1, 1)
    recorder.recorder.record(hbt)
    recorder.to_npz(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        assert archive.files == ["0"]
        assert archive["0"].tobytes() == recorder.get(0).tobytes()


@pytest.mark.parametrize("asset_no", [-1, 2, 2**40])
def test_a_number_that_is_no_assets_is_refused(asset_no):  # H3.19
    with pytest.raises(IndexError) as caught:
        Recorder(2, 1).get(asset_no)
    assert str(caught.value) == f"asset number {asset_no} is out of range; the recorder has 2 assets"


@pytest.mark.parametrize(("arguments", "name", "value"), [((0, 1), "num_assets", 0), ((1, -5), "record_size", -5)])
def test_a_size_that_is_not_positive_is_refused(arguments, name, value):
    with pytest.raises(ConfigError) as caught:
        Recorder(*arguments)
    assert str(caught.value) == f"{name} of a recorder is {value}; it must be positive"


def test_a_recorder_for_another_number_of_assets_refuses_the_backtest():
    recorder = Recorder(2, 1)
    with pytest.raises(ValueError, match="the recorder was made for another number of assets than the backtest has"):
        recorder.recorder.record(running())
    assert len(recorder.get(0)) == 0


def test_a_closed_backtest_is_not_recorded():
    hbt, recorder = running(), Recorder(1, 1)
    hbt.close()
    with pytest.raises(ClosedError):
        recorder.recorder.record(hbt)
    assert len(recorder.get(0)) == 0
