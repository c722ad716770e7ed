"""The converter of Bybit's archive under the reference's name."""

from pathlib import Path

from queuefront.compat.hftbacktest.data.utils.bybithistmktdata import convert
from queuefront.feed import convert_bybit_history, read_events
from tests.unit.feed.sources.csv_files import file
from tests.unit.feed.sources.test_bybit_history import HEAD, message


def test_it_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    depth = file(tmp_path, message("snapshot", '[["7","1"]]', "[]"), "ob.data")
    trades = file(tmp_path, HEAD + "1700000000.5,XRPUSDT,Sell,5,7.5,x,y,1,1,1\n", "trades.csv")
    out = tmp_path / "out.npz"
    events = convert(str(depth), str(trades), str(out), feed_latency=5)
    assert events.tobytes() == convert_bybit_history([depth, trades], feed_latency_ns=5).events.tobytes()
    assert read_events(out).tobytes() == events.tobytes()
