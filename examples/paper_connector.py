"""Trade against a market that already happened, with the project's own connector.

    qf synth -o market.tape --events 200000 --seed 7
    qf paper serve --venue binance-usdm --tape market.tape --symbol BTCUSDT --speed 5
    python examples/paper_connector.py http://127.0.0.1:8780

Quotes one bid at the touch, moves it when the market leaves it, and says what it holds in the end. Each answer is one of
`Done`, `Refused` and `Unknown`: of an order of which nobody knows whether it was done, the exchange is asked.
"""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from itertools import count

import numpy as np

from queuefront.feed import MessageDecoder
from queuefront.venues import Credentials, Done, Refused
from queuefront.venues.binance import Addresses, BinanceClient, OrderTerms, SessionConfig
from queuefront.venues.rest import AiohttpTransport

SYMBOL = "BTCUSDT"


def client_of(address: str) -> BinanceClient:
    """Return a client of the exchange at an address, with the keys of `qf paper serve`."""
    streams = "ws" + address.removeprefix("http")
    where = Addresses(address, streams, streams + "/ws-fapi/v1")
    session = SessionConfig("binance-usdm", "custom", (SYMBOL,), where)
    keys = Credentials("paper-trading-key", "paper-trading-secret")
    return BinanceClient(session, AiohttpTransport(), keys, jitter=np.random.default_rng(1).random)


async def best_bid(client: BinanceClient) -> float:
    """Return the best bid of a fresh book, whose rows begin with it."""
    book = await client.book(MessageDecoder(SYMBOL, is_spot=False, is_combined=True))
    if not isinstance(book, Done):
        raise SystemExit(f"there is no book: {book}")
    return float(book.value.rows["px"][0])


async def quote(address: str, rounds: int = 20, pause_s: float = 0.05) -> dict[str, Decimal]:
    """Quote for so many looks at the book; return what is left at the end."""
    client, ids = client_of(address), count(1)
    resting: tuple[str, Decimal] | None = None
    try:
        rules = (await client.listing())[SYMBOL]
        for _ in range(rounds):
            price = rules.round_price(Decimal(str(await best_bid(client))), is_buy=True)
            if resting is None or resting[1] != price:
                if resting is not None and isinstance(await client.cancel(SYMBOL, resting[0]), Refused):
                    print("filled while we moved it")
                name = f"bid-{next(ids)}"
                placed = await client.place(OrderTerms(SYMBOL, True, name, Decimal("0.01"), price))
                if not isinstance(placed, Done | Refused):  # it may rest or not: the exchange knows
                    placed = await client.query(SYMBOL, name)
                resting = (name, price) if isinstance(placed, Done) else None
            await asyncio.sleep(pause_s)
        await client.cancel_all(SYMBOL)
        left = await client.open_orders(SYMBOL)
        positions = await client.positions()
        if not isinstance(left, Done) or not isinstance(positions, Done):
            raise SystemExit(f"the account cannot be read: {left}, {positions}")
        held = sum((p.position_amt for p in positions.value if p.symbol == SYMBOL), Decimal(0))
        return {"position": held, "open orders": Decimal(len(left.value))}
    finally:
        await client.close()


if __name__ == "__main__":
    print(asyncio.run(quote(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8780")))
