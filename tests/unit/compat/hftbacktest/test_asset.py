"""hftbacktest's asset builder: what it takes, what it refuses, and that it leaves the caller's data alone."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.compat.hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from queuefront.core import LATENCY, ConfigError, DataError, SchemaMismatchError, TimestampRangeError
from queuefront.core.enums import BUY_EVENT, GTC, LIMIT, SELL_EVENT
from queuefront.feed import PassportThresholds
from queuefront.sim import (
    ConstantLatency,
    DirectionalFees,
    DirectionalQtyFees,
    FlatFees,
    InterpolatedLatency,
    LogQueue,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    QtyFees,
    RiskAverseQueue,
    ValueFees,
)
from tests.small_market import SECOND, T0, market
from tests.unit.test_backtest import holed_market


def events() -> np.ndarray:
    return market().to_events()


def asset(*parts: np.ndarray) -> BacktestAsset:
    return BacktestAsset().data(list(parts) or events()).tick_size(0.5).lot_size(0.25)


# --- data -------------------------------------------------------------------------------------------------------------
def test_data_are_taken_as_arrays_files_and_lists(tmp_path):
    np.savez(tmp_path / "a.npz", data=events()[:2])
    np.save(tmp_path / "b.npy", events()[2:])
    wanted = events().tobytes()
    assert asset().build().tape.to_events().tobytes() == wanted
    assert asset(tmp_path / "a.npz", str(tmp_path / "b.npy")).build().tape.to_events().tobytes() == wanted
    chained = asset(events()[:1]).add_data(events()[1:2]).add_file(str(tmp_path / "b.npy"))
    assert chained.build().tape.to_events().tobytes() == wanted


def test_parts_may_be_empty_or_short():  # D31
    parts = asset(events()[:0], events()[:1], events()[1:1], events()[1:])
    assert parts.build().tape.to_events().tobytes() == events().tobytes()


def test_an_asset_without_data_is_an_empty_market():
    assert len(BacktestAsset().tick_size(1).lot_size(1).build().tape) == 0


@pytest.mark.parametrize("data", [5, None, [events(), 7.0]])
def test_what_is_no_data_is_refused(data):
    with pytest.raises(ConfigError) as caught:
        BacktestAsset().data(data)
    name = "float" if isinstance(data, list) else type(data).__name__
    assert str(caught.value) == f"data is {name!r}; give paths or event arrays"


def test_rows_of_a_kind_of_ones_own_are_taken_and_wake_a_strategy(tmp_path):  # B1.3
    own = events()
    own["ev"][1] = (own["ev"][1] & np.uint64(2**64 - 256)) | np.uint64(110)
    own["px"][1] = np.nan
    np.savez(tmp_path / "own.npz", data=own)
    for data in (own, str(tmp_path / "own.npz")):
        built = BacktestAsset().data(data).tick_size(0.5).lot_size(0.25).build()
        assert built.tape.meta["counts"]["kind 110"] == 1
        hbt = HashMapMarketDepthBacktest([BacktestAsset().data(data).tick_size(0.5).lot_size(0.25)])
        assert hbt.wait_next_feed(False, 10**12) == 2


def test_an_array_of_another_record_is_refused():  # D32
    with pytest.raises(SchemaMismatchError):
        asset(np.zeros(3)).build()


def test_a_missing_file_is_refused(tmp_path):  # D30
    with pytest.raises(FileNotFoundError) as caught:
        asset(tmp_path / "none.npz").build()
    assert str(tmp_path / "none.npz") in str(caught.value)


def test_rows_out_of_order_are_refused():  # D42
    with pytest.raises(DataError):
        asset(events()[::-1].copy()).build()


@pytest.mark.parametrize("name", ["tick_size", "lot_size"])
@pytest.mark.parametrize("value", [0.0, -0.5, float("nan"), None])
def test_a_grid_that_is_not_positive_is_refused(name, value):  # D41
    broken = asset()
    if value is not None:
        getattr(broken, name)(value)
    else:
        broken = BacktestAsset().data(events())
        getattr(broken, "lot_size" if name == "tick_size" else "tick_size")(1.0)
    with pytest.raises(ConfigError) as caught:
        broken.build()
    assert str(caught.value) == f"{name} is {value or getattr(broken, f'_{name}')}; set it with BacktestAsset().{name}(…)"


# --- warnings ---------------------------------------------------------------------------------------------------------
def test_values_off_the_grid_are_rounded_with_a_warning_that_counts_them():
    rows = events()
    rows["px"][0], rows["qty"][1:3] = 99.9, 10.1
    with pytest.warns(UserWarning, match="off the grid") as caught:
        built = asset(rows).build()
    (warning,) = caught
    assert str(warning.message) == (
        "array of 4 rows: 1 prices and 2 quantities are off the grid of tick size 0.5 and lot size 0.25 "
        "and were taken to the nearest; check the sizes"
    )
    assert built.tape.lots.tolist() == [40, 40, 40, 40]


def test_the_old_name_of_the_latency_warns():
    with pytest.warns(DeprecationWarning, match="use constant_order_latency"):
        old = asset().constant_latency(5, 6)
    assert old.build().latency == ConstantLatency(5, 6)


# --- latency offset ---------------------------------------------------------------------------------------------------
def test_a_latency_offset_moves_a_copy():  # B13 D33
    rows = events()
    shifted = asset(rows).latency_offset(1_000)
    for _ in range(2):
        tape = shifted.build().tape
        assert (tape.local_ts - tape.exch_ts).tolist() == [1_000] * 4
    assert rows.tobytes() == events().tobytes()


@pytest.mark.parametrize("offset", [-1, -SECOND])
def test_an_offset_that_makes_latencies_negative_is_refused(offset):
    with pytest.raises(DataError) as caught:
        asset().latency_offset(offset).build()
    assert str(caught.value) == (
        f"array of 4 rows: row 0: with latency_offset {offset:,} ns the feed latency is not positive, like 4 rows in all; "
        "give a larger offset"
    )


@pytest.mark.parametrize("offset", [2**63 - 1, -(2**63), 2**80])
def test_an_offset_that_leaves_int64_is_refused(offset):  # H0.5
    with pytest.raises(TimestampRangeError) as caught:
        asset().latency_offset(offset).build()
    assert str(caught.value) == f"array of 4 rows: latency_offset {offset:,} ns moves local times out of int64"


# --- models -----------------------------------------------------------------------------------------------------------
def test_an_asset_has_hftbacktests_defaults():
    built = asset().build()
    assert (built.latency, built.queue, built.exchange, built.fees) == (
        ConstantLatency(),
        LogQueue2(),
        NoPartialFill(),
        ValueFees(),
    )
    assert (built.tape.instrument.contract, built.last_trades_capacity) == ("linear", 0)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (("risk_adverse_queue_model",), RiskAverseQueue()),
        (("power_prob_queue_model", 2.0), PowerQueue(2.0)),
        (("power_prob_queue_model2", 2.0), PowerQueue2(2.0)),
        (("power_prob_queue_model3", 2.0), PowerQueue3(2.0)),
        (("log_prob_queue_model",), LogQueue()),
        (("log_prob_queue_model2",), LogQueue2()),
    ],
)
def test_a_queue_model_is_ours_of_the_same_rule(call, wanted):
    built = asset()
    assert getattr(built, call[0])(*call[1:]) is built
    assert built.build().queue == wanted


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (("trading_value_fee_model", -0.0001, 0.0005), ValueFees("-0.0001", "0.0005")),
        (("trading_qty_fee_model", 0.1, 0.2), QtyFees("0.1", "0.2")),
        (("flat_per_trade_fee_model", 0.1, 0.2), FlatFees("0.1", "0.2")),
        (("directional_trading_value_fee_model", 0.1, 0.2, 0, 0.001), DirectionalFees("0.1", "0.2", 0, "0.001")),
        (("directional_trading_qty_fee_model", 0.1, 0.2, 0.001, 0), DirectionalQtyFees("0.1", "0.2", "0.001", 0)),
    ],
)
def test_a_fee_model_is_ours_with_the_same_rates(call, wanted):
    fees = getattr(asset(), call[0])(*call[1:]).build().fees
    assert (type(fees), fees.rates_e9()) == (type(wanted), wanted.rates_e9())


def test_an_exchange_model_is_ours():
    assert asset().partial_fill_exchange().build().exchange == PartialFill()
    assert asset().partial_fill_exchange(True).build().exchange == PartialFill(books_only_filled=True)
    assert asset().partial_fill_exchange().no_partial_fill_exchange().build().exchange == NoPartialFill()


def test_a_contract_has_its_size():
    built = asset().inverse_asset(100.0).build().tape.instrument
    assert (built.contract, built.multiplier) == ("inverse", 100)
    assert asset().linear_asset(0.01).build().tape.instrument.multiplier * 100 == 1


def test_measured_latencies_are_interpolated():
    rounds = np.zeros(1, LATENCY)
    rounds["req_ts"], rounds["exch_ts"], rounds["resp_ts"] = T0, T0 + 1, T0 + 2
    model = asset().intp_order_latency(rounds, 10).build().latency
    assert isinstance(model, InterpolatedLatency)
    assert model.rows.tolist() == [(T0, T0 + 11, T0 + 22, 0)]


# --- the backtest -----------------------------------------------------------------------------------------------------
def test_a_backtest_is_ready_to_run():
    hbt = HashMapMarketDepthBacktest([asset().parallel_load(True).last_trades_capacity(5)])
    assert hbt.elapse(6 * SECOND) == 0
    assert len(hbt.last_trades(0)) == 1
    assert hbt.submit_buy_order(0, 1, 101.0, 1.0, GTC, LIMIT, True) == 0
    assert hbt.position(0) == 1.0


def test_both_books_start_from_the_initial_snapshot():
    snapshot = events()[:2]
    snapshot["ev"], snapshot["px"] = [BUY_EVENT, SELL_EVENT], [99.0, 99.5]
    hbt = HashMapMarketDepthBacktest([asset(events()[2:3]).initial_snapshot(snapshot)])
    assert (hbt.depth(0).best_bid, hbt.depth(0).best_ask, hbt.depth(0).best_ask_qty) == (99.0, 99.5, 10.0)


def test_no_assets_are_refused():
    with pytest.raises(ConfigError):
        HashMapMarketDepthBacktest([])


def test_everything_can_be_imported_at_once():  # B13 D36
    names: dict[str, object] = {}
    exec("from queuefront.compat.hftbacktest import *", names)
    assert {"BacktestAsset", "HashMapMarketDepthBacktest", "Recorder", "GTX", "BUY"} <= names.keys()


# --- ours -------------------------------------------------------------------------------------------------------------
def test_bad_spans_are_masked_on_request():
    tape = holed_market()

    def asset_of() -> BacktestAsset:
        return BacktestAsset().data(tape.to_events()).tick_size(1).lot_size(1)

    assert not asset_of().build().load().is_masked
    masked = asset_of().mask_bad_spans()
    assert masked.build().load().is_masked
    tolerant = asset_of().mask_bad_spans(PassportThresholds(silence_bad_ms=1e9))
    fills = {}
    for name, made in (("as it is", asset_of()), ("masked", masked), ("within limits of one's own", tolerant)):
        hbt = HashMapMarketDepthBacktest([made])
        hbt.elapse(2 * SECOND)
        hbt.submit_sell_order(0, 1, 103.0, 1.0, GTC, LIMIT, True)
        hbt.elapse(30 * SECOND)
        fills[name] = hbt.position(0)
        hbt.close()
    assert fills == {"as it is": -1.0, "masked": 0.0, "within limits of one's own": -1.0}
