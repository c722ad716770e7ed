"""Bybit over REST, typed: each method is one question or one order, and says done, refused or unknown.

What places, amends or cancels is answered with "received": what became of it comes by the private stream, or by asking.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from queuefront.core.clock import now_ns
from queuefront.venues.backoff import Jitter
from queuefront.venues.bybit import encode
from queuefront.venues.bybit.config import SessionConfig
from queuefront.venues.bybit.encode import OrderTerms
from queuefront.venues.bybit.errors import classify
from queuefront.venues.bybit.instruments import Listing, read_page
from queuefront.venues.bybit.limits import default_limits
from queuefront.venues.bybit.market_data import BookMessage, MarketDecoder
from queuefront.venues.bybit.schemas import (
    AccountInfo,
    CoinRow,
    ExecutionRow,
    FeeRow,
    OrderRow,
    Placed,
    PositionRow,
    Rows,
    ServerTime,
    WalletRow,
    decode_page,
    decode_result,
)
from queuefront.venues.bybit.sign import wire
from queuefront.venues.credentials import Credentials
from queuefront.venues.errors import MessageError, VenueError
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, Unknown, value_of
from queuefront.venues.rate_limit import RateLimiter
from queuefront.venues.rest import Call, Reply, RestClient, Transport, Wire
from queuefront.venues.server_clock import ServerClock
from queuefront.venues.tally import Tally

__all__ = ["BybitClient"]

T = TypeVar("T")

#: Pages that one question may take: more would be an endless list.
_PAGES_MAX = 100
_ROWS_A_PAGE = 50
_FILLS_A_PAGE = 100
_POSITIONS_A_PAGE = 200


class BybitClient:
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
        self.limiter = RateLimiter(default_limits(config.orders_per_s))
        self.credentials = credentials
        self.clock = clock
        self.unreadable = Tally()  # rows of answers that could not be read; the others of their answer were
        self._transport = transport
        self._rest = RestClient(
            transport,
            self.limiter,
            prepare=self._prepare,
            classify=self._classify,
            observe=_observe_nothing,
            resynchronise=self._resynchronise,
            jitter=jitter,
            deadline_s=deadline_s,
            clock=clock,
            limit_clock=self._venue_ns,
        )

    def _venue_ns(self) -> int:
        return self.clock() + self.server_clock.offset_ns

    def _prepare(self, call: Call) -> Wire:
        return wire(self.config.where.rest, call, self.credentials, self.server_clock.server_ms(self.clock()))

    def _classify(self, reply: Reply) -> Outcome[bytes]:
        return classify(reply, self._venue_ns())

    async def _resynchronise(self) -> None:
        self.server_clock.distrust()
        await self.server_time()

    async def close(self) -> None:
        """Let connections go."""
        await self._transport.close()

    # --- one question -------------------------------------------------------------------------------------------------
    async def _send(self, call: Call, what: str) -> Outcome[bytes]:
        if call.is_signed:
            if self.credentials is None:
                raise VenueError(f"{what}: this needs credentials; set them in the environment, or name a file of keys")
            if self.server_clock.needs_observation(self.clock()):
                await self.server_time()
        return await self._rest.send(call)

    async def ask(self, call: Call, kind: type[T], what: str) -> Outcome[T]:
        """Carry out a call and read the answer's result; one that cannot be read proves nothing."""
        outcome = await self._send(call, what)
        if not isinstance(outcome, Done):
            return outcome
        try:
            return Done(decode_result(kind, outcome.value, what))
        except MessageError as e:
            return Unknown(str(e))

    async def ask_page(self, call: Call, kind: type[T], what: str) -> Outcome[Rows[T]]:
        """Carry out a call and read the answer's list; one without a list proves nothing (H8.4)."""
        outcome = await self._send(call, what)
        if not isinstance(outcome, Done):
            return outcome
        try:
            page = decode_page(kind, outcome.value, what)
        except MessageError as e:
            return Unknown(str(e))
        for why in page.unreadable:
            self.unreadable.note(why)
        return Done(page)

    async def _pages(self, call_of: Callable[[str], Call], kind: type[T], what: str) -> Outcome[list[T]]:
        """Ask page after page, until the venue names no further one."""
        rows: list[T] = []
        cursor = ""
        for _ in range(_PAGES_MAX):
            outcome = await self.ask_page(call_of(cursor), kind, what)
            if not isinstance(outcome, Done):
                return outcome
            page = outcome.value
            rows += page.rows
            if not page.cursor or page.cursor == cursor or not (page.rows or page.unreadable):
                return Done(rows)
            cursor = page.cursor
        return Unknown(f"{what}: more than {_PAGES_MAX:,} pages")

    # --- the market ---------------------------------------------------------------------------------------------------
    async def server_time(self) -> Outcome[int]:
        """Ask for the venue's time, ns UTC, and set the clock by it."""
        sent_ns = self.clock()
        outcome = await self.ask(encode.time_call(), ServerTime, "server time")
        if not isinstance(outcome, Done):
            return outcome
        nano = outcome.value.time_nano
        if not (nano.isascii() and nano.isdigit()):
            return Unknown(f"server time: timeNano is {nano[:40]!r}")
        self.server_clock.observe(sent_ns, self.clock(), int(nano))
        return Done(int(nano))

    async def listing(self) -> Listing:
        """Ask what can be traded.

        Raises
        ------
        VenueError
            If it cannot be had.
        """
        listing, cursor = Listing(), ""
        what = f"{self.market.product} instruments"
        for _ in range(_PAGES_MAX):
            body = value_of(await self._send(encode.instruments_call(self.market, cursor), what), what)
            cursor = read_page(self.market, body, listing)
            if not cursor:
                return listing
        raise VenueError(f"{what}: more than {_PAGES_MAX:,} pages")

    async def book(self, symbol: str, decoder: MarketDecoder) -> Outcome[BookMessage]:
        """Ask for an order book as event rows."""
        outcome = await self._send(encode.book_call(self.market, symbol), f"book of {symbol}")
        if not isinstance(outcome, Done):
            return outcome
        try:
            return Done(decoder.decode_answer(outcome.value, self.clock()))
        except MessageError as e:
            return Unknown(str(e))

    # --- orders -------------------------------------------------------------------------------------------------------
    async def place(self, terms: OrderTerms) -> Outcome[Placed]:
        """Place an order; done means that it was received."""
        self.config.require_trading()
        return await self.ask(encode.place_call(self.market, terms), Placed, f"place {terms.cid}")

    async def amend(
        self, symbol: str, qty: Decimal, price: Decimal, *, cid: str = "", order_id: str = ""
    ) -> Outcome[Placed]:
        """Change quantity and price of an order; done means that the request was received."""
        self.config.require_trading()
        call = encode.amend_call(self.market, symbol, qty, price, cid=cid, order_id=order_id)
        return await self.ask(call, Placed, f"amend {cid or order_id}")

    async def cancel(self, symbol: str, cid: str = "", order_id: str = "") -> Outcome[Placed]:
        """Cancel an order; done means that the request was received. Cancels need no leave to trade."""
        call = encode.cancel_call(self.market, symbol, cid=cid, order_id=order_id)
        return await self.ask(call, Placed, f"cancel {cid or order_id}")

    async def cancel_all(self, symbol: str) -> Outcome[list[Placed]]:
        """Cancel all orders of a symbol; return those whose cancel was received, at most 500."""
        outcome = await self.ask_page(encode.cancel_all_call(self.market, symbol), Placed, f"cancel all of {symbol}")
        return Done(outcome.value.rows) if isinstance(outcome, Done) else outcome

    async def query(self, symbol: str, cid: str = "", order_id: str = "") -> Outcome[OrderRow]:
        """Ask for one order, among those that are open or closed lately, and then in the history."""
        what = f"query {cid or order_id}"
        for call in (
            encode.orders_call(self.market, symbol, cid=cid, order_id=order_id),
            encode.history_call(self.market, symbol, cid=cid, order_id=order_id),
        ):
            outcome = await self.ask_page(call, OrderRow, what)
            if not isinstance(outcome, Done):
                return outcome
            if outcome.value.unreadable:
                return Unknown(outcome.value.unreadable[0])
            if outcome.value.rows:
                return Done(outcome.value.rows[0])
        return Refused(Reason.UNKNOWN_ORDER, text=f"{what}: neither open, nor closed lately, nor in the history")

    async def open_orders(self, symbol: str | None = None) -> Outcome[list[OrderRow]]:
        """Ask for open orders, page after page."""
        coin = self.config.settle_coin
        return await self._pages(
            lambda cursor: encode.orders_call(self.market, symbol, settle_coin=coin, cursor=cursor, limit=_ROWS_A_PAGE),
            OrderRow,
            "open orders",
        )

    async def executions(
        self, symbol: str, *, order_id: str = "", start_ms: int | None = None
    ) -> Outcome[list[ExecutionRow]]:
        """Ask for executions of a symbol, of an order or since a time at most a week ago; oldest first."""
        outcome = await self._pages(
            lambda cursor: encode.executions_call(
                self.market, symbol, order_id=order_id, start_ms=start_ms, cursor=cursor, limit=_FILLS_A_PAGE
            ),
            ExecutionRow,
            f"executions of {symbol}",
        )
        return Done(outcome.value[::-1]) if isinstance(outcome, Done) else outcome

    # --- the account --------------------------------------------------------------------------------------------------
    async def positions(self, symbol: str | None = None) -> Outcome[list[PositionRow]]:
        """Ask for positions, page after page."""
        coin = self.config.settle_coin
        return await self._pages(
            lambda cursor: encode.positions_call(
                self.market, symbol, settle_coin=coin, cursor=cursor, limit=_POSITIONS_A_PAGE
            ),
            PositionRow,
            "positions",
        )

    async def balances(self) -> Outcome[list[CoinRow]]:
        """Ask for the coins of the unified account."""
        outcome = await self.ask_page(encode.wallet_call(), WalletRow, "balances")
        if not isinstance(outcome, Done):
            return outcome
        if outcome.value.unreadable:
            return Unknown(outcome.value.unreadable[0])
        return Done([coin for wallet in outcome.value.rows for coin in wallet.coin])

    async def account(self) -> Outcome[AccountInfo]:
        """Ask what kind of account it is."""
        return await self.ask(encode.account_call(), AccountInfo, "account")

    async def set_leverage(self, symbol: str, leverage: int) -> Outcome[int]:
        """Set a leverage; that it is so already is done too."""
        self.config.require_trading()
        outcome = await self._send(encode.leverage_call(self.market, symbol, leverage), f"leverage of {symbol}")
        is_so = isinstance(outcome, Refused) and outcome.reason is Reason.NOTHING_TO_CHANGE
        return Done(leverage) if isinstance(outcome, Done) or is_so else outcome

    async def fees(self, symbol: str) -> Outcome[FeeRow]:
        """Ask for fee rates."""
        what = f"fees of {symbol}"
        outcome = await self.ask_page(encode.fees_call(self.market, symbol), FeeRow, what)
        if not isinstance(outcome, Done):
            return outcome
        found = [row for row in outcome.value.rows if row.symbol in ("", symbol)]
        return Done(found[0]) if found else Unknown(f"{what}: the answer names none")


def _observe_nothing(_reply: Reply, _sent_ns: int) -> None:
    """What the headers count is an endpoint's own and is not ours to compare (see `limits`)."""
