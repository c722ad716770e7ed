from __future__ import annotations

from decimal import Decimal

import pytest

from queuefront.paper import Listing
from queuefront.paper.futures_account import PaperPosition
from queuefront.paper.listing import list_market
from queuefront.paper.rules import rules_of
from tests.paper_market import COINM, USDM, Client, paper, story


def position(venue: str = USDM) -> PaperPosition:
    return PaperPosition(list_market(Listing(story(venue)), rules_of(venue))[0])


def D(text: str) -> Decimal:  # noqa: N802
    return Decimal(text)


def test_a_position_is_built_reduced_closed_and_turned() -> None:
    held = position()
    assert held.take(D("100"), D("2")) == 0
    assert held.take(D("106"), D("1")) == 0
    assert (held.qty, held.entry_price, held.profit_at(D("110"))) == (3, 102, 24)
    assert held.take(D("105"), D("-1")) == 3
    assert (held.qty, held.entry_price) == (2, 102)
    assert held.take(D("101"), D("-5")) == -2
    assert (held.qty, held.entry_price, held.realized) == (-3, 101, 1)
    assert held.take(D("100"), D("3")) == 3
    assert (held.qty, held.cost, held.entry_price, held.profit_at(D("1"))) == (0, 0, 0, 0)


def test_an_inverse_position_is_worth_its_face_over_the_price() -> None:
    """100 contracts of 100 USD from 50 to 100: 10,000 × (1/50 − 1/100) = 100 coins."""
    held = position(COINM)
    held.take(D("50"), D("100"))
    assert (held.entry_price, held.profit_at(D("100"))) == (50, 100)
    assert held.take(D("100"), D("-100")) == 100
    short = position(COINM)
    short.take(D("100"), D("-100"))
    assert short.take(D("50"), D("100")) == 100


def test_margin_is_the_larger_position_that_open_orders_may_lead_to() -> None:
    client = Client(paper(USDM))
    client.market("BUY", "2")
    client.place("BUY", "99.5", "1")
    client.place("SELL", "105", "6")
    account = client.venue.exchange.futures
    mark = D("100.5")
    assert account.initial_margin("USDT") == 4 * mark / 20
    assert account.available("USDT") == account.wallets["USDT"] + account.profit("USDT") - 4 * mark / 20


def test_an_order_that_is_not_covered_is_refused_and_one_that_reduces_is_not() -> None:
    client = Client(paper(USDM, balances={"USDT": "11"}))
    assert client.place("BUY", "99.5", "3") == {"code": -2019, "msg": "Margin is insufficient."}
    assert client.market("BUY", "2")["status"] == "FILLED"
    assert client.place("BUY", "99.5", "1")["code"] == -2019
    assert client.place("SELL", "102", "2")["status"] == "NEW"
    client.call("POST", "/leverage", symbol=client.symbol, leverage=100)
    assert client.place("BUY", "99.5", "1")["status"] == "NEW"


def test_a_currency_without_a_wallet_has_nothing_available() -> None:
    assert paper(USDM).exchange.futures.available("DOGE") == 0


@pytest.mark.parametrize("venue", [USDM, COINM])
def test_profit_and_fees_arrive_in_the_wallet_to_the_last_digit(venue: str) -> None:
    client = Client(paper(venue, balances={"USDT": "1000", "BTC": "10"}))
    client.market("BUY", "4")
    client.wait(11)
    client.market("SELL", "3")
    client.market("SELL", "4")
    account = client.venue.exchange.futures
    held = account.positions[client.symbol]
    asset = held.market.asset
    start = 1000 if asset == "USDT" else 10
    assert account.wallets[asset] == start + held.realized - held.fees
    assert held.realized != 0
