"""What Binance's REST and WebSocket API answer, as typed records.

Decimals are text in the venue's messages and stay exact. Words are kept as text and read by `vocabulary.word`, so that a
new word loses nothing; fields that nobody knows are passed over; fields that only some markets send have defaults that
say so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from queuefront.venues.binance.limits import RateLimitRow
from queuefront.venues.binance.vocabulary import OrderWords, PositionWords
from queuefront.venues.credentials import redacted
from queuefront.venues.errors import MessageError

__all__ = [
    "Account",
    "Ack",
    "Amended",
    "ApiReply",
    "Asset",
    "BookTop",
    "Commission",
    "DepthSnapshot",
    "DualSide",
    "ExchangeInfo",
    "Filter",
    "ListenKey",
    "NewFill",
    "OrderRow",
    "PositionRow",
    "PublicTrade",
    "Replaced",
    "ServerTime",
    "SymbolRow",
    "SymbolSettings",
    "TradeRow",
    "decode",
]

_CAMEL: Final = "camel"


class ServerTime(msgspec.Struct, rename=_CAMEL):
    """GET time."""

    server_time: int


class Ack(msgspec.Struct):
    """`{"code": 200, "msg": …}`, and the empty object."""

    code: int = 0
    msg: str = ""


class Filter(msgspec.Struct, rename=_CAMEL):
    """One of a symbol's `filters`; which fields stand there depends on the kind."""

    filter_type: str
    tick_size: Decimal | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    step_size: Decimal | None = None
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    min_notional: Decimal | None = None
    notional: Decimal | None = None
    limit: int | None = None


class SymbolRow(msgspec.Struct, rename=_CAMEL):
    """One of exchangeInfo's `symbols`."""

    symbol: str
    status: str = ""
    contract_status: str = ""  # COIN-M
    base_asset: str = ""
    quote_asset: str = ""
    margin_asset: str = ""
    pair: str = ""
    contract_type: str = ""
    contract_size: Decimal | None = None  # COIN-M: quote units a contract
    filters: list[Filter] = []
    order_types: list[str] = []
    time_in_force: list[str] = []
    permissions: list[str] = []

    @property
    def is_trading(self) -> bool:
        """Whether orders are taken."""
        return "TRADING" in (self.status, self.contract_status)


class ExchangeInfo(msgspec.Struct, rename=_CAMEL):
    """GET exchangeInfo. Symbols are read one by one, so that one that is not understood does not hide the others."""

    symbols: list[msgspec.Raw]
    rate_limits: list[RateLimitRow] = []
    server_time: int = 0


class DepthSnapshot(msgspec.Struct):
    """GET depth; the market-data decoder reads the same bytes into events."""

    last_id: int = msgspec.field(name="lastUpdateId")
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]
    event_ms: int | None = msgspec.field(name="E", default=None)
    transaction_ms: int | None = msgspec.field(name="T", default=None)


class BookTop(msgspec.Struct, rename=_CAMEL):
    """GET ticker/bookTicker."""

    symbol: str
    bid_price: Decimal
    bid_qty: Decimal
    ask_price: Decimal
    ask_qty: Decimal


class PublicTrade(msgspec.Struct, rename=_CAMEL):
    """One of GET trades; the aggressor sold where the buyer is the maker."""

    id: int
    price: Decimal
    qty: Decimal
    time: int
    is_buyer_maker: bool


class NewFill(msgspec.Struct, rename=_CAMEL):
    """One of the `fills` of a placed spot order."""

    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str = ""
    trade_id: int | None = None


class OrderRow(OrderWords, msgspec.Struct, rename=_CAMEL):
    """An order, as any of the order endpoints shows it; also the place in a list that holds a refusal instead.

    `client_order_id` of a spot cancel is the cancel's own; ours is `orig_client_order_id` there.
    """

    symbol: str = ""
    order_id: int | str = ""
    client_order_id: str = ""
    orig_client_order_id: str = ""
    status_text: str = msgspec.field(name="status", default="")
    type_text: str = msgspec.field(name="type", default="")
    tif_text: str | None = msgspec.field(name="timeInForce", default=None)
    side: str = ""
    position_side_text: str = msgspec.field(name="positionSide", default="BOTH")
    price: Decimal | None = None
    orig_qty: Decimal | None = msgspec.field(name="origQty", default=None)
    amended_qty: Decimal | None = msgspec.field(name="qty", default=None)  # spot amend
    executed_qty: Decimal | None = None
    cum_quote_spot: Decimal | None = msgspec.field(name="cummulativeQuoteQty", default=None)  # spelt so
    cum_quote: Decimal | None = None
    cum_base: Decimal | None = None
    avg_price: Decimal | None = None
    reduce_only: bool = False
    time: int | None = None
    update_time: int | None = None
    transact_time: int | None = None
    fills: list[NewFill] = []
    code: int = 0
    msg: str = ""

    @property
    def cid(self) -> str:
        """The id that we gave the order."""
        return self.orig_client_order_id or self.client_order_id

    @property
    def qty(self) -> Decimal | None:
        """The whole quantity asked for."""
        return self.orig_qty if self.orig_qty is not None else self.amended_qty

    @property
    def exch_ms(self) -> int:
        """When it last changed; 0 where the answer does not say."""
        return self.update_time or self.transact_time or self.time or 0


class Amended(msgspec.Struct, rename=_CAMEL):
    """PUT order/amend/keepPriority (spot)."""

    transact_time: int
    amended_order: OrderRow


class Replaced(msgspec.Struct, rename=_CAMEL):
    """POST order/cancelReplace (spot): each half succeeded, failed, or was not tried."""

    cancel_result: str
    new_order_result: str
    cancel_response: OrderRow | None = None
    new_order_response: OrderRow | None = None


class TradeRow(msgspec.Struct, rename=_CAMEL):
    """One of our fills: GET myTrades (spot) or userTrades (futures)."""

    symbol: str
    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    time: int
    commission: Decimal | None = None
    commission_asset: str = ""
    side: str = ""  # futures
    is_buyer: bool | None = None  # spot
    buyer: bool | None = None  # futures
    is_maker: bool | None = None
    maker: bool | None = None
    position_side_text: str = msgspec.field(name="positionSide", default="BOTH")
    realized_pnl: Decimal | None = None

    @property
    def is_buy(self) -> bool:
        """Whether we bought."""
        return bool(self.is_buyer if self.is_buyer is not None else self.buyer)

    @property
    def is_ours_maker(self) -> bool:
        """Whether ours rested."""
        return bool(self.is_maker if self.is_maker is not None else self.maker)


class PositionRow(PositionWords, msgspec.Struct, rename=_CAMEL):
    """One of GET positionRisk: signed in one-way mode, and SHORT negative in hedge mode."""

    symbol: str
    position_amt: Decimal
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    position_side_text: str = msgspec.field(name="positionSide", default="BOTH")
    leverage: Decimal | None = None  # gone from v3
    liquidation_price: Decimal | None = None
    update_time: int = 0


class Asset(msgspec.Struct, rename=_CAMEL):
    """One balance: `free` and `locked` on spot, `balance` on futures, `wallet_balance` within futures accounts."""

    asset: str
    free: Decimal | None = None
    locked: Decimal | None = None
    balance: Decimal | None = None
    wallet_balance: Decimal | None = None
    available_balance: Decimal | None = None
    cross_wallet_balance: Decimal | None = None

    @property
    def total(self) -> Decimal:
        """All of it."""
        if self.free is not None:
            return self.free + (self.locked or Decimal(0))
        return self.balance if self.balance is not None else self.wallet_balance or Decimal(0)


class Account(msgspec.Struct, rename=_CAMEL):
    """GET account."""

    can_trade: bool = True
    balances: list[Asset] = []  # spot
    assets: list[Asset] = []  # futures
    positions: list[msgspec.Raw] = []


class Rates(msgspec.Struct):
    """Maker and taker rates."""

    maker: Decimal
    taker: Decimal


class Commission(msgspec.Struct, rename=_CAMEL):
    """GET commissionRate (futures), account/commission (spot)."""

    symbol: str
    maker_commission_rate: Decimal | None = None
    taker_commission_rate: Decimal | None = None
    standard_commission: Rates | None = None

    @property
    def rates(self) -> Rates:
        """What a fill costs, as a share of its value; a spot discount paid in another coin is not in it."""
        if self.standard_commission is not None:
            return self.standard_commission
        if self.maker_commission_rate is None or self.taker_commission_rate is None:
            raise MessageError(f"the commission of {self.symbol} names no rates; ask again, or set the fees by hand")
        return Rates(self.maker_commission_rate, self.taker_commission_rate)


class DualSide(msgspec.Struct, rename=_CAMEL):
    """GET positionSide/dual."""

    dual_side_position: bool


class SymbolSettings(msgspec.Struct, rename=_CAMEL):
    """POST leverage, GET symbolConfig."""

    symbol: str
    leverage: int
    margin_type: str = ""


class ListenKey(msgspec.Struct, rename=_CAMEL):
    """POST listenKey."""

    listen_key: str = ""

    def __repr__(self) -> str:
        return "ListenKey(***)"


class ApiError(msgspec.Struct):
    """The `error` of a WebSocket API answer."""

    code: int
    msg: str = ""


class ApiReply(msgspec.Struct, rename=_CAMEL):
    """Any answer of the WebSocket API, and acknowledgements of streams."""

    id: int | str | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw()
    error: ApiError | None = None
    rate_limits: list[RateLimitRow] = []


T = TypeVar("T")
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(kind: type[T], body: bytes, what: str) -> T:
    """Read an answer (H9.6, H9.7, H9.8).

    Raises
    ------
    MessageError
        If it has not the promised shape: what was asked, where it deviates, and how it begins.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(body)  # type: ignore[no-any-return]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        begin = redacted(body[:120].decode("utf-8", "replace"))
        raise MessageError(f"{what}: {e}; the answer begins {begin!r}") from e
