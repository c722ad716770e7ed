"""What an explanation says of an order is what comes out when it is sent again: as it was, and earlier."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import queuefront as qf
from queuefront.core.enums import BUY, CANCELED, NEW
from queuefront.report import Explanation
from tests.differential.markets import Feed, feed_is_recorded
from tests.differential.storms import FEEDS

MS = 1_000_000
EXAMPLES = Path(__file__).parents[2] / "examples"


def grid_strategy() -> Any:
    spec = importlib.util.spec_from_file_location("explained_grid", EXAMPLES / "grid.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.strategy


def synthetic_asset(**models: Any) -> qf.Asset:
    tape = qf.Tape.build(
        qf.synthesize(qf.SynthConfig(events=40_000, seed=3)), qf.synthetic_instrument(), source="synthetic"
    )
    return qf.Asset(tape, latency=qf.ConstantLatency(10 * MS, 10 * MS), **models)


def recorded_asset() -> qf.Asset:
    if not feed_is_recorded("usdm"):
        pytest.skip("the recorded BTC feed is not here")
    events = Feed("usdm", 120_000).events()
    tick, lot = FEEDS["usdm"][0]
    instrument = qf.Instrument("binance-usdm", "BTCUSDT", str(tick), str(lot))
    tape = qf.Tape.build(events, instrument, source="recorded", off_grid="round")
    return qf.Asset(tape, latency=qf.ConstantLatency(10 * MS, 10 * MS), queue=qf.PowerQueue3(3.0))


def uses(run: qf.Run) -> list[tuple[int, int]]:
    """Return (order id, time sent) of every order of a run."""
    changes = run.results[0].changes
    sent = changes[(changes["is_response"] == 0) & (changes["req"] == NEW)]
    return [(int(c["order_id"]), int(c["local_ts"])) for c in sent]


def story_of(run: qf.Run, order_id: int, sent_ts: int) -> np.ndarray:
    """Return what was answered about one order: up to the next one of its id."""
    own = run.results[0].changes
    own = own[(own["order_id"] == order_id) & (own["local_ts"] >= sent_ts)]
    later = np.flatnonzero((own["is_response"] == 0) & (own["req"] == NEW))
    return own[: later[1]] if len(later) > 1 else own


def resend(asset: qf.Asset, own: np.ndarray, earlier_ns: int) -> tuple[float | None, float, int | None]:
    """Send an order alone and so much earlier, with the latencies of its asset, and cancel it when it was canceled.

    Return what was ahead of it, what was filled of it, and when at last.
    """
    order, cancels = own[0], own[(own["is_response"] == 0) & (own["req"] == CANCELED)]

    def strategy(hbt: Any) -> None:
        hbt.elapse(int(order["local_ts"]) - earlier_ns - int(hbt.current_timestamp))
        send = hbt.submit_buy_order if order["side"] == BUY else hbt.submit_sell_order
        price = float(asset.load().instrument.tick_to_price(int(order["price_tick"])))
        qty = float(asset.load().instrument.lots_to_qty(int(order["order_lots"])))
        send(0, 1, price, qty, int(order["time_in_force"]), int(order["order_type"]), False)
        for cancel in cancels:
            hbt.elapse(int(cancel["local_ts"]) - int(hbt.current_timestamp))
            hbt.cancel(0, 1, False)
        hbt._goto_end()

    run = qf.Backtest([asset], trace=True).run(strategy)
    fills, changes = run.results[0].fills, run.results[0].changes
    rested = changes["qty_ahead"][(changes["is_response"] == 1) & (changes["status"] == NEW)]
    return (
        float(rested[0]) if len(rested) else None,
        float(asset.load().instrument.lots_to_qty(int(fills["lots"].sum()))),
        int(fills["exch_ts"][-1]) if len(fills) else None,
    )


def filled_of(run: qf.Run, own: np.ndarray) -> int:
    """Return the lots that the strategy itself got of an order."""
    fills = run.results[0].fills
    is_own = (fills["order_id"] == own["order_id"][0]) & (fills["local_ts"] >= own["local_ts"][0])
    return int(fills["lots"][is_own & (fills["local_ts"] <= own["local_ts"][-1])].sum())


def explained(run: qf.Run, order_id: int, sent_ts: int) -> Explanation:
    return run.explain(order_id, at=sent_ts)


def depends_on_arrival(explanation: Explanation) -> bool:
    return len({(o.qty_ahead, o.filled_qty) for o in explanation.outcomes}) > 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["synthetic", "recorded"])
def test_an_earlier_order_comes_to_what_is_said_when_it_is_sent_earlier(kind: str) -> None:
    asset = synthetic_asset() if kind == "synthetic" else recorded_asset()
    run = qf.Backtest([asset], trace=True).run(grid_strategy(), 10, 10, 1, 1)
    orders = uses(run)
    filled = {(int(f["order_id"]), int(f["exch_ts"])) for f in run.results[0].fills}
    some = sorted(filled)[:: len(filled) // 8]
    chosen = [(i, max(sent for o, sent in orders if o == i and sent <= ts)) for i, ts in some]
    chosen += [use for use in orders[:100] if depends_on_arrival(explained(run, *use))][:4]
    chosen += [orders[int(i)] for i in np.random.default_rng(4).integers(0, len(orders), 4)]
    differ = came_to_fill = 0
    for order_id, sent_ts in chosen:
        explanation, own = explained(run, order_id, sent_ts), story_of(run, order_id, sent_ts)
        found = [(o.qty_ahead, o.filled_qty, o.filled_ts) for o in explanation.outcomes]
        # As it came: what the whole strategy got, whose orders do not see one another here.
        asset_lots = float(asset.load().instrument.lots_to_qty(filled_of(run, own)))
        assert found[0][1] == asset_lots
        for outcome, shown in zip(explanation.outcomes, found, strict=True):
            assert shown == resend(asset, own, outcome.earlier_ns), (explanation.title, outcome.earlier_ns)
        differ += depends_on_arrival(explanation)
        came_to_fill += found[0][1] > 0
    assert came_to_fill >= 6
    assert differ >= 2  # to come earlier made a difference
