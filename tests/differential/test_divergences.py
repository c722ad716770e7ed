"""Where ours differs from the reference on purpose: a test a row of the defect list, each showing both behaviours.

Rows that are vectors stand in `test_vectors.py` as well (D1, D2, D4, D6, D11). D14 is about the other book class.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numba import njit

from queuefront.core import DataError
from queuefront.core.enums import (
    BUY,
    BUY_EVENT,
    CANCELED,
    EXCH_EVENT,
    EXPIRED,
    FILLED,
    GTC,
    INVALID_ORDER_REQUEST,
    INVALID_ORDER_STATUS,
    LIMIT,
    MARKET,
    NEW,
    NO_ASK_TICK,
    NO_BID_TICK,
    NONE,
    OK,
    PARTIALLY_FILLED,
    SELL,
    SELL_EVENT,
    UNTIL_END_OF_DATA,
)
from tests.differential.driver import run
from tests.differential.engines import (
    CANCEL_ANYWAY,
    ELAPSE,
    MODIFY_ANYWAY,
    REFERENCE_MODULE,
    WAIT_FEED,
    WAIT_RESPONSE,
    Action,
    AssetCase,
    Case,
    Engine,
)
from tests.differential.markets import Rows, Synthetic
from tests.differential.stories import BOOK, LATE, ask, bid, by_engine, cleared, elapse, sold, story, submit
from tests.differential.storms import EXCHANGES, QUEUES, seeded, strange_case, touch_case

pytestmark = pytest.mark.slow


@njit
def submit_qty(hbt, qty):
    hbt.elapse(0)
    return hbt.submit_buy_order(0, 1, 97.0, qty, GTC, LIMIT, False)


@njit
def tick_size_of_order(hbt):
    hbt.elapse(0)
    hbt.submit_buy_order(0, 1, 97.0, 1.0, GTC, LIMIT, False)
    order = hbt.orders(0).get(1)
    if order is None:
        return -1.0
    return order.tick_size


@njit
def ids_in_order(hbt, ids, out):
    """Submit orders with these ids and write the ids in the order in which `values` shows them."""
    hbt.elapse(0)
    for i in range(len(ids)):
        hbt.submit_buy_order(0, ids[i], 97.0, 1.0, GTC, LIMIT, False)
    hbt.elapse(100)
    values = hbt.orders(0).values()
    n = 0
    while values.has_next():
        out[n] = np.int64(values.get().order_id)
        n += 1
    return n


# --- partial fills --------------------------------------------------------------------------------------------------
def resting_bid(lots: int, *sales: tuple[int, int], **models: Any) -> Case:
    """A bid of ours behind 5 at 99, and sales of (lots, time) at 99."""
    actions = (elapse(0), submit(1, BUY, 99, lots), *(elapse(100),) * (1 + len(sales)))
    rows = tuple(sold(99, qty, ts) for qty, ts in sales)
    return story(*actions, rows=rows, exchange="partial_fill", fee=("flat", 1.0, 1.0), **models)


def test_d1_a_partial_fill_reaches_position_and_fee(engine: Engine) -> None:
    state = run(engine, resting_bid(5, (7, 150))).state(-1)
    assert run(engine, resting_bid(5, (7, 150))).order(-1, 1).status == PARTIALLY_FILLED
    assert (state.position, state.fee, state.num_trades) == by_engine(engine, reference=(0, 0, 0), ours=(2, 1, 1))


def test_d1_every_execution_of_an_order_is_booked_once(engine: Engine) -> None:
    state = run(engine, resting_bid(5, (7, 150), (2, 250), (9, 350))).state(-1)
    # 2, then 2, then the last: the reference knows only the one that fills the order.
    assert (state.position, state.num_trades) == by_engine(engine, reference=(1, 1), ours=(5, 3))


def test_d2_every_level_that_a_taker_takes_is_a_trade(engine: Engine) -> None:
    case = story(elapse(0), submit(1, BUY, 102, 7), elapse(50), exchange="partial_fill", fee=("flat", 1.0, 1.0))
    state = run(engine, case).state(-1)
    ours = (-(5 * 101 + 2 * 102), 2, 7, 2)
    theirs = (-2 * 102, 1, 2, 1)
    assert (state.balance, state.num_trades, state.trading_volume, state.fee) == by_engine(
        engine, reference=theirs, ours=ours
    )


def test_d3_an_order_that_is_filled_to_the_last_lot_leaves_the_book(engine: Engine) -> None:
    log = run(engine, resting_bid(2, (7, 150), (1, 250)))
    assert log.order(2, 1).status == FILLED
    # The reference still holds it, and fails at the next trade.
    assert log.codes[2:] == by_engine(engine, reference=[OK, INVALID_ORDER_STATUS], ours=[OK, OK, OK])


def test_d3_a_cancel_under_way_does_not_cancel_a_filled_order(engine: Engine) -> None:
    actions = (elapse(0), submit(1, BUY, 99, 2), elapse(49), Action(CANCEL_ANYWAY, id=1), elapse(100))
    log = run(engine, story(*actions, rows=(sold(99, 7, 150),), exchange="partial_fill"))
    assert log.order(-1, 1).leaves_qty == 0
    assert log.order(-1, 1).status == by_engine(engine, reference=CANCELED, ours=FILLED)


# --- modify and cancel ----------------------------------------------------------------------------------------------
def test_d4_a_modified_order_fills_its_new_quantity(engine: Engine) -> None:
    modify = Action(MODIFY_ANYWAY, id=1, offset=98, lots=7)
    case = story(elapse(0), submit(1, BUY, 97, 3), elapse(50), modify, elapse(150), rows=(sold(96, 1, 200),))
    log = run(engine, case)
    assert log.order(-1, 1).status == FILLED
    assert log.state(-1).position == by_engine(engine, reference=3, ours=7)


@pytest.mark.parametrize("op", [CANCEL_ANYWAY, MODIFY_ANYWAY])
def test_d5_a_refused_request_on_a_filled_order_books_nothing(engine: Engine, op: int) -> None:
    request = Action(op, id=1, offset=97, lots=3)
    log = run(engine, story(elapse(0), submit(1, BUY, 101, 3), elapse(50), request, elapse(50)))
    assert log.codes == [0] * 5
    assert log.state(2).position == 3
    assert (log.order(-1, 1).status, log.order(-1, 1).req) == (FILLED, NONE)
    assert (log.state(-1).position, log.state(-1).num_trades) == by_engine(engine, reference=(6, 2), ours=(3, 1))


def test_d6_the_answer_to_a_cancel_names_the_cancel(engine: Engine) -> None:
    log = run(engine, story(elapse(0), submit(1, BUY, 97, 3), elapse(50), Action(CANCEL_ANYWAY, id=1), elapse(50)))
    assert log.state(-1).order_latency == by_engine(engine, reference=(100, 160, 170), ours=(150, 160, 170))


#: Requests between 1,000 and 3,000 are refused on the way.
REFUSING = ("interpolated", ((500, 510, 520), (1000, 1010, 1020), (2000, 0, 2020), (3000, 3010, 3020), (4000, 4010, 4020)))


def test_d6_a_refusal_on_the_way_is_no_order_latency(engine: Engine) -> None:
    actions = (elapse(500), submit(1, BUY, 97, 3), elapse(1000), Action(CANCEL_ANYWAY, id=1), elapse(500))
    log = run(engine, story(*actions, latency=REFUSING))
    assert (log.order(-1, 1).status, log.order(-1, 1).req) == (NEW, NONE)
    assert log.state(2).order_latency == (600, 610, 620)
    assert log.state(-1).order_latency == by_engine(engine, reference=(1600, 610, 1620), ours=(600, 610, 620))


def test_d10_a_refused_modify_leaves_the_order_as_it_is(engine: Engine) -> None:
    modify = Action(MODIFY_ANYWAY, id=1, offset=96, lots=2)
    log = run(engine, story(elapse(500), submit(1, BUY, 97, 3), elapse(1000), modify, elapse(500), latency=REFUSING))
    order = log.order(-1, 1)
    assert (order.status, order.req, order.leaves_qty) == (NEW, NONE, 3)
    assert (order.price_tick, order.qty) == by_engine(engine, reference=(96, 2), ours=(97, 3))


def test_d28_answers_are_interpolated_between_what_the_exchange_answered(engine: Engine) -> None:
    # At 2,000 the exchange fills an order; answers took 20 at 1,010 and 5 at 3,010.
    table = ((1000, 1010, 1030), (2000, 0, 2070), (3000, 3010, 3015))
    wait = Action(WAIT_RESPONSE, id=1, duration=100_000)
    case = story(elapse(0), submit(1, BUY, 97, 3), wait, wait, rows=(sold(96, 1, 2000),), latency=("interpolated", table))
    assert run(engine, case).times == [100, 100, 130, by_engine(engine, reference=2698, ours=2013)]


@pytest.mark.parametrize(
    ("start", "table", "theirs", "better"),
    [
        (100, ((1000, 0, 1030), (2000, 2010, 2070)), 1100, 130),
        (4100, ((1000, 1010, 1030), (3000, 0, 3015)), 7100, 4115),
    ],
    ids=["first", "last"],
)
def test_d29_a_refused_row_at_an_edge_is_a_refusal(engine: Engine, start, table, theirs, better) -> None:
    wait = Action(WAIT_RESPONSE, id=1, duration=100_000)
    log = run(engine, story(elapse(start - 100), submit(1, BUY, 97, 3), wait, latency=("interpolated", table)))
    assert (log.order(-1, 1).status, log.order(-1, 1).exch_timestamp) == (EXPIRED, 0)
    assert log.times[-1] == by_engine(engine, reference=theirs, ours=better)


def test_d59_an_answer_after_the_end_of_the_data_is_from_its_own_time(engine: Engine) -> None:
    table = ((100, 110, 120), (9_000, 9_010, 9_020), (10_000, 10_010, 20_010))
    # The answer of the fill moves the table's cursor; the data end in that call, and the clock stays behind.
    actions = (elapse(0), submit(1, BUY, 99, 1), elapse(2 * LATE), submit(2, BUY, 97, 1, flag=1))
    log = run(engine, story(*actions, rows=(sold(98, 5, 10_000),), latency=("interpolated", table)))
    assert log.order(-1, 1).status == FILLED
    state = log.state(-1)
    assert (log.times[-1], state.latency_exch_ts) == (100, 110)
    assert state.latency_resp_ts == by_engine(engine, reference=10_110, ours=120)


# --- order of things ------------------------------------------------------------------------------------------------
IDS = np.array([7, 3, 11, 2, 900, 5])


def test_d8_orders_are_shown_in_the_order_of_their_submission(engine: Engine) -> None:
    out = np.zeros(len(IDS), np.int64)
    with engine.open(story()) as backtest:
        assert ids_in_order(backtest, IDS, out) == len(IDS)
    shown = sorted(out) if engine.is_reference else out.tolist()  # the reference's own order is random
    assert shown == by_engine(engine, reference=sorted(IDS), ours=IDS.tolist())


def test_d8_the_same_run_is_the_same_to_the_last_bit(ours: Engine) -> None:
    for model in ((QUEUES[4], EXCHANGES[0]), (QUEUES[1], EXCHANGES[1])):
        case = strange_case(seeded(77), model)
        assert run(ours, case).to_bytes() == run(ours, case).to_bytes()


def test_d11_a_clear_finds_the_level_beside_the_cleared_ones(engine: Engine) -> None:
    book = (*BOOK, bid(97, 5), ask(103, 5), ask(104, 5))
    rows = (cleared(BUY_EVENT, 98, 200), cleared(SELL_EVENT, 102, 300))
    log = run(engine, story(elapse(0), elapse(150), elapse(100), rows=rows, book=book))
    assert log.state(1).best_bid_tick == by_engine(engine, reference=NO_BID_TICK, ours=97)
    assert log.state(2).best_ask_tick == by_engine(engine, reference=104, ours=103)
    assert log.state(1).best_ask_tick == 101


@pytest.mark.parametrize(("side", "sentinel"), [(BUY, NO_ASK_TICK), (SELL, NO_BID_TICK)])
def test_d15_a_market_order_expires_where_the_exchange_has_no_other_side(engine: Engine, side: int, sentinel: int) -> None:
    # The exchange's side is cleared while we still see it.
    flag, tick = (SELL_EVENT, 102) if side == BUY else (BUY_EVENT, 98)
    rows = (cleared(flag, tick, 120, halves=EXCH_EVENT),)
    log = run(engine, story(elapse(50), submit(1, side, 0, 2, type=MARKET), elapse(50), rows=rows))
    order = log.order(-1, 1)
    if engine.is_reference:
        assert (order.status, order.exec_price_tick) == (FILLED, sentinel)
    else:
        assert (order.status, order.exec_qty, log.state(-1).position) == (EXPIRED, 0, 0)


# --- the clock ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "wait", [Action(WAIT_FEED, duration=UNTIL_END_OF_DATA), Action(ELAPSE, duration=UNTIL_END_OF_DATA)]
)
def test_d20_a_time_out_that_no_clock_reaches_waits_until_the_end(engine: Engine, wait: Action) -> None:
    log = run(engine, story(elapse(0), wait, rows=(bid(98, 4, 500),)))
    if engine.is_reference:
        assert (log.codes[1], log.times[1] < 0) == (0, True)
    elif wait.op == WAIT_FEED:
        assert (log.codes[1], log.times[1]) == (2, 500)
    else:
        assert (log.codes[1], log.times[1]) == (1, 100)  # the end of the data leaves the clock where it was


def test_d20_waiting_for_an_answer_without_a_limit_gets_it(engine: Engine) -> None:
    wait = Action(WAIT_RESPONSE, id=1, duration=UNTIL_END_OF_DATA)
    log = run(engine, story(elapse(0), submit(1, BUY, 97, 1), wait))
    assert log.codes[2] == 0
    assert log.times[2] == by_engine(engine, reference=log.times[2], ours=120)
    assert (log.times[2] < 0) is engine.is_reference


def test_d21_time_does_not_run_backwards(engine: Engine) -> None:
    log = run(engine, story(elapse(50), elapse(-20), elapse(10)))
    assert (log.codes[1], log.times[1]) == by_engine(engine, reference=(0, 130), ours=(INVALID_ORDER_REQUEST, 150))
    assert log.times[2] == by_engine(engine, reference=140, ours=160)


def test_d22_an_order_may_be_the_first_call(engine: Engine) -> None:
    log = run(engine, story(submit(1, BUY, 101, 1), elapse(50)))
    order = log.order(-1, 1)
    assert log.order(0, 1).local_timestamp == by_engine(engine, reference=UNTIL_END_OF_DATA, ours=100)
    # The reference's order arrives at time 0, rests in an empty book and is met by the first ask.
    assert (order.status, order.exch_timestamp) == (FILLED, by_engine(engine, reference=100, ours=110))
    assert log.times[-1] == 150


def test_d22_waiting_may_be_the_first_call(engine: Engine) -> None:
    log = run(engine, story(Action(WAIT_RESPONSE, id=1, duration=50)))
    assert log.codes == by_engine(engine, reference=[1], ours=[0])


# --- data and arguments ---------------------------------------------------------------------------------------------
def test_d33_a_latency_offset_leaves_the_callers_rows_alone(engine: Engine) -> None:
    case = story(latency_offset=1000)
    rows = case.assets[0].market.events()
    before = rows.copy()
    asset = engine.asset(case.assets[0], [], parts=[rows])
    backtest = engine.module.HashMapMarketDepthBacktest([asset])
    log = _run_once(backtest)
    backtest.close()
    assert log == 100  # the exchange's clock is first
    assert (rows == before).all() == by_engine(engine, reference=False, ours=True)


@njit
def _run_once(hbt):
    hbt.elapse(0)
    return hbt.current_timestamp


def test_d35_an_order_knows_its_tick_size(engine: Engine) -> None:
    with engine.open(story()) as backtest:
        assert tick_size_of_order(backtest) == by_engine(engine, reference=97.0, ours=1.0)


@pytest.mark.parametrize("qty", [0.0, -1.0, np.nan])
def test_d41_a_quantity_that_is_none_is_refused(engine: Engine, qty: float) -> None:
    with engine.open(story()) as backtest:
        assert submit_qty(backtest, qty) == by_engine(engine, reference=OK, ours=INVALID_ORDER_REQUEST)


@pytest.mark.parametrize("sizes", [{"tick_size": 0.0}, {"tick_size": -1.0}, {"lot_size": 0.0}, {"tick_size": float("nan")}])
def test_d41_a_grid_without_steps_is_refused_at_the_door(ours: Engine, sizes: dict[str, float]) -> None:
    # The reference builds it and divides by zero.
    asset = AssetCase(Rows((*BOOK, bid(1, 1, LATE))))
    builder = ours.asset(asset, [])
    for name, value in sizes.items():
        with pytest.raises(ValueError, match=name):
            ours.module.HashMapMarketDepthBacktest([getattr(builder, name)(value)]).close()


def test_flags_that_nobody_knows_are_refused_at_the_door(reference: Engine, ours: Engine) -> None:
    # B1.2, H3.33: the reference ignores them.
    case = story(elapse(0), book=(*BOOK, (bid(100, 5)[0] | 1 << 12, *bid(100, 5)[1:])))
    assert run(reference, case).state(0).best_bid_tick == 100
    with pytest.raises(ValueError, match="row 4: unknown flag"):
        run(ours, case)


ABORTS = """
import numpy as np
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.types import event_dtype
rows = np.zeros(1, event_dtype)
asset = BacktestAsset().tick_size(1.0).lot_size(1.0)
asset.add_data(rows)
HashMapMarketDepthBacktest([asset]).position(5)
print("still here")
"""


def test_d30_an_asset_that_does_not_exist_is_an_exception(ours: Engine) -> None:
    result = subprocess.run([sys.executable, "-c", ABORTS], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode != 0, REFERENCE_MODULE
    assert "still here" not in result.stdout
    with ours.open(story()) as backtest, pytest.raises(IndexError):
        backtest.position(5)


def test_d31_parts_may_be_of_any_length(ours: Engine) -> None:
    # The reference reports an error and hangs when a part ends before the other half has entered it.
    whole = touch_case(seeded(3), (QUEUES[0], EXCHANGES[0]), Synthetic(8, 900))
    in_parts = dataclasses.replace(whole.assets[0], splits=(0, 300, 300, 301, 302, 600))
    assert run(ours, dataclasses.replace(whole, assets=(in_parts,))).to_bytes() == run(ours, whole).to_bytes()


@pytest.mark.parametrize("wrong", [{"tif": 9}, {"type": 7}])
def test_d34_an_unknown_order_code_is_refused(ours: Engine, wrong: dict[str, int]) -> None:
    # The reference makes an undefined value of it.
    log = run(ours, story(elapse(0), submit(1, BUY, 97, 1, **wrong), elapse(50)))
    assert (log.codes, log.order(-1, 1).is_known) == ([OK, INVALID_ORDER_REQUEST, OK], 0)


def test_d34_closing_twice_is_closing_once(ours: Engine) -> None:
    with ours.open(story()) as backtest:
        assert backtest.close() == 0


# --- positions --------------------------------------------------------------------------------------------------------
def test_d60_a_position_that_was_closed_is_zero(reference, ours) -> None:
    """Lots of 0.1 bought as 0.3 and sold as 0.1 and 0.2: sums of floats leave 2.8e-17, sums of lots nothing."""
    rows = [
        (EXCH_EVENT | 2**30 | 1 | BUY_EVENT, 100, 100, 10.0, 5.0),
        (EXCH_EVENT | 2**30 | 1 | SELL_EVENT, 100, 100, 11.0, 5.0),
        (EXCH_EVENT | 2**30 | 1 | BUY_EVENT, 10_000, 10_000, 9.0, 5.0),
    ]
    left = {}
    for engine in (reference, ours):
        case = Case((AssetCase(Rows(tuple(rows)), 1.0, 0.1),))
        with engine.open(case) as hbt:
            hbt.elapse(1)
            for order_id, (qty, is_buy) in enumerate(((0.3, True), (0.1, False), (0.2, False))):
                submit = hbt.submit_buy_order if is_buy else hbt.submit_sell_order
                submit(0, order_id, 11.0 if is_buy else 10.0, qty, GTC, LIMIT, False)
                hbt.elapse(50)
            left[engine.name] = hbt.position(0)
    assert 0.0 < abs(left[reference.name]) < 1e-15
    assert left[ours.name] == 0.0


def test_d60_fifty_buys_of_a_tenth_reach_a_limit_of_five(reference, ours) -> None:
    """Where a strategy asks whether its position is below its limit, hftbacktest's sum of floats says that it is."""
    rows = [
        (EXCH_EVENT | 2**30 | 1 | SELL_EVENT, 100, 100, 11.0, 50.0),
        (EXCH_EVENT | 2**30 | 1 | BUY_EVENT, 10_000, 10_000, 9.0, 5.0),
    ]
    held = {}
    for engine in (reference, ours):
        with engine.open(Case((AssetCase(Rows(tuple(rows)), 1.0, 0.1),))) as hbt:
            hbt.elapse(1)
            for order_id in range(50):
                hbt.submit_buy_order(0, order_id, 11.0, 0.1, GTC, LIMIT, False)
                hbt.elapse(50)
            held[engine.name] = hbt.position(0)
    assert 5.0 - 1e-12 < held[reference.name] < 5.0
    assert held[ours.name] == 5.0


def test_d16_a_negative_quantity_is_refused_at_the_door(engine: Engine) -> None:
    case = story(elapse(0), elapse(200), rows=(bid(100, -3, 200),))
    if engine.is_reference:
        assert run(engine, case).state(-1).best_bid_tick == 100
    else:
        with pytest.raises(DataError, match="qty"):
            run(engine, case)


def test_d36_everything_can_be_imported_at_once() -> None:
    with pytest.raises(AttributeError):
        exec("from hftbacktest import *", {})
    names: dict[str, Any] = {}
    exec("from queuefront.compat.hftbacktest import *", names)
    assert "HashMapMarketDepthBacktest" in names


def test_d37_a_recorder_that_is_full_grows(engine: Engine) -> None:
    with engine.open(story()) as hbt:
        hbt.elapse(0)
        recorder = engine.module.Recorder(1, 2)
        recorder.recorder.record(hbt)
        if engine.is_reference:
            with pytest.raises(IndexError):
                recorder.recorder.record(hbt)
        else:
            for _ in range(5):
                recorder.recorder.record(hbt)
            assert len(recorder.get(0)) == 6
