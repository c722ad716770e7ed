"""Made-up latencies under the reference's name."""

from pathlib import Path

import numpy as np

from queuefront.compat.hftbacktest.data.utils.feed_order_latency import generate_order_latency, order_latency_dtype
from queuefront.core import EVENT
from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT, TRADE_EVENT
from queuefront.feed import read_latencies, write_npz


def test_a_file_in_a_file_out(tmp_path: Path) -> None:
    events = np.zeros(1, EVENT)
    events["ev"], events["exch_ts"], events["local_ts"] = TRADE_EVENT | EXCH_EVENT | LOCAL_EVENT, 1000, 1010
    feed, out = tmp_path / "feed.npz", tmp_path / "latency.npz"
    write_npz(feed, events)
    rows = generate_order_latency(str(feed), str(out), mul_entry=3, offset_resp=5)
    assert rows.dtype == order_latency_dtype
    assert rows[0].tolist() == (1010, 1040, 1055, 0)
    assert read_latencies(out).tobytes() == rows.tobytes()
