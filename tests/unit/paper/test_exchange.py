from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from queuefront.core.errors import ConfigError
from queuefront.paper import Listing, PaperConfig, PaperVenue
from tests.paper_market import COINM, SPOT, T0, USDM, VENUES, Client, Watcher, paper, story


def client(venue: str = USDM, **changes: Any) -> Client:
    return Client(paper(venue, **changes))


def test_an_order_waits_for_the_quantity_ahead_and_then_fills_by_the_trade() -> None:
    """10 rest ahead at 100; 4 and then 10 are sold there, so 4 of ours trade at most."""
    trader = client()
    placed = trader.place("BUY", "100", "5")
    assert (placed["status"], placed["executedQty"]) == ("NEW", "0.00")
    trader.wait(6)
    assert trader.query(orderId=placed["orderId"])["executedQty"] == "0.00"
    trader.wait(2)
    queried = trader.query(orderId=placed["orderId"])
    assert (queried["status"], queried["executedQty"], queried["avgPrice"]) == ("PARTIALLY_FILLED", "4.00", "100.00000")


def test_an_order_that_takes_fills_at_once_at_the_books_prices() -> None:
    trader = client()
    placed = trader.place("BUY", "101.5", "15", "IOC")
    assert (placed["status"], placed["executedQty"]) == ("FILLED", "15.00")
    assert trader.query(orderId=placed["orderId"])["cumQuote"] == "1517.50000000"


def test_quantity_that_was_taken_is_not_there_a_second_time() -> None:
    trader = client()
    trader.market("BUY", "10")
    second = trader.place("BUY", "101", "1", "IOC")
    assert (second["status"], second["executedQty"]) == ("EXPIRED", "0.00")


def test_what_is_left_of_an_ioc_expires() -> None:
    trader = client()
    placed = trader.place("BUY", "101", "12", "IOC")
    assert (placed["status"], placed["executedQty"]) == ("EXPIRED", "10.00")


def test_a_fok_that_cannot_fill_whole_is_refused_on_futures_and_expires_on_spot() -> None:
    futures, spot = client(USDM), client(SPOT)
    assert futures.place("BUY", "101", "12", "FOK")["code"] == -5021
    assert futures.query(orderId=1)["code"] == -2013
    assert spot.place("BUY", "101", "12", "FOK")["status"] == "EXPIRED"


def test_a_post_only_order_that_would_take_is_refused_and_not_recorded() -> None:
    futures, spot = client(USDM), client(SPOT)
    assert futures.place("BUY", "101", "1", "GTX")["code"] == -5022
    assert futures.call("GET", "/allOrders", symbol=futures.symbol) == []
    order = {"symbol": spot.symbol, "side": "BUY", "type": "LIMIT_MAKER", "quantity": "1", "price": "101"}
    assert spot.call("POST", "/order", **order) == {"code": -2010, "msg": "Order would immediately match and take."}
    assert spot.call("POST", "/order", **{**order, "price": "100"})["status"] == "NEW"


@pytest.mark.parametrize("venue", VENUES)
def test_a_canceled_order_is_gone_and_cannot_be_canceled_again(venue: str) -> None:
    trader = client(venue)
    order_id = trader.place()["orderId"]
    assert trader.call("DELETE", "/order", symbol=trader.symbol, orderId=order_id)["status"] == "CANCELED"
    again = trader.call("DELETE", "/order", symbol=trader.symbol, orderId=order_id)
    assert again == {"code": -2011, "msg": "Unknown order sent."}
    assert trader.call("GET", "/openOrders") == []


def test_a_client_id_is_unique_among_open_orders_and_free_again_afterwards() -> None:
    trader = client()
    trader.place(newClientOrderId="mine")
    assert trader.place(newClientOrderId="mine") == {"code": -4116, "msg": "ClientOrderId is duplicated."}
    trader.call("DELETE", "/order", symbol=trader.symbol, origClientOrderId="mine")
    assert trader.place(newClientOrderId="mine")["status"] == "NEW"


def test_a_modified_order_keeps_its_id_and_goes_to_the_end_of_the_queue() -> None:
    trader = client()
    order_id = trader.place("BUY", "100", "5")["orderId"]
    change = {"symbol": trader.symbol, "orderId": order_id, "side": "BUY", "quantity": "4", "price": "100"}
    trader.wait(6)
    assert trader.call("PUT", "/order", **change)["origQty"] == "4.00"
    trader.wait(2)  # 6 rest ahead now, and 10 are sold: 4 are left for ours
    assert trader.query(orderId=order_id)["status"] == "FILLED"


def test_modifying_refuses_what_the_venue_refuses() -> None:
    trader = client()
    order_id = trader.place("BUY", "99.5", "5", "GTX")["orderId"]
    change = {"symbol": trader.symbol, "orderId": order_id, "side": "BUY", "quantity": "5", "price": "99.5"}
    assert trader.call("PUT", "/order", **change) == {"code": -5027, "msg": "No need to modify the order."}
    assert trader.call("PUT", "/order", **{**change, "price": "101"})["status"] == "CANCELED"
    assert trader.call("PUT", "/order", **change) == {"code": -2013, "msg": "Order does not exist."}
    taken = trader.market()["orderId"]
    assert trader.call("PUT", "/order", **{**change, "orderId": taken})["code"] == -5025


def test_a_quantity_that_is_filled_already_cancels_the_order() -> None:
    trader = client()
    order_id = trader.place("BUY", "101", "12")["orderId"]
    change = {"symbol": trader.symbol, "orderId": order_id, "side": "BUY", "quantity": "10", "price": "101"}
    assert trader.call("PUT", "/order", **change)["status"] == "CANCELED"


def test_an_order_is_changed_ten_thousand_times_at_most() -> None:
    trader = client()
    order_id = trader.place()["orderId"]
    trader.venue.exchange.orders.find(trader.symbol, order_id, None).change_count = 10_000
    change = {"symbol": trader.symbol, "orderId": order_id, "side": "BUY", "quantity": "2", "price": "99.5"}
    assert trader.call("PUT", "/order", **change) == {"code": -5026, "msg": "Exceed maximum modify order limit."}


@pytest.mark.parametrize("verb", ["POST", "PUT"])
def test_an_order_too_large_for_the_engine_is_refused_and_leaves_no_trace(verb: str) -> None:
    trader = client(balances={"USDT": "1e18"})
    order_id = trader.place("BUY", "99.5", "5")["orderId"]
    large = {"price": "499999999.5", "quantity": "240000000"}
    if verb == "POST":
        answer = trader.place(price=large["price"], qty=large["quantity"])
    else:
        answer = trader.call("PUT", "/order", symbol=trader.symbol, orderId=order_id, side="BUY", **large)
    assert answer == {"code": -1130, "msg": "Data sent for parameter 'quantity' is not valid."}
    assert [(o["price"], o["origQty"]) for o in trader.call("GET", "/openOrders")] == [("99.5", "5.00")]


def test_reduce_only_orders_never_open_a_position() -> None:
    trader = client()
    assert trader.place("SELL", "101", "1", reduceOnly="true") == {"code": -2022, "msg": "ReduceOnly Order is rejected."}
    trader.market("BUY", "2")
    first = trader.place("SELL", "102", "2", reduceOnly="true")["orderId"]
    second = trader.place("SELL", "102.5", "2", reduceOnly="true")["orderId"]
    trader.market("SELL", "1")
    assert trader.query(orderId=first)["origQty"] == "1.00"
    trader.market("SELL", "1")
    assert {trader.query(orderId=o)["status"] for o in (first, second)} == {"EXPIRED"}
    assert trader.call("GET", "/fapi/v2/positionRisk", symbol=trader.symbol)[0]["positionAmt"] == "0.00"


def test_reduce_only_fills_of_one_step_stop_where_the_position_ends() -> None:
    """Two of them fill by the same trade, and together would sell more than there is."""
    trader = client()
    trader.market("BUY", "1")
    trader.wait(7)
    for _ in range(2):
        assert trader.place("SELL", "101", "1", reduceOnly="true")["status"] == "NEW"
    trader.wait(10)
    assert trader.call("GET", "/fapi/v2/positionRisk", symbol=trader.symbol)[0]["positionAmt"] == "0.00"


def test_a_countdown_cancels_everything_when_it_is_not_renewed() -> None:
    trader = client()
    trader.place()
    trader.call("POST", "/countdownCancelAll", symbol=trader.symbol, countdownTime="1000")
    trader.wait(0.5)
    assert len(trader.call("GET", "/openOrders")) == 1
    trader.wait(0.6)
    assert trader.call("GET", "/openOrders") == []


def test_events_come_in_the_order_in_which_things_happened() -> None:
    trader = client()
    watcher = Watcher(trader.venue)
    trader.place("BUY", "101", "12", "IOC")
    assert [(e["e"], e.get("o", {}).get("x")) for e in watcher.events()] == [
        ("ORDER_TRADE_UPDATE", "NEW"),
        ("ACCOUNT_UPDATE", None),
        ("ORDER_TRADE_UPDATE", "TRADE"),
        ("ORDER_TRADE_UPDATE", "EXPIRED"),
    ]


def test_after_the_end_of_the_tape_the_last_book_stands() -> None:
    trader = client()
    trader.wait(1000)
    assert trader.venue.exchange.is_over
    assert trader.market("BUY", "1")["status"] == "FILLED"
    assert trader.place("BUY", "99", "1")["status"] == "NEW"
    trader.wait(1000)


def test_the_engines_books_and_the_accounts_agree() -> None:
    trader = client()
    trader.market("BUY", "3")
    trader.place("BUY", "100", "5")
    trader.wait(30)
    trader.market("SELL", "2.5")
    traded, account = trader.venue.exchange.markets[trader.symbol], trader.venue.exchange.futures
    position = account.positions[trader.symbol]
    assert Decimal(str(traded.engine.position)) == position.qty
    assert traded.engine.fee == pytest.approx(float(position.fees), abs=1e-8)


def test_a_market_without_a_side_of_its_book_marks_by_the_last_trade() -> None:
    from tests.paper_market import SOLD

    venue = paper(USDM, story(USDM, [(SOLD, 0, 100.0, 1)]))
    assert venue.exchange.markets["BTCUSDT"].mark_price() == 100
    assert Client(venue).market("BUY", "1")["status"] == "EXPIRED"


def test_an_exchange_without_a_market_or_with_one_twice_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        PaperVenue(PaperConfig(USDM, []))
    assert str(caught.value) == "the paper exchange has no market; give at least one tape"
    with pytest.raises(ConfigError) as caught:
        PaperVenue(PaperConfig(COINM, [Listing(story(COINM)), Listing(story(COINM))]))
    assert str(caught.value) == "two tapes are listed as BTCUSD_PERP; name one of them otherwise"


def test_the_tape_begins_where_the_venues_time_is_told_to_begin_and_runs_faster_where_asked() -> None:
    venue = paper(USDM, start_ns=5 * 10**18, speed=10)
    trader = Client(venue)
    trader.wait(0.75)
    assert venue.exchange.now_ns == 5 * 10**18 + 750_000_000
    trades = trader.get("/trades", symbol=trader.symbol)
    assert [(t["qty"], t["time"]) for t in trades] == [("4.00", 5 * 10**12 + 500), ("10.00", 5 * 10**12 + 700)]
    assert venue.exchange.now_ns > T0
