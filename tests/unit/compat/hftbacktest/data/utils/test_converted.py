"""A conversion is handed out as hftbacktest does: its rows, and a file if it has a name."""

from __future__ import annotations

import numpy as np

from queuefront.compat.hftbacktest.data.utils.converted import ANY_GRID, converted
from queuefront.feed import convert_hyperliquid
from tests.unit.feed.sources.raw_files import raw_file
from tests.unit.feed.sources.test_hyperliquid import FIRST


def test_rows_are_returned_and_written_if_there_is_a_name(tmp_path):
    conversion = convert_hyperliquid(raw_file(tmp_path, FIRST), **ANY_GRID)
    rows = converted(conversion, None)
    assert rows.tobytes() == conversion.events.tobytes()
    assert [path.suffix for path in tmp_path.iterdir()] == [".gz"]
    converted(conversion, tmp_path / "rows.npz")
    assert np.load(tmp_path / "rows.npz")["data"].tobytes() == rows.tobytes()


def test_any_grid_changes_no_price_and_no_quantity(tmp_path):
    rows = convert_hyperliquid(raw_file(tmp_path, FIRST), **ANY_GRID).events
    assert rows["px"].tolist() == [100.0, 99.0, 97.0, 101.0, 102.0]
    assert rows["qty"].tolist() == [1.0, 2.0, 2.0, 3.0, 1.0]
