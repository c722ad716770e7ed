"""What a market stream hands on."""

from __future__ import annotations

import numpy as np

from queuefront.core import EVENT
from queuefront.venues.market_events import MarketEvents


def test_events_without_a_notice_are_only_rows() -> None:
    events = MarketEvents("BTCUSDT", "trade", 2, 1, False, np.zeros(1, EVENT))
    assert (events.notice, events.reason) == (None, "")
