"""The migration under the reference's name."""

from pathlib import Path

import numpy as np

from queuefront.compat.hftbacktest.data.utils.migration2 import convert
from queuefront.feed import read_events


def test_a_file_in_a_file_out(tmp_path: Path) -> None:
    old, out = tmp_path / "old.npz", tmp_path / "new.npz"
    np.savez_compressed(old, data=np.array([(1.0, 5.0, 6.0, 1.0, 2.0, 3.0)]))
    events = convert(str(old), str(out), ts_mul=1000.0)
    assert events["exch_ts"].tolist() == [5000]
    assert read_events(out).tobytes() == events.tobytes()
