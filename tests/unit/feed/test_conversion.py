"""Accounts are plain data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from queuefront.core import EVENT, Instrument
from queuefront.feed.conversion import Conversion, ConversionAccount, Gap, Refusal, VenueMessage


def test_an_account_can_be_written_as_json():
    account = ConversionAccount("binance-usdm", "a.gz")
    account.refused.append(Refusal(3, "no", "text"))
    account.gaps.append(Gap("time", 4, 5, 6))
    account.venue_messages.append(VenueMessage(5, "-1003 slow down"))
    data = json.loads(json.dumps(account.to_dict()))
    assert data["refused"] == [{"line": 3, "reason": "no", "text": "text"}]
    assert data["gaps"] == [{"kind": "time", "line": 4, "local_ts": 5, "size": 6}]
    assert data["venue_messages"] == [{"line": 5, "text": "-1003 slow down"}]


def test_a_conversion_holds_events_and_nothing_else():
    market = Instrument("v", "S", "1", "1")
    assert len(Conversion(np.zeros(0, EVENT), ConversionAccount("s", "p"), market).events) == 0
    with pytest.raises(AssertionError):
        Conversion(np.zeros(1), ConversionAccount("s", "p"), market)
