"""Balances of a spot market, told as short stories: what is free, what is held, and what comes back.

Prices are whole, a lot is one, so that every balance can be counted in the head.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from queuefront.core import EVENT, ConfigError, Instrument, OffGridError
from queuefront.core.enums import (
    BUY_EVENT,
    CANCELED,
    DEPTH_EVENT,
    EXCH_EVENT,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    IOC,
    LIMIT,
    LOCAL_EVENT,
    MARKET,
    NEW,
    PARTIALLY_FILLED,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Tape
from queuefront.sim import Asset, PartialFill, ValueFees, build_backtester, read_results
from tests.small_market import INVERSE, market

INSTRUMENT = Instrument("venue", "SPOT", "1", "1")
BOTH = EXCH_EVENT | LOCAL_EVENT
BID, ASK = BUY_EVENT, SELL_EVENT
OPENING = ((DEPTH_EVENT | BID, 100, 99, 5), (DEPTH_EVENT | ASK, 100, 101, 4), (DEPTH_EVENT | ASK, 100, 103, 9))


class Spot:
    """A run on a spot market at 99 to 101 that has received its book."""

    def __init__(self, base: Any, quote: Any, *later: tuple[int, int, int, int], **models: Any) -> None:
        rows = [*OPENING, *later, (DEPTH_EVENT | ASK, 100_000, 200, 1)]
        events = np.zeros(len(rows), EVENT)
        for i, (ev, ts, px, qty) in enumerate(rows):
            events[i] = (BOTH | ev, ts, ts, px, qty, 0, 0, 0.0)
        models = {"exchange": PartialFill(), **models}
        self.asset = Asset(Tape.build(events, INSTRUMENT, source="spot"), balances=(base, quote), **models)
        self.tapes = [self.asset.load()]
        self.hbt, self.handles = build_backtester([self.asset], self.tapes)
        self.hbt.elapse(50)

    def send(self, side: str, order_id: int, tick: float, qty: float, tif: int = GTC, kind: int = LIMIT) -> int:
        """Send an order, wait for its answers, and return its status."""
        submit = self.hbt.submit_buy_order if side == "buy" else self.hbt.submit_sell_order
        assert submit(0, order_id, tick, qty, tif, kind, False) == 0
        self.hbt.elapse(1)
        return self.status(order_id)

    def status(self, order_id: int) -> int:
        return int(self.hbt.orders(0).get(order_id).status)

    def free(self) -> tuple[int, int]:
        """Return what is free of the (base, quote) currency, in lots and units."""
        state = read_results(self.hbt, self.handles, [self.asset], self.tapes)[0].state[0]
        return int(state["free_base_lots"]), int(state["free_quote_high"]) * 10**18 + int(state["free_quote_low"])


# --- what is refused --------------------------------------------------------------------------------------------------
def test_a_purchase_beyond_the_balance_expires():
    spot = Spot(0, 989)
    assert spot.send("buy", 1, 99, 10) == EXPIRED
    assert spot.free() == (0, 989)
    assert spot.send("buy", 2, 98, 10) == NEW
    assert spot.free() == (0, 9)


def test_a_sale_beyond_the_balance_expires():
    spot = Spot(3, 0)
    assert spot.send("sell", 1, 101, 4) == EXPIRED
    assert spot.send("sell", 2, 101, 3) == NEW
    assert spot.free() == (0, 0)


@pytest.mark.parametrize(("quote", "status"), [(990, NEW), (989, EXPIRED)])
def test_a_balance_covers_an_order_to_the_last_unit(quote, status):
    assert Spot(0, quote).send("buy", 1, 99, 10) == status


def test_what_a_resting_order_holds_is_not_free_for_another():
    spot = Spot(0, 1_000)
    assert spot.send("buy", 1, 90, 10) == NEW
    assert spot.send("buy", 2, 90, 2) == EXPIRED
    assert spot.send("buy", 3, 90, 1) == NEW
    assert spot.free() == (0, 10)


def test_buying_does_not_need_base_nor_selling_quote():
    spot = Spot(5, 500)
    assert spot.send("buy", 1, 90, 5) == NEW
    assert spot.send("sell", 2, 110, 5) == NEW
    assert spot.free() == (0, 50)


# --- what comes back --------------------------------------------------------------------------------------------------
def test_a_cancel_gives_back_what_was_held():
    spot = Spot(5, 1_000)
    spot.send("buy", 1, 90, 10)
    spot.send("sell", 2, 110, 5)
    assert spot.free() == (0, 100)
    for order_id in (1, 2):
        assert spot.hbt.cancel(0, order_id, True) == 0
        assert spot.status(order_id) == CANCELED
    assert spot.free() == (5, 1_000)


def test_a_fill_gives_the_other_currency_at_the_price_that_was_held():
    spot = Spot(0, 1_000, (TRADE_EVENT | ASK, 300, 99, 7))
    assert spot.send("buy", 1, 99, 2) == NEW
    spot.hbt.elapse(1_000)
    assert spot.status(1) == FILLED
    assert spot.free() == (2, 1_000 - 198)


def test_what_was_bought_can_be_sold():
    spot = Spot(0, 1_000)
    assert spot.send("buy", 1, 102, 4, IOC) == FILLED
    assert spot.send("sell", 2, 98, 4, IOC) == FILLED
    assert spot.free() == (0, 1_000 - 4 * 101 + 4 * 99)


def test_a_better_price_than_the_limit_gives_the_difference_back():
    spot = Spot(0, 1_000)
    assert spot.send("buy", 1, 103, 4) == FILLED  # at 101, though 103 each was held
    assert spot.free() == (4, 1_000 - 404)


def test_a_part_that_fills_leaves_the_rest_held():
    spot = Spot(0, 1_000, (TRADE_EVENT | ASK, 300, 99, 8))
    assert spot.send("buy", 1, 99, 10) == NEW  # five are ahead
    spot.hbt.elapse(1_000)
    assert spot.status(1) == PARTIALLY_FILLED
    assert spot.free() == (3, 10)
    assert spot.hbt.cancel(0, 1, True) == 0
    assert spot.free() == (3, 1_000 - 297)


def test_what_an_order_cannot_get_comes_back_when_it_expires():
    spot = Spot(0, 1_000)
    assert spot.send("buy", 1, 101, 9, IOC) == EXPIRED  # four of nine
    assert spot.free() == (4, 1_000 - 404)
    assert spot.send("buy", 2, 101, 5, FOK) == EXPIRED
    assert spot.free() == (4, 1_000 - 404)


def test_a_smaller_quantity_frees_the_difference_and_keeps_its_place():
    spot = Spot(0, 1_000)
    spot.send("buy", 1, 90, 10)
    assert spot.hbt.modify(0, 1, 90, 4, True) == 0
    assert spot.free() == (0, 1_000 - 360)


def test_a_modification_that_the_balance_does_not_cover_ends_the_order():
    spot = Spot(0, 1_000)
    spot.send("buy", 1, 90, 10)
    assert spot.hbt.modify(0, 1, 95, 10, True) == 0  # what it held itself counts
    assert spot.free() == (0, 50)
    assert spot.hbt.modify(0, 1, 95, 11, True) == 0
    assert spot.status(1) == EXPIRED
    assert spot.free() == (0, 1_000)


# --- the edges --------------------------------------------------------------------------------------------------------
def test_a_market_purchase_that_walks_up_the_book_may_overdraw_by_the_difference():
    spot = Spot(0, 606)
    assert spot.send("buy", 1, 0, 6, IOC, MARKET) == FILLED  # 4 at 101, 2 at 103; held at 101
    assert spot.free() == (6, -4)
    assert spot.send("buy", 2, 1, 1) == EXPIRED


def test_fees_are_charged_where_fills_are_booked_and_not_held():
    spot = Spot(0, 404, fees=ValueFees(0, "0.1"))
    assert spot.send("buy", 1, 101, 4) == FILLED
    assert spot.free() == (4, 0)
    assert spot.hbt.state_values(0).fee == pytest.approx(40.4)


def test_balances_of_more_than_int64_are_counted_exactly():
    spot = Spot(0, 10**30 + 7)
    spot.send("buy", 1, 99, 10)
    assert spot.free() == (0, 10**30 + 7 - 990)
    spot.hbt.cancel(0, 1, True)
    assert spot.free() == (0, 10**30 + 7)


def test_a_part_of_a_unit_buys_nothing():
    assert Spot(0, "989.99").free() == (0, 989)


def test_without_balances_nothing_is_held():
    asset = Asset(market(), exchange=PartialFill())
    hbt, _ = build_backtester([asset], [asset.load()])
    hbt.elapse(1_000_000_000)
    assert hbt.submit_sell_order(0, 1, 102.0, 1e6, GTC, LIMIT, True) == 0
    assert hbt.orders(0).get(1).status == NEW


@pytest.mark.parametrize("balances", [(-1, 5), (1, "-0.5"), (0, -1)])
def test_negative_balances_are_refused(balances):
    with pytest.raises(ConfigError) as caught:
        Spot(*balances)
    assert str(caught.value) == f"the balances are {balances[0]} and {balances[1]}; none can be negative"


def test_a_balance_off_the_grid_is_refused():
    with pytest.raises(OffGridError) as caught:
        Spot("0.5", 1)
    assert str(caught.value) == "quantity 0.5 of venue:SPOT is not a multiple of lot_size 1"


def test_an_inverse_contract_has_no_balances():
    asset = Asset(market(INVERSE), balances=(1, 1))
    with pytest.raises(ConfigError) as caught:
        build_backtester([asset], [asset.load()])
    assert str(caught.value) == "venue:INV is no spot market and has no balances; leave them out"
