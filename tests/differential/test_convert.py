"""Conversions of recorded feeds equal hftbacktest's, row for row."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from queuefront.core.enums import KIND_MASK
from queuefront.feed import check_events, convert_lines
from tests.differential.recorded import feed


def reference(path: Path, monkeypatch: pytest.MonkeyPatch, **options: object) -> np.ndarray:
    from hftbacktest.data.utils import binancefutures

    with contextlib.redirect_stdout(io.StringIO()):
        return binancefutures.convert(str(path), buffer_size=2_000_000, **options)


@pytest.mark.slow
@pytest.mark.parametrize("opt", ["", "t"])
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("binance-usdm", "binance_usdm_btcusdt_20240808.gz"),
        ("binance-coinm", "binance_coinm_btcusd_perp_20240808.gz"),
    ],
)
def test_futures_equal_the_reference_to_the_byte(source, name, opt, monkeypatch):
    path = feed(name)
    conversion = convert_lines(source, path, opt=opt, base_latency_ns=1000)
    wanted = reference(path, monkeypatch, opt=opt, base_latency=1000)
    assert conversion.events.tobytes() == wanted.tobytes()
    assert conversion.account.refused_count == 0
    assert conversion.account.gap_count == 0
    assert str(conversion.instrument.tick_size) == "0.1"


@pytest.mark.slow
def test_spot_is_converted_without_a_fault():
    path = feed("binance_spot_btcusdt_20240808.gz")
    conversion = convert_lines("binance-spot", path, lot_size="0.00001", opt="t")
    account = conversion.account
    assert account.lines == 41_249
    assert account.lines_by_kind == {"trade": 9757, "depthUpdate": 3451, "bookTicker": 28_040, "snapshot": 1}
    assert (account.refused_count, account.gap_count) == (0, 0)
    market = conversion.events[(conversion.events["ev"] & np.uint64(KIND_MASK)) < 100]
    assert check_events(market).ok
    assert str(conversion.instrument.tick_size) == "0.01"
