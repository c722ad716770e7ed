"""Each question typed: done with a value, refused with a reason, or unknown; nothing is sent that must not be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.feed import MessageDecoder
from queuefront.venues.binance.client import BinanceClient
from queuefront.venues.binance.config import SessionConfig
from queuefront.venues.binance.encode import OrderTerms
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.binance.vocabulary import Status
from queuefront.venues.errors import MessageError, VenueError
from queuefront.venues.outcome import Done, Reason, Refused, Unknown, value_of
from queuefront.venues.rate_limit import Counted, Limit
from tests.unit.venues.binance.fake_rest import CREDENTIALS, SILENCE, FakeRest, client_of, listing_body, order_body, refused
from tests.virtual_time import VirtualLoop, run

SPOT, USDM, COINM = Market(Product.SPOT), Market(Product.USDM), Market(Product.COINM)
D = Decimal
TERMS = OrderTerms("BTCUSDT", True, "mine", D("0.01"), D("50000"))


def ask(
    scene: Callable[[BinanceClient, FakeRest], Awaitable[Any]], market: Market = USDM, *, is_private: bool = True
) -> Any:
    async def main(loop: VirtualLoop) -> Any:
        client, rest = client_of(loop, market, is_private=is_private)
        try:
            return await scene(client, rest)
        finally:
            await client.close()
            assert rest.is_closed

    return run(main)


def test_an_order_is_placed_with_the_venues_time() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.offset_ms = 3_600_000
        rest.on("POST order", order_body())
        outcome = await client.place(TERMS)
        assert isinstance(outcome, Done)
        assert (outcome.value.status, outcome.value.cid) == (Status.NEW, "mine")
        assert rest.names() == ["GET time", "POST order"]
        sent = rest.last("POST order")
        assert int(sent["timestamp"]) == client.clock() // 1_000_000 + 3_600_000
        assert (sent["price"], sent["quantity"], sent["recvWindow"]) == ("50000", "0.01", "5000")

    ask(scene)


def test_a_refused_time_sets_the_clock_and_sends_once_more() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.on("POST order", refused(-1021), order_body())
        assert isinstance(await client.place(TERMS), Done)
        assert rest.names() == ["GET time", "POST order", "GET time", "POST order"]

    ask(scene)


@pytest.mark.parametrize(
    ("answer", "reason"), [(refused(-2019), Reason.INSUFFICIENT_FUNDS), (refused(-5022), Reason.POST_ONLY_WOULD_TAKE)]
)
def test_a_refusal_is_decoded(answer: Any, reason: Reason) -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.on("POST order", answer)
        outcome = await client.place(TERMS)
        assert isinstance(outcome, Refused)
        assert outcome.reason is reason

    ask(scene)


@pytest.mark.parametrize(
    "answer", [SILENCE, (503, {"code": -1007, "msg": "unknown"}), (200, b'{"orderId'), (200, {"orderId": []})]
)
def test_an_answer_that_proves_nothing_is_unknown_and_the_order_is_sent_once(answer: Any) -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.on("POST order", answer)
        assert isinstance(await client.place(TERMS), Unknown)
        assert rest.names().count("POST order") == 1

    ask(scene)


def test_a_batch_gives_one_outcome_an_order_in_their_order() -> None:
    """H2.12."""

    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.on("POST batchOrders", [order_body(cid="a"), {"code": -2019, "msg": "no"}, {"code": -1007, "msg": "?"}])
        outcome = await client.place_many([TERMS] * 3)
        assert isinstance(outcome, Done)
        first, second, third = outcome.value
        assert isinstance(first, Done)
        assert first.value.cid == "a"
        assert second == Refused(Reason.INSUFFICIENT_FUNDS, -2019, "no", 0, b'{"code":-2019,"msg":"no"}')
        assert isinstance(third, Unknown)
        rest.on("POST batchOrders", [order_body()])
        assert await client.place_many([TERMS] * 3) == Unknown("place 3 orders: 1 answers")

    ask(scene)


def test_a_live_venue_gets_no_order_and_no_leverage_without_the_words() -> None:
    async def main(loop: VirtualLoop) -> None:
        rest = FakeRest(loop.now_ns)
        live = BinanceClient(SessionConfig("binance-usdm"), rest, CREDENTIALS, jitter=lambda: 0.0, clock=loop.now_ns)
        for send in (
            live.place(TERMS),
            live.place_many([TERMS]),
            live.modify(TERMS),
            live.shrink("X", "mine", D(1)),
            live.cancel_replace(TERMS, cancel_cid="b"),
            live.set_leverage("X", 3),
        ):
            with pytest.raises(ConfigError, match=r"is live; to trade there set live_trading"):
                await send
        assert rest.asked == []

    run(main)


def test_what_is_private_needs_credentials() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        with pytest.raises(VenueError) as caught:
            await client.balances()
        need = "this needs credentials; set them in the environment, or name a file of keys"
        assert str(caught.value) == f"balances: {need}"
        with pytest.raises(VenueError) as caught:
            await client.listen_key()
        assert str(caught.value) == f"user data: {need}"
        assert rest.asked == []
        assert isinstance(await client.server_time(), Done)

    ask(scene, is_private=False)


def test_questions_of_futures_are_typed() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.on("GET order", order_body("FILLED", "0.010"))
        rest.on("GET openOrders", [order_body()])
        rest.on("PUT order", order_body(price="50001.0"))
        rest.on("DELETE order", order_body("CANCELED"))
        rest.on("DELETE allOpenOrders", {"code": 200, "msg": "done"})
        rest.on("GET positionRisk", [{"symbol": "BTCUSDT", "positionAmt": "-0.5", "positionSide": "BOTH"}])
        rest.on("GET balance", [{"asset": "USDT", "balance": "12.5"}])
        rest.on("GET account", {"canTrade": False})
        rest.on("GET positionSide/dual", {"dualSidePosition": True})
        rest.on("POST leverage", {"symbol": "BTCUSDT", "leverage": 9})
        rest.on("GET commissionRate", {"symbol": "BTCUSDT", "makerCommissionRate": "0.1", "takerCommissionRate": "0.2"})
        rest.on("POST listenKey", {"listenKey": "abc"}, {})
        rest.on("PUT listenKey", {})
        assert value_of(await client.query("BTCUSDT", "mine"), "q").status is Status.FILLED
        assert len(value_of(await client.open_orders(), "o")) == 1
        assert value_of(await client.modify(TERMS), "m").price == D("50001.0")
        assert value_of(await client.cancel("BTCUSDT", "mine"), "c").status is Status.CANCELED
        assert value_of(await client.cancel_all("BTCUSDT"), "a") == []
        assert value_of(await client.positions(), "p")[0].position_amt == D("-0.5")
        assert value_of(await client.balances(), "b")[0].total == D("12.5")
        assert not value_of(await client.account(), "a").can_trade
        assert value_of(await client.is_hedge_mode(), "d") is True
        assert value_of(await client.set_leverage("BTCUSDT", 9), "l").leverage == 9
        assert value_of(await client.commission("BTCUSDT"), "f").rates.taker == D("0.2")
        assert value_of(await client.listen_key(), "k") == "abc"
        assert await client.listen_key() == Unknown("listen key: the answer holds none")
        assert await client.listen_key("PUT") == Done("")

    ask(scene)


def test_questions_of_spot_are_typed() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.on("DELETE openOrders", [order_body("CANCELED")])
        rest.on("GET account", {"balances": [{"asset": "BTC", "free": "1", "locked": "2"}]})
        rest.on("PUT order/amend/keepPriority", {"transactTime": 1, "amendedOrder": {"symbol": "X", "qty": "5"}})
        success = {"cancelResult": "SUCCESS", "newOrderResult": "SUCCESS", "newOrderResponse": order_body()}
        half = {"code": -2021, "msg": "partially", "data": {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE"}}
        rest.on("POST order/cancelReplace", success, (409, half))
        assert len(value_of(await client.cancel_all("BTCUSDT"), "a")) == 1
        assert value_of(await client.balances(), "b")[0].total == 3
        assert value_of(await client.shrink("X", "mine", D(5)), "s").qty == 5
        replaced = value_of(await client.cancel_replace(TERMS, cancel_cid="old"), "r")
        assert replaced.new_order_response is not None
        assert rest.last("POST order/cancelReplace")["cancelOrigClientOrderId"] == "old"
        outcome = await client.cancel_replace(TERMS, cancel_cid="old")
        assert isinstance(outcome, Refused)
        assert b'"cancelResult": "SUCCESS"' in outcome.body  # one half happened: the answer says which

    ask(scene, SPOT)


def test_fills_are_read_page_after_page() -> None:
    def trade(i: int, order: int = 7) -> dict[str, Any]:
        return {"symbol": "BTCUSDT", "id": i, "orderId": order, "price": "1", "qty": "1", "time": 1, "commission": "0"}

    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        def page(asked: dict[str, str]) -> list[dict[str, Any]]:
            first = int(asked.get("fromId", 1))
            return [trade(i, 7 if i % 2 else 8) for i in range(first, min(first + 500, 1201))][::-1]

        rest.on("GET userTrades", page)
        rows = value_of(await client.fills("BTCUSDT", from_id=1), "f")
        assert [row.id for row in rows] == list(range(1, 1201))

        def of_order(asked: dict[str, str]) -> list[dict[str, Any]]:
            return [trade(i) for i in range(1, 501)] if "orderId" in asked else page(asked)

        rest.on("GET userTrades", of_order)
        rows = value_of(await client.fills("BTCUSDT", order_id="7"), "f")
        assert {row.order_id for row in rows} == {7}
        assert len(rows) == 500 + 350
        rest.on("GET userTrades", of_order, refused(-2015))
        assert isinstance(await client.fills("BTCUSDT", order_id="7"), Refused)

    ask(scene)


def test_the_listing_brings_the_limits() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.on("GET exchangeInfo", listing_body("BTCUSDT"), {"symbols": []}, [])
        listing = await client.listing()
        assert listing["BTCUSDT"].is_trading
        assert client.limiter.limits == [Limit(Counted.WEIGHT, 60 * 10**9, 9999)]
        await client.listing()
        assert len(client.limiter.limits) == 1  # one without limits takes none away
        with pytest.raises(MessageError):
            await client.listing()

    ask(scene)


def test_limits_are_counted_by_the_venues_windows() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        rest.offset_ms = 30_000
        client.limiter.replace([Limit(Counted.WEIGHT, 60 * 10**9, 100)])
        await client.server_time()
        rest.on("GET openOrders", [])
        await client.open_orders()  # weight 40
        begun = client.clock()
        assert client.limiter.reserve(begun + 30 * 10**9, weight=99) == 30 * 10**9  # half a minute of the venue's is over

    ask(scene)


def test_a_book_comes_as_rows_or_as_a_reason() -> None:
    async def scene(client: BinanceClient, rest: FakeRest) -> None:
        decoder = MessageDecoder("BTCUSDT", is_spot=False, is_combined=True)
        body = {"lastUpdateId": 5, "E": 1, "T": 1767225600000, "bids": [["1.0", "2"]], "asks": []}
        rest.on("GET depth", body, (200, {"lastUpdateId": 5}), refused(-1121))
        snapshot = value_of(await client.book(decoder), "book")
        assert (snapshot.last_id, len(snapshot.rows)) == (5, 2)
        assert isinstance(await client.book(decoder), Unknown)
        assert isinstance(await client.book(decoder), Refused)
        assert rest.last("GET depth") == {"symbol": "BTCUSDT", "limit": "1000"}

    ask(scene)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (Refused(Reason.AUTH, -2015, "Invalid API-key"), "account: refused, auth: -2015 Invalid API-key"),
        (Unknown("GET /a: no complete answer: cut"), "account: no answer: GET /a: no complete answer: cut"),
    ],
)
def test_what_is_not_done_has_no_value(outcome: Any, message: str) -> None:
    with pytest.raises(VenueError) as caught:
        value_of(outcome, "account")
    assert str(caught.value) == message
