"""Binance over REST, typed: each method is one question or one order, and says done, refused or unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from queuefront.core.clock import NS_PER, now_ns
from queuefront.feed import MarketMessage, MessageDecoder
from queuefront.venues.backoff import Jitter
from queuefront.venues.binance import encode
from queuefront.venues.binance.config import SessionConfig
from queuefront.venues.binance.encode import OrderTerms
from queuefront.venues.binance.errors import classify, refusal
from queuefront.venues.binance.instruments import Listing, read_listing
from queuefront.venues.binance.limits import default_limits, limits_of, observe
from queuefront.venues.binance.schemas import (
    Account,
    Ack,
    Amended,
    Asset,
    Commission,
    DualSide,
    ListenKey,
    OrderRow,
    PositionRow,
    Replaced,
    ServerTime,
    SymbolSettings,
    TradeRow,
    decode,
)
from queuefront.venues.binance.sign import wire
from queuefront.venues.credentials import Credentials
from queuefront.venues.errors import MessageError, VenueError
from queuefront.venues.outcome import Done, Outcome, Refused, Unknown, value_of
from queuefront.venues.rate_limit import RateLimiter
from queuefront.venues.rest import Call, Reply, RestClient, Transport, Wire
from queuefront.venues.server_clock import ServerClock

__all__ = ["BinanceClient"]

T = TypeVar("T")


class BinanceClient:
    """One market's REST interface.

    Parameters
    ----------
    credentials : for what is private; None for public questions only.
    """

    def __init__(
        self,
        config: SessionConfig,
        transport: Transport,
        credentials: Credentials | None = None,
        *,
        jitter: Jitter,
        clock: Callable[[], int] = now_ns,
        deadline_s: float = 10.0,
    ) -> None:
        self.config = config
        self.market = config.market
        self.server_clock = ServerClock()
        self.limiter = RateLimiter(default_limits(self.market))
        self.credentials = credentials
        self.clock = clock
        self._transport = transport
        self._rest = RestClient(
            transport,
            self.limiter,
            prepare=self._prepare,
            classify=lambda reply: classify(self.market, reply, clock()),
            observe=self._observe,
            resynchronise=self._resynchronise,
            jitter=jitter,
            deadline_s=deadline_s,
            clock=clock,
            limit_clock=lambda: clock() + self.server_clock.offset_ns,
        )

    def _prepare(self, call: Call) -> Wire:
        return wire(self.config.where.rest, call, self.credentials, self.server_clock.server_ms(self.clock()))

    def _observe(self, reply: Reply, sent_ns: int) -> None:
        observe(self.limiter, reply, sent_ns)

    async def _resynchronise(self) -> None:
        self.server_clock.distrust()
        await self.server_time()

    async def close(self) -> None:
        """Let connections go."""
        await self._transport.close()

    async def ask(self, call: Call, kind: type[T], what: str) -> Outcome[T]:
        """Carry out a call and read the answer; one that cannot be read proves nothing."""
        if call.is_signed:
            if self.credentials is None:
                raise VenueError(f"{what}: this needs credentials; set them in the environment, or name a file of keys")
            if self.server_clock.needs_observation(self.clock()):
                await self.server_time()
        outcome = await self._rest.send(call)
        if not isinstance(outcome, Done):
            return outcome
        try:
            return Done(decode(kind, outcome.value, what))
        except MessageError as e:
            return Unknown(str(e))

    # --- the market ---------------------------------------------------------------------------------------------------
    async def server_time(self) -> Outcome[int]:
        """Ask for the venue's time, ms, and set the clock by it."""
        sent_ns = self.clock()
        outcome = await self.ask(encode.time_call(self.market), ServerTime, "server time")
        if not isinstance(outcome, Done):
            return outcome
        self.server_clock.observe(sent_ns, self.clock(), outcome.value.server_time * NS_PER["ms"])
        return Done(outcome.value.server_time)

    async def listing(self) -> Listing:
        """Ask what can be traded, and take the venue's limits.

        Raises
        ------
        VenueError
            If it cannot be had.
        """
        outcome = await self._rest.send(encode.instruments_call(self.market))
        listing = read_listing(self.market, value_of(outcome, f"{self.market.product} instruments"))
        if limits := limits_of(listing.info.rate_limits):
            self.limiter.replace(limits)
        return listing

    async def book(self, decoder: MessageDecoder) -> Outcome[MarketMessage]:
        """Ask for an order book as event rows."""
        outcome = await self._rest.send(encode.book_call(self.market, decoder.symbol))
        if not isinstance(outcome, Done):
            return outcome
        try:
            return Done(decoder.decode_snapshot(outcome.value, self.clock()))
        except ValueError as e:
            return Unknown(str(e))

    # --- orders -------------------------------------------------------------------------------------------------------
    async def place(self, terms: OrderTerms) -> Outcome[OrderRow]:
        """Place an order."""
        self.config.require_trading()
        return await self.ask(encode.place_call(self.market, terms), OrderRow, f"place {terms.cid}")

    async def place_many(self, orders: Sequence[OrderTerms]) -> Outcome[list[Outcome[OrderRow]]]:
        """Place up to five orders; one outcome an order, in their order (H2.12)."""
        self.config.require_trading()
        outcome = await self.ask(encode.place_many_call(self.market, orders), list[OrderRow], f"place {len(orders)} orders")
        if not isinstance(outcome, Done):
            return outcome
        if len(outcome.value) != len(orders):
            return Unknown(f"place {len(orders)} orders: {len(outcome.value)} answers")
        return Done([self._part(row) for row in outcome.value])

    def _part(self, row: OrderRow) -> Outcome[OrderRow]:
        if row.code >= 0:
            return Done(row)
        body = msgspec.json.encode({"code": row.code, "msg": row.msg})
        outcome = classify(self.market, Reply(400, {}, body), self.clock())
        if isinstance(outcome, Done):
            return Refused(refusal(self.market, row.code, row.msg), row.code, row.msg)
        return outcome

    async def modify(self, terms: OrderTerms, order_id: str = "") -> Outcome[OrderRow]:
        """Change price and quantity of a futures order."""
        self.config.require_trading()
        return await self.ask(encode.modify_call(self.market, terms, order_id), OrderRow, f"modify {terms.cid}")

    async def shrink(self, symbol: str, cid: str, qty: Decimal, order_id: str = "") -> Outcome[OrderRow]:
        """Make a spot order smaller."""
        self.config.require_trading()
        call = encode.shrink_call(self.market, symbol, cid, qty, order_id)
        outcome = await self.ask(call, Amended, f"shrink {cid}")
        return Done(outcome.value.amended_order) if isinstance(outcome, Done) else outcome

    async def cancel_replace(self, terms: OrderTerms, *, cancel_cid: str) -> Outcome[Replaced]:
        """Cancel a spot order and place another."""
        self.config.require_trading()
        call = encode.cancel_replace_call(self.market, terms, cancel_cid=cancel_cid)
        return await self.ask(call, Replaced, f"replace {cancel_cid} by {terms.cid}")

    async def cancel(self, symbol: str, cid: str = "", order_id: str = "") -> Outcome[OrderRow]:
        """Cancel an order. Cancels need no leave to trade: they only ever reduce what is at risk."""
        return await self.ask(encode.cancel_call(self.market, symbol, cid, order_id), OrderRow, f"cancel {cid or order_id}")

    async def cancel_all(self, symbol: str) -> Outcome[list[OrderRow]]:
        """Cancel all orders of a symbol; futures do not say which they were."""
        call, what = encode.cancel_all_call(self.market, symbol), f"cancel all of {symbol}"
        if self.market.is_spot:
            return await self.ask(call, list[OrderRow], what)
        outcome = await self.ask(call, Ack, what)
        return Done([]) if isinstance(outcome, Done) else outcome

    async def query(self, symbol: str, cid: str = "", order_id: str = "") -> Outcome[OrderRow]:
        """Ask for one order."""
        return await self.ask(encode.query_call(self.market, symbol, cid, order_id), OrderRow, f"query {cid or order_id}")

    async def open_orders(self, symbol: str | None = None) -> Outcome[list[OrderRow]]:
        """Ask for open orders."""
        return await self.ask(encode.open_orders_call(self.market, symbol), list[OrderRow], "open orders")

    async def fills(self, symbol: str, *, order_id: str = "", from_id: int | None = None) -> Outcome[list[TradeRow]]:
        """Ask for our fills, of an order or from a trade id on; page after page, oldest first."""
        rows: list[TradeRow] = []
        limit = 500
        while True:
            call = encode.fills_call(self.market, symbol, order_id=order_id, from_id=from_id, limit=limit)
            outcome = await self.ask(call, list[TradeRow], f"fills of {symbol}")
            if not isinstance(outcome, Done):
                return outcome
            rows += sorted(outcome.value, key=lambda row: row.id)
            if len(outcome.value) < limit:
                return Done(rows)
            if order_id:
                # The venue takes no page of an order's fills: from here on all of the symbol's, of which we keep ours.
                rest = await self.fills(symbol, from_id=rows[-1].id + 1)
                if not isinstance(rest, Done):
                    return rest
                return Done(rows + [row for row in rest.value if str(row.order_id) == order_id])
            from_id = rows[-1].id + 1

    # --- the account --------------------------------------------------------------------------------------------------
    async def positions(self) -> Outcome[list[PositionRow]]:
        """Ask for positions."""
        return await self.ask(encode.positions_call(self.market), list[PositionRow], "positions")

    async def balances(self) -> Outcome[list[Asset]]:
        """Ask for balances."""
        call = encode.balances_call(self.market)
        if not self.market.is_spot:
            return await self.ask(call, list[Asset], "balances")
        outcome = await self.ask(call, Account, "balances")
        return Done(outcome.value.balances) if isinstance(outcome, Done) else outcome

    async def account(self) -> Outcome[Account]:
        """Ask for the account."""
        return await self.ask(encode.account_call(self.market), Account, "account")

    async def is_hedge_mode(self) -> Outcome[bool]:
        """Ask how the account keeps positions."""
        outcome = await self.ask(encode.mode_call(self.market), DualSide, "position mode")
        return Done(outcome.value.dual_side_position) if isinstance(outcome, Done) else outcome

    async def set_leverage(self, symbol: str, leverage: int) -> Outcome[SymbolSettings]:
        """Set a leverage."""
        self.config.require_trading()
        return await self.ask(encode.leverage_call(self.market, symbol, leverage), SymbolSettings, f"leverage of {symbol}")

    async def commission(self, symbol: str) -> Outcome[Commission]:
        """Ask for fee rates."""
        return await self.ask(encode.commission_call(self.market, symbol), Commission, f"commission of {symbol}")

    # --- the listen key -----------------------------------------------------------------------------------------------
    async def listen_key(self, method: str = "POST") -> Outcome[str]:
        """Make a listen key, or extend it (PUT; the answer may be empty)."""
        if self.credentials is None:
            raise VenueError("user data: this needs credentials; set them in the environment, or name a file of keys")
        kind: Any = ListenKey if method == "POST" else Ack
        outcome = await self.ask(encode.listen_key_call(self.market, method), kind, "listen key")
        if not isinstance(outcome, Done):
            return outcome
        key = getattr(outcome.value, "listen_key", "")
        if method == "POST" and not key:
            return Unknown("listen key: the answer holds none")
        return Done(key)
