"""The Tardis converter under the reference's name."""

from pathlib import Path

import pytest

from queuefront.compat.hftbacktest.data.utils.tardis import convert, convert_fuse
from queuefront.core import ConfigError
from queuefront.feed import convert_tardis, read_events
from tests.unit.feed.sources.csv_files import tardis_file

AT = 1_700_000_000_000_000


def test_it_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    trades = tardis_file(tmp_path, "trades", f"{AT},1,buy,8,2")
    depth = tardis_file(tmp_path, "incremental_book_L2", f"{AT},false,ask,9,1")
    quotes = tardis_file(tmp_path, "quotes", f"{AT},1,9,7,1")
    out = tmp_path / "out.npz"
    events = convert([str(trades), str(depth)], str(out))
    assert events.tobytes() == convert_tardis([trades, depth]).events.tobytes()
    assert read_events(out).tobytes() == events.tobytes()
    fused = convert_fuse(str(trades), str(depth), str(quotes), 1.0, 1.0, str(out))
    assert fused.tobytes() == convert_tardis([trades, depth, quotes], fuse=True, tick_size=1, lot_size=1).events.tobytes()
    assert read_events(out).tobytes() == fused.tobytes()


def test_a_book_ticker_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        convert([tardis_file(tmp_path, "quotes", f"{AT},1,9,7,1")])
    assert str(caught.value) == "book tickers are put into the depth by convert_fuse; leave them out or use that"
