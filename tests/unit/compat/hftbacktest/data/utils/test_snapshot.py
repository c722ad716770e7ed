"""The end-of-day snapshot under the reference's name."""

from pathlib import Path

import numpy as np

from queuefront.compat.hftbacktest.data.utils.snapshot import create_last_snapshot
from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, LOCAL_EVENT
from queuefront.feed import read_events, write_npz


def test_files_in_a_file_out(tmp_path: Path) -> None:
    events = np.zeros(1, EVENT)
    events["ev"], events["px"], events["qty"] = DEPTH_EVENT | BUY_EVENT | LOCAL_EVENT, 0.3, 1.0
    feed, out = tmp_path / "day.npz", tmp_path / "eod.npz"
    write_npz(feed, events)
    snapshot = create_last_snapshot([str(feed)], tick_size=0.1, lot_size=1.0, output_snapshot_filename=str(out))
    assert snapshot["px"].tolist() == [0.3]
    assert read_events(out).tobytes() == snapshot.tobytes()
