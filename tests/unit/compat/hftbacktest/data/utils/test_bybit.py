"""The converters under the reference's names."""

from pathlib import Path

import numpy as np

from queuefront.compat.hftbacktest.data.utils.bybit import BybitDepthLevel, convert_depth, convert_fused
from queuefront.feed import convert_bybit, read_events
from tests.unit.feed.sources.raw_files import raw_file
from tests.unit.feed.sources.test_bybit import SNAPSHOT, trade, trades


def test_one_level_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    path, out = raw_file(tmp_path, SNAPSHOT, trades(trade())), tmp_path / "out.npz"
    events = convert_depth(str(path), str(out))
    assert np.array_equal(events, convert_bybit(path, level=50, tick_size=1, lot_size=1).events)
    assert np.array_equal(read_events(out), events)
    assert len(convert_depth(path, single_depth_level=BybitDepthLevel.LEVEL_1)) == 1


def test_fused_levels_return_and_write_what_the_converter_makes(tmp_path: Path) -> None:
    path, out = raw_file(tmp_path, SNAPSHOT, trades(trade())), tmp_path / "out.npz"
    events = convert_fused(str(path), str(out), tick_size=0.5, lot_size=1)
    assert np.array_equal(events, convert_bybit(path, tick_size="0.5", lot_size=1).events)
    assert np.array_equal(read_events(out), events)
