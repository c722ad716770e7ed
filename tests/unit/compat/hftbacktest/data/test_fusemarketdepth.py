"""The fused book under the reference's name."""

import numpy as np
import pytest

from queuefront.compat.hftbacktest.data import FuseMarketDepth
from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_BBO_EVENT, DEPTH_EVENT, TRADE_EVENT


def test_rows_are_fused_one_at_a_time() -> None:
    events = np.zeros(3, EVENT)
    events["ev"] = [DEPTH_EVENT | BUY_EVENT, DEPTH_BBO_EVENT | BUY_EVENT, TRADE_EVENT | BUY_EVENT]
    events["exch_ts"], events["px"], events["qty"] = [1, 2, 3], [50.5, 50.0, 1.0], [1.0, 2.0, 1.0]
    depth = FuseMarketDepth(0.5, 0.1)
    depth.process_event(events, np.uint64(0), True)
    depth.process_event(events, 1.0, True)
    assert depth.fused_events["px"].tolist() == [50.5, 50.0, 50.5]
    with pytest.raises(ValueError, match="is of no kind that a book is made of"):
        depth.process_event(events, 2, True)
    depth.close()
    depth.close()
