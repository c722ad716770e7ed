"""Trade against a market that already happened, with ccxt as it is.

    qf synth -o market.tape --events 200000 --seed 7
    qf paper serve --venue binance-usdm --tape market.tape --symbol BTCUSDT --speed 5
    python examples/paper_ccxt.py http://127.0.0.1:8780

Quotes one bid at the touch, moves it when the market leaves it, and says what it earned.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import ccxt.pro


def lead_to(address: str, urls: dict[str, Any]) -> None:
    """Let every address of a client lead to another server; paths stay as they are."""
    host = address.partition("://")[2]
    for name, url in urls.items():
        if isinstance(url, dict):
            lead_to(address, url)
        elif isinstance(url, str) and "://" in url:
            scheme, _, rest = url.partition("://")
            _, slash, path = rest.partition("/")
            urls[name] = f"{'ws' if scheme.startswith('ws') else 'http'}://{host}{slash}{path}"


async def quote(address: str, rounds: int = 20) -> dict[str, float]:
    """Quote for so many updates of the book; return what is left at the end."""
    exchange = ccxt.pro.binanceusdm({"apiKey": "paper-trading-key", "secret": "paper-trading-secret"})
    lead_to(address, exchange.urls["api"])
    symbol, order = "BTC/USDT:USDT", None
    try:
        await exchange.load_markets()
        for _ in range(rounds):
            book = await exchange.watch_order_book(symbol)
            best_bid = book["bids"][0][0]
            if order is not None and order["price"] == best_bid:
                continue
            if order is not None:
                try:
                    await exchange.cancel_order(order["id"], symbol)
                except ccxt.OrderNotFound:
                    print("filled while we moved it")
            order = await exchange.create_order(symbol, "limit", "buy", 0.01, best_bid)
        await exchange.cancel_all_orders(symbol)
        positions = await exchange.fetch_positions([symbol])
        balance = await exchange.fetch_balance()
        return {"position": positions[0]["contracts"] if positions else 0.0, "USDT": balance["USDT"]["total"]}
    finally:
        await exchange.close()


if __name__ == "__main__":
    print(asyncio.run(quote(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8780")))
