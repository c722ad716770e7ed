from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from queuefront.core import FILL, ORDER_CHANGE, SAMPLE, Instrument, SchemaMismatchError
from queuefront.core.enums import CANCELED, FILLED, GTX, IOC, MARKET, NEW, REPLACED
from queuefront.report.frames import currency_of, equity_frame, fills_frame, orders_frame, total_equity_frame
from tests.unit.report.records import INVERSE, LINEAR, SECOND, T0, changes, fills, samples

UTC_NS = pl.Datetime("ns", "UTC")


def test_a_fill_becomes_a_row_in_the_markets_units() -> None:
    one = fills({"price_tick": 633_217, "lots": 3, "side": -1, "position_lots": -7, "amount": 3, "fee": -3, "is_maker": 0})
    row = fills_frame(one, LINEAR, "0.1", 0.01, asset_no=2).to_dicts()[0]
    assert row["exch_ts"].isoformat() == "2023-11-14T22:13:20+00:00"
    del row["exch_ts"], row["local_ts"]
    assert row == {
        "asset": 2,
        "symbol": "BTCUSDT",
        "side": "sell",
        "price": 63_321.7,
        "qty": 0.003,
        "amount": 0.3,  # not 0.30000000000000004
        "fee": -0.03,
        "is_maker": False,
        "order_id": 1,
        "position_after": -0.007,
        "queue_ahead_at_arrival": 4.0,
    }


def test_fill_times_keep_their_nanoseconds_and_are_utc() -> None:
    frame = fills_frame(fills({"exch_ts": T0 + 123_456_789}), LINEAR, 1, 1)
    assert frame.schema["exch_ts"] == frame.schema["local_ts"] == UTC_NS
    assert frame["exch_ts"].to_physical().to_list() == [T0 + 123_456_789]


def test_order_ids_beyond_int64_come_back_as_they_were_given() -> None:
    frame = fills_frame(fills({"order_id": -1}), LINEAR, 1, 1)
    assert frame["order_id"].to_list() == [2**64 - 1]
    assert frame.schema["order_id"] == pl.UInt64


def test_the_queue_of_an_order_that_never_rested_is_null() -> None:
    frame = fills_frame(fills({"arrival_qty_ahead": np.nan}), LINEAR, 1, 1)
    assert frame["queue_ahead_at_arrival"].to_list() == [None]


def test_no_fills_give_an_empty_frame_with_the_same_columns() -> None:
    empty, full = fills_frame(fills(), LINEAR, 1, 1), fills_frame(fills({}), LINEAR, 1, 1)
    assert len(empty) == 0
    assert empty.schema == full.schema


def test_a_request_and_its_answer_become_two_rows() -> None:
    sent = {"local_ts": T0, "req": NEW, "order_type": MARKET, "time_in_force": IOC, "side": -1}
    answer = {"local_ts": T0 + 9, "exch_ts": T0 + 4, "is_response": 1, "status": FILLED, "exec_lots": 10, "leaves_lots": 0}
    frame = orders_frame(changes(sent, answer | {"exec_price_tick": 1001, "is_maker": 1, "qty_ahead": 0.5}), LINEAR)
    assert frame.select("event", "side", "type", "time_in_force", "status", "request").rows() == [
        ("request", "sell", "MARKET", "IOC", "NONE", "NEW"),
        ("response", "buy", "LIMIT", "GTX", "FILLED", None),
    ]
    assert frame.select("price", "qty", "leaves_qty", "exec_qty", "exec_price", "is_maker", "queue_ahead").rows() == [
        (100.0, 0.01, 0.01, 0.0, None, False, None),
        (100.0, 0.01, 0.0, 0.01, 100.1, True, 0.5),
    ]
    assert frame["exch_ts"].to_physical().to_list() == [None, T0 + 4]
    assert frame.schema["exch_ts"] == frame.schema["local_ts"] == UTC_NS


def test_pending_requests_are_named_and_unknown_codes_say_so() -> None:
    frame = orders_frame(changes({"req": REPLACED}, {"req": CANCELED}, {"status": 255, "time_in_force": GTX}), LINEAR)
    assert frame["request"].to_list() == ["REPLACED", "CANCELED", None]
    assert frame["status"].to_list() == ["NONE", "NONE", "UNSUPPORTED"]


def test_no_order_changes_give_an_empty_frame_with_the_same_columns() -> None:
    assert orders_frame(changes(), LINEAR).schema == orders_frame(changes({}), LINEAR).schema


def test_linear_equity_is_cash_and_position_at_the_price_less_fees() -> None:
    frame = equity_frame(samples({"position": 3.0, "balance": -500.0, "fee": 1.5, "price": 110.0}), LINEAR)
    assert frame["equity_wo_fee"].to_list() == [-500.0 + 2 * 3 * 110]
    assert frame["equity"].to_list() == [-500.0 + 2 * 3 * 110 - 1.5]


def test_inverse_equity_is_counted_in_base_currency_with_the_signs_turned() -> None:
    # Bought 8 contracts of 100 at 100 (balance +... is -8), now worth less base currency at 125.
    frame = equity_frame(samples({"position": 8.0, "balance": -8.0, "fee": 0.25, "price": 125.0}), INVERSE)
    assert frame["equity_wo_fee"].to_list() == [8.0 - 100 * 8 / 125]
    assert frame["equity"].to_list() == [8.0 - 100 * 8 / 125 - 0.25]


def test_without_a_price_an_open_position_has_no_equity_and_a_flat_one_does() -> None:
    nan = {"price": np.nan}
    for instrument in (LINEAR, INVERSE):
        frame = equity_frame(samples(nan | {"position": 1.0}, nan | {"balance": 0.0}), instrument)
        assert frame["price"].to_list() == [None, None]
        assert frame["equity"].to_list() == [None, 0.0]
        assert frame["equity_wo_fee"].to_list() == [None, 0.0]
        assert frame["drawdown"].to_list() == [None, 0.0]


def test_drawdown_is_measured_from_the_highest_equity_so_far() -> None:
    frame = equity_frame(samples(*({"balance": b} for b in (0.0, 5.0, 2.0, 7.0, 6.0))), LINEAR)
    assert frame["drawdown"].to_list() == [0.0, 0.0, -3.0, 0.0, -1.0]


def test_a_drawdown_outlasts_samples_without_a_price() -> None:
    rows = ({"balance": 5.0}, {"position": 1.0, "price": np.nan}, {"balance": 4.0})
    assert equity_frame(samples(*rows), LINEAR)["drawdown"].to_list() == [0.0, None, -1.0]


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda records: fills_frame(records, LINEAR, 1, 1), "FILL"),
        (lambda records: orders_frame(records, LINEAR), "ORDER_CHANGE"),
        (lambda records: equity_frame(records, LINEAR), "SAMPLE"),
    ],
)
def test_other_records_are_refused_by_name(build, name: str) -> None:
    wrong = np.zeros(1, [("x", "<i8")])
    with pytest.raises(SchemaMismatchError) as caught:
        build(wrong)
    assert str(caught.value) == f"the records have type [('x', '<i8')]; pass {name} records (queuefront.core.{name})"


def test_the_total_adds_equities_at_every_time_of_any_asset() -> None:
    one = equity_frame(samples({"balance": 1.0}, {"balance": 2.0}, every_ns=2 * SECOND), LINEAR)
    late = samples({"balance": 10.0, "fee": 1.0, "timestamp": T0 + SECOND}, {"balance": 30.0, "timestamp": T0 + 2 * SECOND})
    total = total_equity_frame([one, equity_frame(late, LINEAR)])
    assert [t - T0 for t in total["timestamp"].to_physical()] == [0, SECOND, 2 * SECOND]
    # Before its first sample an asset counts with that sample: it brings no profit by appearing.
    assert total["equity_wo_fee"].to_list() == [11.0, 11.0, 32.0]
    assert total["equity"].to_list() == [10.0, 10.0, 32.0]
    assert total["drawdown"].to_list() == [0.0, 0.0, 0.0]


def test_the_last_of_several_samples_at_one_time_counts_in_the_total() -> None:
    twice = equity_frame(samples({"balance": 1.0}, {"balance": 2.0}, every_ns=0), LINEAR)
    assert total_equity_frame([twice])["equity"].to_list() == [2.0]


def test_profit_is_in_quote_currency_for_linear_and_in_base_for_inverse_contracts() -> None:
    assert currency_of(LINEAR) == "USDT"
    assert currency_of(INVERSE) == "BTC"
    assert currency_of(Instrument("venue", "X", 1, 1)) == ""


def test_the_record_types_are_the_engines() -> None:
    assert (fills({}).dtype, changes({}).dtype, samples({}).dtype) == (FILL, ORDER_CHANGE, SAMPLE)
