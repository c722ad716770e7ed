from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core import ConfigError, Instrument
from queuefront.core.enums import CANCELED, EXPIRED, FILLED, NEW, PARTIALLY_FILLED
from queuefront.report.frames import equity_frame, fills_frame
from queuefront.report.stats import SR, LinearAssetRecord, Sortino
from queuefront.report.summary import AssetSummary, Summary, as_list, summarize
from tests.unit.report.records import INVERSE, LINEAR, OTHER, SECOND, T0, changes, fills, random_samples, samples

EMPTY_FILLS = fills_frame(fills(), LINEAR, 1, 1)


def of(sample_rows: list[dict], fill_rows: list[dict] | None = None, **more) -> AssetSummary:
    equity = equity_frame(samples(*sample_rows), LINEAR)
    summary = summarize(equity, fills_frame(fills(*(fill_rows or [])), LINEAR, "0.01", "0.01"), LINEAR, **more)
    assert summary.total is summary.assets[0]
    return summary.assets[0]


def orders_of(*rows: dict) -> AssetSummary:
    return of([{}], orders=changes(*rows))


def sent(order_id: int = 1, at: int = 0) -> dict:
    return {"order_id": order_id, "local_ts": T0 + at, "req": NEW}


def answer(status: int, order_id: int = 1, at: int = 30, exch: int = 10, **more: int) -> dict:
    exch_ts = T0 + exch if exch else 0
    return {"order_id": order_id, "local_ts": T0 + at, "exch_ts": exch_ts, "is_response": 1, "status": status} | more


def test_money_is_the_change_between_the_first_and_last_sample() -> None:
    asset = of([{"balance": 5.0, "fee": 1.0}, {"balance": 4.0, "fee": 1.5}, {"balance": 11.0, "fee": 3.0}])
    assert (asset.gross_profit, asset.fees, asset.net_profit) == (6.0, 2.0, 4.0)
    assert asset.max_drawdown == 1.5
    assert (asset.start_ts, asset.end_ts, asset.samples, asset.duration_ns) == (T0, T0 + 2 * SECOND, 3, 2 * SECOND)


def test_fills_are_counted_and_valued() -> None:
    rows = [
        {"amount": 300, "lots": 1},
        {"amount": 100, "lots": 2, "is_maker": 0, "arrival_qty_ahead": np.nan},
        {"arrival_qty_ahead": 10.0},
    ]
    asset = of([{}, {"balance": 3.0, "timestamp": T0 + 3 * SECOND}], rows)
    assert (asset.fills, asset.value, asset.volume) == (3, 6.0, 0.013)
    assert asset.maker_share == 5 / 6
    assert asset.return_over_value == 0.5
    assert (asset.mean_queue_ahead, asset.median_queue_ahead) == (7.0, 7.0)


def test_positions_are_weighted_by_time_and_the_largest_may_lie_between_samples() -> None:
    rows = [
        {"position": -2.0},
        {"position": 4.0, "timestamp": T0 + SECOND},
        {"position": 1.0, "timestamp": T0 + 4 * SECOND},
    ]
    asset = of(rows, [{"position_lots": -9_000}])
    assert (asset.max_position, asset.mean_position, asset.final_position) == (9.0, 3.5, 1.0)


def test_a_single_sample_has_a_position_and_no_ratios() -> None:
    asset = of([{"position": -2.0}])
    assert (asset.max_position, asset.mean_position, asset.final_position) == (2.0, 2.0, -2.0)
    assert (asset.net_profit, asset.sharpe, asset.sortino) == (0.0, None, None)


def test_evenly_sampled_ratios_equal_the_statistics() -> None:
    data = random_samples(600, 1)
    equity = equity_frame(data, Instrument("v", "s", 1, 1))
    asset = summarize(equity, EMPTY_FILLS, LINEAR).assets[0]
    row = LinearAssetRecord(data).stats([SR, Sortino], trading_days_per_year=365).splits[0]
    assert (asset.sharpe, asset.sortino) == (pytest.approx(row["SR"], rel=1e-11), pytest.approx(row["Sortino"], rel=1e-11))


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(-9, 9)), min_size=2, max_size=30))
def test_an_interval_without_a_sample_counts_as_no_change(steps: list[tuple[int, int]]) -> None:
    times = np.cumsum([gap for gap, _ in steps])
    rows = [{"timestamp": T0 + int(t) * SECOND, "balance": float(b)} for t, (_, b) in zip(times, steps, strict=True)]
    asset = of(rows, sharpe_interval="10s", trading_days_per_year=252)
    # The naive way: write every interval down.
    windows = {}
    for row in rows:
        windows[row["timestamp"] // (10 * SECOND)] = row["balance"]
    every, last = [], 0.0
    for window in range(min(windows), max(windows) + 1):
        last = windows.get(window, last)
        every.append(last)
    change = np.diff(every)
    yearly = math.sqrt(8640 * 252)
    if len(change) < 2 or np.std(change, ddof=1) < 1e-12:
        assert asset.sharpe is None or len(change) >= 2
        return
    assert asset.sharpe == pytest.approx(np.mean(change) / np.std(change, ddof=1) * yearly, rel=1e-9, abs=1e-9)
    losses = math.sqrt(np.mean(np.minimum(0, change) ** 2))
    assert asset.sortino == (pytest.approx(np.mean(change) / losses * yearly, rel=1e-9, abs=1e-9) if losses else None)


def test_a_flat_run_has_no_ratios() -> None:
    asset = of([{"timestamp": T0 + i * 10 * SECOND} for i in range(5)])
    assert (asset.sharpe, asset.sortino, asset.max_drawdown, asset.return_over_value) == (None, None, 0.0, None)


def test_orders_are_counted_by_what_became_of_them() -> None:
    asset = orders_of(
        sent(1), answer(NEW, 1), answer(FILLED, 1, exec_lots=10),
        sent(2), answer(NEW, 2), answer(PARTIALLY_FILLED, 2, exec_lots=4), answer(CANCELED, 2),
        sent(3), answer(NEW, 3), answer(CANCELED, 3),
        sent(4), answer(EXPIRED, 4),
        sent(5),
    )  # fmt: skip
    orders = asset.orders
    assert orders is not None
    assert (orders.submitted, orders.filled, orders.partly_filled, orders.canceled, orders.expired) == (5, 1, 1, 2, 1)
    assert (asset.fill_rate, asset.cancel_ratio) == (0.2, 0.4)


def test_an_order_id_used_again_is_another_order() -> None:
    asset = orders_of(sent(1), answer(FILLED, 1), sent(1, at=50), answer(CANCELED, 1, at=90, exch=60))
    assert asset.orders is not None
    assert (asset.orders.submitted, asset.orders.filled, asset.orders.canceled) == (2, 1, 1)


def test_latencies_are_those_of_the_first_answer_of_the_exchange() -> None:
    rows = (
        sent(1),
        answer(NEW, 1, at=30, exch=10),
        answer(FILLED, 1, at=900, exch=800),
        sent(2, at=100),
        answer(NEW, 2, at=160, exch=130),
    )
    orders = orders_of(*rows).orders
    assert orders is not None
    assert (orders.answered, orders.mean_entry_latency_ns, orders.mean_response_latency_ns) == (2, 20.0, 25.0)


def test_an_order_refused_on_the_way_has_no_latency() -> None:
    orders = orders_of(sent(1), answer(EXPIRED, 1, exch=0)).orders
    assert orders is not None
    assert (orders.submitted, orders.answered, orders.mean_entry_latency_ns) == (1, 0, None)


def test_changes_of_an_order_submitted_earlier_are_not_a_submission() -> None:
    asset = orders_of(answer(CANCELED, 7))
    assert asset.orders is not None
    assert (asset.orders.submitted, asset.fill_rate) == (0, None)


def test_without_order_changes_rates_are_unknown() -> None:
    asset = of([{}])
    assert (asset.orders, asset.fill_rate, asset.cancel_ratio) == (None, None, None)


def test_without_samples_profit_is_unknown_and_fills_are_counted() -> None:
    asset = of([], [{}])
    assert (asset.fills, asset.net_profit, asset.duration_ns, asset.mean_position, asset.max_position) == (
        1,
        None,
        None,
        None,
        0.01,
    )
    assert asset.notes == ("No samples were recorded, so profit and position over time are unknown.",)
    assert of([]).max_position is None


def test_samples_without_a_price_at_the_end_are_noted() -> None:
    hole = {"price": np.nan, "position": 1.0}
    asset = of([{}, {"balance": 2.0}, hole, hole])
    assert asset.net_profit == 2.0
    assert asset.notes == ("Of the last 2 samples the price is unknown: profit is as of 2023-11-14T22:13:21.000000000Z.",)


def test_a_run_without_any_price_is_noted() -> None:
    asset = of([{"price": np.nan, "position": 1.0}])
    assert (asset.net_profit, asset.samples) == (None, 1)
    assert asset.notes == ("No sample has a price while a position is open, so profit is unknown.",)


def test_fills_outside_the_samples_are_noted() -> None:
    asset = of(
        [{"timestamp": T0 + SECOND}], [{"local_ts": T0}, {"local_ts": T0 + 9 * SECOND}, {"local_ts": T0 + 9 * SECOND}]
    )
    assert asset.notes == (
        "1 fill happened before the first sample: not all that was earned is in the profit.",
        "2 fills happened after the last sample: not all that was earned is in the profit.",
    )


def two(first: Instrument, second: Instrument, **more) -> Summary:
    equities = [equity_frame(samples({}, {"balance": b}, every_ns=20 * SECOND), first) for b in (3.0, -1.0)]
    fills_list = [fills_frame(fills({"amount": a}), first, "0.01", "0.01") for a in (300, 100)]
    return summarize(equities, fills_list, [first, second], **more)


def test_assets_of_one_currency_are_added_up() -> None:
    orders = [changes(sent(), answer(status)) for status in (FILLED, CANCELED)]
    total = two(LINEAR, OTHER, orders=orders).total
    assert total is not None
    assert (total.name, total.currency, total.net_profit, total.fills, total.value) == ("Total", "USDT", 2.0, 2, 4.0)
    assert (total.maker_share, total.return_over_value) == (1.0, 0.5)
    assert (total.volume, total.max_position, total.mean_queue_ahead) == (None, None, None)
    assert total.orders is not None
    assert (total.orders.submitted, total.fill_rate, total.orders.mean_entry_latency_ns) == (2, 0.5, 10.0)


def test_without_order_changes_the_total_has_none_either() -> None:
    total = two(LINEAR, OTHER).total
    assert total is not None
    assert total.orders is None


def test_assets_without_samples_add_up_to_an_unknown_profit() -> None:
    empty = equity_frame(samples(), LINEAR)
    total = summarize([empty, empty], [EMPTY_FILLS, EMPTY_FILLS], [LINEAR, OTHER]).total
    assert total is not None
    assert (total.net_profit, total.maker_share, total.return_over_value) == (None, None, None)


def test_assets_of_different_currencies_have_no_total() -> None:
    summary = two(LINEAR, INVERSE)
    assert summary.total is None
    assert summary.notes == (
        "No total: the assets' profits are in different or unstated currencies (BTCUSDT: USDT, BTCUSD: BTC).",
    )


def test_assets_of_unstated_currencies_have_no_total() -> None:
    plain = Instrument("venue", "X", 1, 1)
    summary = two(plain, plain)
    assert summary.total is None
    assert summary.notes == (
        "No total: the assets' profits are in different or unstated currencies (X: not stated, X: not stated).",
    )


def test_a_summary_survives_json() -> None:
    summary = two(LINEAR, OTHER, orders=[changes(sent(), answer(FILLED))] * 2)
    assert msgspec.json.decode(msgspec.json.encode(summary), type=Summary) == summary


def test_another_number_of_frames_than_instruments_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        as_list([EMPTY_FILLS], 2, "fills")
    assert str(caught.value) == "fills: 1 frames for 2 instruments; pass one for each, in the same order"


@pytest.mark.parametrize(
    ("interval", "message"), [("soon", "give a duration"), ("-5s", "is not positive"), ("0s", "is not positive")]
)
def test_an_interval_that_is_no_duration_is_refused(interval: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^sharpe_interval '{interval}'.*{message}.*such as '10s', '5m' or '1h'$"):
        of([{}], sharpe_interval=interval)
