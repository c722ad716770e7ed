"""The converter under the reference's name."""

from pathlib import Path

import numpy as np

from queuefront.compat.hftbacktest.data.utils.hyperliquid import convert
from queuefront.feed import convert_hyperliquid, read_events
from tests.unit.feed.sources.raw_files import raw_file
from tests.unit.feed.sources.test_hyperliquid import FIRST, trade, trades


def test_it_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    path, out = raw_file(tmp_path, FIRST, trades(trade())), tmp_path / "out.npz"
    events = convert(str(path), 1.0, 1.0, output_filename=str(out))
    assert np.array_equal(events, convert_hyperliquid(path, tick_size=1, lot_size=1).events)
    assert np.array_equal(read_events(out), events)
