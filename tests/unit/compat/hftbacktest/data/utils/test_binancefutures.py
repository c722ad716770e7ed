"""The converter under the reference's name."""

import gzip
from pathlib import Path

import numpy as np

from queuefront.compat.hftbacktest.data.utils.binancefutures import convert
from queuefront.feed import convert_lines, read_events

LINES = (
    b'1723161255030314667 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255029,"T":1723161255028,'
    b'"s":"BTCUSDT","t":1,"p":"61650.3","q":"0.002","X":"MARKET","m":true}}\n'
)


def test_it_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    feed, out = tmp_path / "feed.gz", tmp_path / "out.npz"
    feed.write_bytes(gzip.compress(LINES))
    events = convert(str(feed), str(out))
    expected = convert_lines("binance-usdm", feed).events
    assert np.array_equal(events, expected)
    assert np.array_equal(read_events(out), expected)
    assert len(events) == 1
