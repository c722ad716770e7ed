"""The converter under the reference's name."""

from pathlib import Path

import numpy as np

from queuefront.compat.hftbacktest.data.utils.mexc import convert
from queuefront.feed import convert_mexc, read_events
from tests.unit.feed.sources.raw_files import raw_file
from tests.unit.feed.sources.test_mexc import change, levels


def test_it_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    path, out = raw_file(tmp_path, change(bids=levels(("186.7", "2")))), tmp_path / "out.npz"
    events = convert(str(path), str(out))
    assert np.array_equal(events, convert_mexc(path).events)
    assert np.array_equal(read_events(out), events)
