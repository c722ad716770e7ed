"""The fused book under the reference's name."""

from typing import Any

import numpy as np
import pytest
from numba import njit

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


@njit
def fuse(events: Any, tick_size: Any, lot_size: Any) -> Any:
    depth = FuseMarketDepth(tick_size, lot_size)
    for i in range(len(events)):
        depth.process_event(events, i, True)
    rows = depth.fused_events
    depth.close()
    return rows


def test_a_compiled_function_makes_and_feeds_one() -> None:
    events = np.zeros(2, EVENT)
    events["ev"] = [DEPTH_EVENT | BUY_EVENT, DEPTH_BBO_EVENT | BUY_EVENT]
    events["exch_ts"], events["px"], events["qty"] = [1, 2], [50.5, 50.0], [1.0, 2.0]
    assert fuse(events, 0.5, 1)["px"].tolist() == [50.5, 50.0, 50.5]


@njit
def feed_it(depth: Any, events: Any) -> None:
    depth.process_event(events, np.uint64(0), True)


def test_a_compiled_function_is_given_one() -> None:
    events = np.zeros(1, EVENT)
    events["ev"], events["px"], events["qty"] = DEPTH_EVENT | BUY_EVENT, 50.5, 1.0
    depth = FuseMarketDepth(tick_size=0.5, lot_size=1)
    feed_it(depth, events)
    assert len(depth.fused_events) == 1
