"""Other people's clients against the paper exchange: theirs as they are, but for the address."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from queuefront.paper import DEFAULT_KEY, DEFAULT_SECRET, PaperServer, WallClock
from tests.paper_market import COINM, SPOT, USDM, config, synthetic

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WAIT_S = 30


@asynccontextmanager
async def serving(venue: str) -> AsyncIterator[PaperServer]:
    async with PaperServer(config(venue, synthetic(venue)), clock=WallClock()) as server:
        yield server


def moved(addresses: dict[str, Any], server: PaperServer) -> None:
    """Let every address of a client lead to the server; paths stay."""
    for name, address in addresses.items():
        if isinstance(address, dict):
            moved(address, server)
        elif isinstance(address, str) and "://" in address:
            scheme, _, rest = address.partition("://")
            _, slash, path = rest.partition("/")
            addresses[name] = (server.ws_url if scheme.startswith("ws") else server.rest_url) + slash + path


async def soon(awaitable: Any) -> Any:
    async with asyncio.timeout(WAIT_S):
        return await awaitable


@pytest.mark.parametrize(
    ("venue", "name", "symbol", "amount", "post_only_error"),
    [
        pytest.param(SPOT, "binance", "BTC/USDT", 0.01, "OrderImmediatelyFillable", marks=pytest.mark.soak),
        (USDM, "binanceusdm", "BTC/USDT:USDT", 0.01, "InvalidOrder"),
        # ccxt has no name for it there
        pytest.param(COINM, "binancecoinm", "BTC/USD:BTC", 1, "ExchangeError", marks=pytest.mark.soak),
    ],
)
def test_ccxt_trades(venue: str, name: str, symbol: str, amount: float, post_only_error: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ccxt.pro

    async def trade() -> None:
        async with serving(venue) as server:
            options = {"fetchMarkets": {"types": ["spot"]}} if venue == SPOT else {}
            client = getattr(ccxt.pro, name)({"apiKey": DEFAULT_KEY, "secret": DEFAULT_SECRET, "options": options})
            moved(client.urls["api"], server)
            try:
                await soon(_trade(client))
            finally:
                await client.close()

    async def _trade(client: Any) -> None:
        assert symbol in await client.load_markets()
        book = await client.fetch_order_book(symbol, 20)
        best_bid, best_ask = book["bids"][0][0], book["asks"][0][0]
        assert best_bid < best_ask
        for _ in range(4):
            streamed = await client.watch_order_book(symbol)
            assert streamed["bids"][0][0] < streamed["asks"][0][0]
        assert (await client.watch_trades(symbol))[-1]["symbol"] == symbol

        watching = asyncio.create_task(client.watch_orders(symbol))
        await asyncio.sleep(0.3)
        placed = await client.create_order(symbol, "limit", "buy", amount, round(best_bid - 500, 1))
        assert placed["status"] == "open"
        assert (await watching)[-1]["id"] == placed["id"]
        queried = await client.fetch_order(placed["id"], symbol)
        assert (queried["status"], queried["amount"], queried["filled"]) == ("open", amount, 0)
        assert [o["id"] for o in await client.fetch_open_orders(symbol)] == [placed["id"]]
        if venue != SPOT:
            changed = round(best_bid - 400, 1)
            assert (await client.edit_order(placed["id"], symbol, "limit", "buy", amount, changed))["price"] == changed
        assert (await client.cancel_order(placed["id"], symbol))["status"] == "canceled"

        taken = await client.create_order(symbol, "market", "buy", amount)
        assert (taken["status"], taken["filled"]) == ("closed", amount)
        fills = await client.fetch_my_trades(symbol)
        assert [(f["order"], f["amount"], f["takerOrMaker"]) for f in fills] == [(taken["id"], amount, "taker")]
        balance = await client.fetch_balance()
        assert balance["total"]["USDT" if venue != COINM else "BTC"] != {SPOT: 0, USDM: 100_000, COINM: 10}[venue]
        if venue != SPOT:
            position = (await client.fetch_positions([symbol]))[0]
            assert (position["contracts"], position["side"], position["entryPrice"]) == (amount, "long", fills[0]["price"])
        crossing = round(best_ask + 100, 1)
        with pytest.raises(getattr(ccxt, post_only_error)):
            await client.create_order(symbol, "limit", "buy", amount, crossing, {"postOnly": True})
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order("999", symbol)

    asyncio.run(trade())


@pytest.mark.parametrize(
    "venue", [pytest.param(SPOT, marks=pytest.mark.soak), USDM, pytest.param(COINM, marks=pytest.mark.soak)]
)
def test_python_binance_trades(venue: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from binance import AsyncClient, BinanceSocketManager
        from binance.exceptions import BinanceAPIException

    async def trade() -> None:
        async with serving(venue) as server:
            client = AsyncClient(DEFAULT_KEY, DEFAULT_SECRET)
            client.API_URL = f"{server.rest_url}/api"
            client.FUTURES_URL = f"{server.rest_url}/fapi"
            client.FUTURES_COIN_URL = f"{server.rest_url}/dapi"
            sockets = BinanceSocketManager(client)
            sockets.STREAM_URL = sockets.FSTREAM_URL = sockets.DSTREAM_URL = f"{server.ws_url}/"
            client.ws_api._url = f"{server.ws_url}/ws-api/v3"
            try:
                await soon(_trade(client, sockets))
            finally:
                await client.close_connection()

    def _user_stream(sockets: Any) -> Any:
        names = {SPOT: "user_socket", USDM: "futures_user_socket", COINM: "coin_futures_user_socket"}
        return getattr(sockets, names[venue])()

    async def _trade(client: Any, sockets: Any) -> None:
        prefix = {SPOT: "", USDM: "futures_", COINM: "futures_coin_"}[venue]
        symbol = "BTCUSD_PERP" if venue == COINM else "BTCUSDT"
        qty = "1" if venue == COINM else "0.010"

        async def call(name: str, **params: Any) -> Any:
            spot_names = {
                "account_trades": "get_my_trades",
                "order_book": "get_order_book",
                "exchange_info": "get_exchange_info",
            }
            method = spot_names.get(name, name) if venue == SPOT else prefix + name
            return await getattr(client, method)(**params)

        info = await call("exchange_info")
        assert info["symbols"][0]["symbol"] == symbol
        book = await call("order_book", symbol=symbol, limit=10)
        price = str(round(float(book["bids"][0][0]) - 300, 1))

        order = {"symbol": symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": qty, "price": price}
        async with _user_stream(sockets) as stream:
            stream.TIMEOUT = 0.2  # it leaves when its last wait for a message is over
            placed = await call("create_order", **order)
            told = await stream.recv()
            assert told.get("i", told.get("o", {}).get("i") if venue != SPOT else None) == placed["orderId"]
        open_orders = await call("get_open_orders", symbol=symbol)
        assert [o["orderId"] for o in open_orders] == [placed["orderId"]]
        canceled = await call("cancel_order", symbol=symbol, orderId=placed["orderId"])
        assert canceled["status"] == "CANCELED"
        with pytest.raises(BinanceAPIException) as caught:
            await call("cancel_order", symbol=symbol, orderId=placed["orderId"])
        assert caught.value.code == -2011
        taken = await call("create_order", symbol=symbol, side="BUY", type="MARKET", quantity=qty)
        assert taken["status"] == "FILLED"
        fills = await call("account_trades", symbol=symbol)
        assert fills[-1]["orderId"] == taken["orderId"]
        if venue == SPOT:
            account = await client.get_account()
            assert float(next(b["free"] for b in account["balances"] if b["asset"] == "USDT")) < 100_000
        else:
            balances = await call("account_balance")
            assert float(balances[0]["balance"]) < 100_000
            positions = await call("position_information", symbol=symbol)
            assert float(positions[0]["positionAmt"]) == float(qty)

    asyncio.run(trade())
