"""The converter of Binance's archive under the reference's name."""

from pathlib import Path

from queuefront.compat.hftbacktest.data.utils.binancehistmktdata import convert, convert_snapshot
from queuefront.core import EVENT
from queuefront.feed import convert_binance_history, convert_binance_snapshot, read_records
from tests.unit.feed.sources.csv_files import file


def test_it_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    depth = file(tmp_path, "B,1700000000000,1,1,2,b,set,7,1\n", "depth.csv")
    trades = file(tmp_path, "1,8,2,16,1700000000000,true\n", "trades.csv")
    out = tmp_path / "out.npz"
    events = convert(str(depth), str(trades), str(out), feed_latency=5)
    assert events.tobytes() == convert_binance_history([trades, depth], feed_latency_ns=5).events.tobytes()
    assert read_records(out, EVENT).tobytes() == events.tobytes()
    rows = convert_snapshot(str(depth), str(out))
    assert rows.tobytes() == convert_binance_snapshot(depth).tobytes()
    assert read_records(out, EVENT).tobytes() == rows.tobytes()
