"""Letters, prices, refusals and silence of Databento's records."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import DataFormatError
from queuefront.feed.conversion import ConversionAccount, Gap
from queuefront.feed.sources.databento_records import (
    UNDEF_PRICE,
    Silence,
    codes_of,
    prices_of,
    refuse_records,
    time_faults,
)
from queuefront.feed.sources.dbn import SCHEMAS


def test_letters_without_a_code_are_told():
    table = codes_of({"A": 5})
    assert (int(table[ord("A")]), int(table[ord("B")]), len(table)) == (5, -1, 256)


def test_prices_are_the_nearest_floats_and_undefined_ones_none():
    prices = prices_of(np.array([5_155_500_000_000, 1, -1, UNDEF_PRICE, 9_007_199_254_740_993]))
    assert prices[:3].tolist() == [5155.5, 1e-9, -1e-9]
    assert np.isnan(prices[3])
    assert prices[4] == 9_007_199.254740993


def test_records_with_times_beyond_int64_are_refused_and_told_without_an_order():
    """H0.5."""
    records = np.zeros(3, SCHEMAS["trades"].record)
    records["ts_recv"] = records["ts_event"] = 1_715_126_400_000_000_000
    records["ts_recv"][1] = 2**64 - 1
    account = ConversionAccount("databento", "f")
    number = np.array([10, 20, 30])
    refused = refuse_records(records, number, time_faults(records), account, stops=False)
    assert refused.tolist() == [False, True, False]
    assert account.refused[0].line == 21
    assert account.refused[0].text == "ts_recv 18446744073709551615, sequence 0"
    with pytest.raises(DataFormatError) as caught:
        refuse_records(records, number, time_faults(records), account, stops=True)
    assert str(caught.value) == (
        "f: record 21, field ts_recv: 18446744073709551615 is no time in ns between 1990-01-01 and 2100-01-01; "
        "fetch the file again or convert with on_bad='skip'"
    )


def test_silence_is_a_gap_before_its_record():
    rows = np.zeros(3, [("local_ts", np.int64)])
    rows["local_ts"] = [1, 2, 50]
    account = ConversionAccount("databento", "f", gap_threshold_ns=10)
    silence = Silence(account)
    silence.take(rows[:2], np.array([0, 1]))
    silence.take(rows[:0], np.array([], np.int64))
    silence.take(rows[2:], np.array([7]))
    assert account.gaps == [Gap("time", 8, 50, 48)]
