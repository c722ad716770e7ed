"""Market by order from Databento: what each record becomes, whose records are taken, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import ConfigError, DataError, DataFormatError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Conversion, convert_databento
from tests.unit.feed.sources.dbn_files import DAY, UNDEF, dbn_file, header, message

BOTH = EXCH_EVENT | LOCAL_EVENT
GRID = {"tick_size": "0.25", "lot_size": 1}


def convert(folder, *messages, head=None, **options) -> Conversion:
    return convert_databento(dbn_file(folder, *messages, head=head), **(GRID | options))


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("A", ADD_ORDER_EVENT),
        ("C", CANCEL_ORDER_EVENT),
        ("M", MODIFY_ORDER_EVENT),
        ("R", DEPTH_CLEAR_EVENT),
        ("T", TRADE_EVENT),
        ("F", FILL_EVENT),
    ],
)
@pytest.mark.parametrize(("side", "flag"), [("B", BUY_EVENT), ("A", SELL_EVENT), ("N", 0)])
def test_each_action_and_side_is_a_row(tmp_path, action, kind, side, flag):
    events = convert(tmp_path, message(action, side)).events
    assert events["ev"].tolist() == [BOTH | kind | flag]


def test_a_row_carries_price_size_order_id_flags_and_both_times(tmp_path):
    made = message(price=5_155_250_000_000, size=9, order_id=2**63 + 5, event_ts=DAY + 123, recv_ts=DAY + 457, flags=130)
    (row,) = convert(tmp_path, made).events
    assert row.tolist() == (BOTH | ADD_ORDER_EVENT | BUY_EVENT, DAY + 123, DAY + 457, 5155.25, 9.0, 2**63 + 5, 130, 0.0)


def test_d48_times_are_exact_to_the_nanosecond(tmp_path):
    odd = [message(event_ts=DAY + 1001 * i + 1, recv_ts=DAY + 1001 * i + 8) for i in range(50)]
    events = convert(tmp_path, *odd).events
    assert (events["exch_ts"] - DAY).tolist() == [1001 * i + 1 for i in range(50)]
    assert (events["local_ts"] - DAY).tolist() == [1001 * i + 8 for i in range(50)]


@pytest.mark.parametrize("steps", [1, 100_000_000, -250_000_000, 10**16 + 1, 2**63 - 2, -(2**62) - 3])
def test_a_price_is_the_float_nearest_to_its_decimal(tmp_path, steps):
    events = convert(tmp_path, message(price=steps)).events
    sign, digits = ("-" if steps < 0 else ""), f"{abs(steps):010d}"
    assert events["px"][0] == float(f"{sign}{digits[:-9]}.{digits[-9:]}")


@pytest.mark.parametrize("action", ["R", "C"])
def test_an_undefined_price_is_none_where_none_is_needed(tmp_path, action):
    events = convert(tmp_path, message(), message(action, "N", price=UNDEF)).events
    assert np.isnan(events["px"][1])


def test_rows_of_a_snapshot_take_its_time(tmp_path):
    old, new = DAY - 5_000, DAY + 10
    messages = [
        message(event_ts=DAY - 20, recv_ts=DAY - 10, order_id=1),
        message("R", "N", price=UNDEF, size=0, event_ts=old, recv_ts=DAY),
        message(event_ts=old - 70, recv_ts=DAY, order_id=2),
        message(event_ts=old - 30, recv_ts=DAY, order_id=3),
        message(event_ts=new, recv_ts=new + 5, order_id=4),
    ]
    conversion = convert(tmp_path, *messages, head=header(symbols={"ESM4": [("2024-05-07", "2024-05-09", "5602")]}))
    assert conversion.events["exch_ts"].tolist() == [DAY - 20, DAY, DAY, DAY, new]
    assert conversion.account.rows_split == 0
    assert "3 rows of snapshots took the time of their snapshot" in conversion.account.notes


def test_a_clear_of_one_side_begins_no_snapshot(tmp_path):
    messages = [
        message("R", "B", price=UNDEF, event_ts=DAY + 5, recv_ts=DAY + 9),
        message(event_ts=DAY + 6, recv_ts=DAY + 9),
    ]
    assert convert(tmp_path, *messages).events["exch_ts"].tolist() == [DAY + 5, DAY + 6]


def test_an_action_that_changes_nothing_makes_no_row_and_is_counted(tmp_path):
    conversion = convert(tmp_path, message(), message("N", "N", price=UNDEF))
    assert len(conversion.events) == 1
    assert conversion.account.lines_by_kind == {"add order": 1, "none": 1}


# --- whose records ----------------------------------------------------------------------------------------------------
TWO = {"ESM4": [("2024-05-08", "2024-05-09", "5602")], "NQM4": [("2024-05-08", "2024-05-09", "77")]}


def test_the_records_of_the_symbol_are_taken(tmp_path):
    conversion = convert(
        tmp_path, message(), message(instrument_id=77, order_id=9), head=header(symbols=TWO), symbol="NQM4"
    )
    assert conversion.events["order_id"].tolist() == [9]
    assert conversion.instrument.symbol == "NQM4"
    assert conversion.account.lines_by_kind == {"add order": 1, "of other instruments": 1}
    assert conversion.account.lines == 2


def test_an_id_that_another_symbol_had_on_that_day_is_not_taken(tmp_path):
    symbols = {"ES.c.0": [("2024-05-07", "2024-05-08", "5602"), ("2024-05-08", "2024-05-09", "77")]}
    conversion = convert(
        tmp_path, message(), message(instrument_id=77, order_id=9), head=header(symbols=symbols), symbol="ES.c.0"
    )
    assert conversion.events["order_id"].tolist() == [9]


def test_the_one_instrument_of_a_file_needs_no_symbol(tmp_path):
    assert convert(tmp_path, message()).instrument.symbol == "ESM4"


def test_an_instrument_without_a_mapping_is_chosen_by_its_id(tmp_path):
    conversion = convert(tmp_path, message(), message(instrument_id=9, order_id=3), head=header(symbols={}), symbol="9")
    assert conversion.events["order_id"].tolist() == [3]


def test_several_instruments_need_a_symbol(tmp_path):
    path = dbn_file(tmp_path, message(), message(instrument_id=77), message(instrument_id=8), head=header(symbols=TWO))
    with pytest.raises(ConfigError) as caught:
        convert_databento(path)
    assert str(caught.value) == f"{path}: the file holds 3 instruments; give symbol, one of 8, NQM4, ESM4"


@pytest.mark.parametrize(("symbols", "known"), [(TWO, "ESM4, NQM4"), ({}, "none: give the id")])
def test_an_unknown_symbol_is_refused_with_those_that_there_are(tmp_path, symbols, known):
    path = dbn_file(tmp_path, message(), head=header(symbols=symbols))
    with pytest.raises(ConfigError) as caught:
        convert_databento(path, symbol="CLM4")
    assert str(caught.value) == f"{path}: the file knows no symbol 'CLM4'; it knows {known}"


# --- what cannot be used ----------------------------------------------------------------------------------------------
BETWEEN = "in ns between 1990-01-01 and 2100-01-01"
BAD = [
    (message("X"), "field action: 'X' is no action of market by order", "action 'X' is no action of market by order"),
    (message("A", "S"), "field side: 'S' is no side", "side 'S' is no side"),
    (
        message("T", "B", price=UNDEF),
        f"field price: {UNDEF} is undefined where a price is needed",
        f"price {UNDEF} is undefined where a price is needed",
    ),
    *(
        (message(event_ts=ts), f"field ts_event: {ts} is no time {BETWEEN}", f"ts_event {ts} is no time {BETWEEN}")
        for ts in (0, DAY // 1000, 2**63 - 1, 2**63, 2**64 - 1)
    ),
]


@pytest.mark.parametrize(("bad", "stop", "skip"), BAD)
def test_a_record_that_cannot_be_used_stops_or_is_left_out(tmp_path, bad, stop, skip):
    path = dbn_file(tmp_path, message(), bad, message())
    with pytest.raises(DataFormatError) as caught:
        convert_databento(path, **GRID)
    assert str(caught.value) == f"{path}: record 2, {stop}; fetch the file again or convert with on_bad='skip'"
    account = convert_databento(path, on_bad="skip", **GRID).account
    assert (account.refused_count, account.events, account.lines_by_kind["refused"]) == (1, 2, 1)
    assert (account.refused[0].line, account.refused[0].reason) == (2, skip)
    assert account.refused[0].text.startswith("order_id 7, ts_recv ")


def test_a_file_that_is_cut_off_is_taken_as_far_as_it_goes_when_skipping(tmp_path):
    path = dbn_file(tmp_path, message(), message()[:30])
    account = convert_databento(path, on_bad="skip", **GRID).account
    assert (account.events, account.damage) == (
        1,
        f"{path}: the last record is cut off after 30 bytes; fetch the file again",
    )


def test_an_unknown_way_with_bad_records_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        convert_databento(tmp_path / "none", on_bad="ignore")
    assert str(caught.value) == "on_bad is 'ignore'; choose 'stop' or 'skip'"


# --- the account ------------------------------------------------------------------------------------------------------
def test_a_grid_that_is_not_given_is_inferred_and_noted(tmp_path):
    prices = [5_155_500_000_000, 5_155_750_000_000, 5_156_000_000_000]
    conversion = convert(tmp_path, *(message(price=p) for p in prices), tick_size=None, lot_size=None)
    assert (str(conversion.instrument.tick_size), conversion.account.tick_size_inferred_from) == ("0.25", 3)
    assert any(note.startswith("tick_size was inferred from 3 values") for note in conversion.account.notes)


def test_an_empty_file_has_no_grid_to_infer(tmp_path):
    path = dbn_file(tmp_path)
    with pytest.raises(DataError) as caught:
        convert_databento(path)
    assert str(caught.value) == f"{path}: there is no value to infer tick_size from; give tick_size"


def test_silence_beyond_the_threshold_is_a_gap_before_its_record(tmp_path):
    messages = [
        message(recv_ts=DAY + 1000),
        message(instrument_id=77),
        message(event_ts=DAY + 10**11, recv_ts=DAY + 10**11),
    ]
    account = convert(tmp_path, *messages, head=header(symbols=TWO), symbol="ESM4").account
    assert [(gap.kind, gap.line, gap.size) for gap in account.gaps] == [("time", 3, 10**11 - 1000)]


def test_a_local_clock_that_runs_behind_is_moved(tmp_path):
    conversion = convert(tmp_path, message(event_ts=DAY + 90, recv_ts=DAY + 50), base_latency_ns=7)
    assert conversion.events["local_ts"].tolist() == [DAY + 97]
    assert conversion.account.local_ts_shift_ns == 47


def test_the_multiplier_is_the_one_given(tmp_path):
    assert convert(tmp_path, message(), multiplier=50).instrument.multiplier == 50
