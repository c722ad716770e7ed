"""The state of a replayed asset before its first event."""

import numpy as np

from queuefront.core import EVENT, Instrument
from queuefront.feed import Tape
from queuefront.sim import Asset, build_backtester, read_results


def test_an_asset_starts_flat_with_nothing_recorded_or_pending() -> None:
    asset = Asset(Tape.build(np.zeros(0, EVENT), Instrument("t", "T", 1, 1), source="nothing"))
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape])
    assert hbt.elapse(1) == 1  # H3.8: no rows, no events, the end at once
    result = read_results(hbt, handles, [asset], [tape])[0]
    state = result.state[0]
    assert (state["position_lots"], state["cash_high"], state["cash_low"], state["num_trades"]) == (0, 0, 0, 0)
    assert (len(result.fills), len(result.changes), len(result.samples)) == (0, 0, 1)
    assert len(hbt.orders(0)) == 0
