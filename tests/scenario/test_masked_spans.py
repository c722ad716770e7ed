"""A stretch of bad data, told as a story: our orders rest through it, nothing fills them, and nothing new gets in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from queuefront.core.enums import CANCELED, EXPIRED, FILLED, GTC, IOC, LIMIT, MARKET, NEW
from queuefront.feed import Tape
from queuefront.sim import Asset, ConstantLatency, FifoQueue, PartialFill, build_backtester, read_results
from tests.passport_market import SECOND, T0, tape_of

#: From 10 to before 20 s the data are bad: the bid jumps above our ask, and trades reach us from both sides.
STORY = (
    (0, "bid", 100, 10), (0, "ask", 102, 10), (5, "bid", 99, 10),
    (11, "bid", 104, 10), (12, "buy", 105, 10), (13, "sell", 90, 10), (14, "bid", 104, 0), (15, "bid", 100, 10),
    (16, "ask", 106, 10),
    (25, "bid", 99, 8), (26, "ask", 102, 9), (30, "buy", 104, 10), (40, "bid", 98, 1),
)  # fmt: skip
BAD = np.array([[T0 + 10 * SECOND, T0 + 20 * SECOND]], np.int64)


class Play:
    """A backtest of a tape at the time of a story."""

    def __init__(self, tape: Tape, **models: Any) -> None:
        self.asset = Asset(tape, latency=ConstantLatency(), **models)
        self.tape = self.asset.load()
        self.hbt, self.handles = build_backtester([self.asset], [self.tape])

    def at(self, seconds: float) -> Play:
        self.hbt.elapse(T0 + round(seconds * SECOND) - self.hbt.current_timestamp)
        return self

    def sell(self, order_id: int, price: float, qty: float = 1.0, tif: int = GTC, kind: int = LIMIT) -> Play:
        self.hbt.submit_sell_order(0, order_id, price, qty, tif, kind, False)
        return self

    def buy(self, order_id: int, price: float, qty: float = 1.0, tif: int = GTC, kind: int = LIMIT) -> Play:
        self.hbt.submit_buy_order(0, order_id, price, qty, tif, kind, False)
        return self

    def status(self, order_id: int) -> int:
        self.hbt.elapse(1)
        return int(self.hbt.orders(0).get(order_id).status)

    def fills(self) -> list[tuple[float, float]]:
        result = read_results(self.hbt, self.handles, [self.asset], [self.tape])[0]
        return [((int(f["exch_ts"]) - T0) / SECOND, int(f["price_tick"])) for f in result.fills]


def masked(**models: Any) -> Play:
    return Play(tape_of(*STORY, (41, "bid", 98, 2)).masked(BAD), **models)


def unmasked(**models: Any) -> Play:
    return Play(tape_of(*STORY, (41, "bid", 98, 2)), **models)


EXCHANGES = pytest.mark.parametrize("models", [{}, {"exchange": PartialFill()}, {"exchange": PartialFill(honest=True)}])


@EXCHANGES
def test_without_a_mask_the_bad_bid_fills_our_ask(models: dict[str, Any]) -> None:
    assert unmasked(**models).at(2).sell(1, 103).at(20).status(1) == FILLED


@EXCHANGES
def test_neither_prices_nor_trades_fill_a_resting_order_in_a_masked_stretch(models: dict[str, Any]) -> None:
    play = masked(**models).at(2).sell(1, 103).buy(2, 95).at(20)
    assert (play.status(1), play.status(2)) == (NEW, NEW)
    assert play.fills() == []


@EXCHANGES
def test_after_the_stretch_trades_fill_again(models: dict[str, Any]) -> None:
    play = masked(**models).at(2).sell(1, 103).at(39)
    assert play.status(1) == FILLED
    assert play.fills() == [(30.0, 103)]


def test_the_first_row_of_a_side_after_the_stretch_brings_its_best_price_back_and_reaches_orders() -> None:
    rows = [row if row[0] != 14 else (14, "bid", 103, 5) for row in STORY]  # the bid stays at 104
    play = Play(tape_of(*rows).masked(BAD)).at(2).sell(1, 103)
    assert play.at(24).status(1) == NEW
    assert play.at(25.5).status(1) == FILLED
    assert play.fills() == [(25.0, 103)]  # by the first row that tells of bids, although it sets another level


@EXCHANGES
@pytest.mark.parametrize(("tif", "kind"), [(GTC, LIMIT), (IOC, LIMIT), (GTC, MARKET)])
@pytest.mark.parametrize("price", [101.0, 110.0])
def test_new_orders_expire_in_a_masked_stretch(models: dict[str, Any], tif: int, kind: int, price: float) -> None:
    assert masked(**models).at(15.5).sell(1, price, tif=tif, kind=kind).status(1) == EXPIRED


def test_the_stretch_holds_from_the_last_row_before_it_to_the_first_row_after_it() -> None:
    assert masked().at(4.9).sell(1, 110).status(1) == NEW
    assert masked().at(5.1).sell(1, 110).status(1) == EXPIRED  # silence from 5 s on: what would it trade with?
    assert masked().at(24.9).sell(1, 110).status(1) == EXPIRED
    assert masked().at(25.1).sell(1, 110).status(1) == NEW


def test_an_order_may_be_canceled_and_made_smaller_in_a_masked_stretch() -> None:
    play = masked().at(2).sell(1, 103, 4).sell(2, 103, 4).sell(3, 103, 4).at(12)
    play.hbt.cancel(0, 1, False)
    play.hbt.modify(0, 2, 103.0, 2.0, False)
    play.hbt.modify(0, 3, 105.0, 4.0, False)
    assert [play.status(k) for k in (1, 2, 3)] == [CANCELED, NEW, EXPIRED]  # another price would queue anew
    assert play.hbt.orders(0).get(2).leaves_qty == 2.0


def test_the_strategy_sees_the_market_as_it_was_recorded() -> None:
    play = masked(last_trades_capacity=10).at(12.5)
    assert play.hbt.depth(0).best_bid == 104.0
    assert [trade["px"] for trade in play.hbt.last_trades(0)] == [105.0]


def test_a_mask_of_nothing_changes_nothing() -> None:
    tape = tape_of(*STORY).masked(np.zeros((0, 2), np.int64))
    assert Play(tape).at(2).sell(1, 103).at(20).fills() == unmasked().at(2).sell(1, 103).at(20).fills() == [(11.0, 103)]


ORDERS = (
    (0, "add bid", 100, 10, 1), (0, "add ask", 102, 10, 2), (5, "add ask", 104, 10, 3),
    (11, "add bid", 103, 1, 4), (12, "fill", 104, 10, 3), (13, "cancel", np.nan, 0, 4),
    (25, "add bid", 99, 1, 5), (26, "add ask", 105, 1, 6), (30, "fill", 105, 1, 6), (40, "add bid", 98, 1, 7),
)  # fmt: skip


def test_a_market_by_order_is_masked_alike() -> None:
    tape = tape_of(*ORDERS)
    assert Play(tape, queue=FifoQueue()).at(2).sell(1, 103).at(20).fills() == [(11.0, 103)]
    play = Play(tape.masked(BAD), queue=FifoQueue()).at(2).sell(1, 103)
    assert play.at(20).status(1) == NEW
    assert play.sell(2, 110).status(2) == EXPIRED
    assert play.at(39).fills() == [(30.0, 103)]


def test_an_asset_masks_what_the_passport_calls_bad() -> None:
    steady = [(k / 20, "bid", 100, 5 + k % 2) for k in range(1_201) if not 420 < k < 500]
    tape = tape_of(*sorted([(0, "ask", 102, 10), *steady, (28.01, "buy", 104, 1)], key=lambda row: row[0]))
    assert Play(tape).at(2).sell(1, 103).at(40).status(1) == FILLED
    assert Play(tape, mask_bad_spans=True).at(2).sell(1, 103).at(40).status(1) == NEW
    assert Play(tape, mask_bad_spans=True).tape.is_masked
