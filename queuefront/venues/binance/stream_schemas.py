"""What Binance's streams push, as typed records: user data of spot and futures, control messages, and notices.

Market data have their own decoder, which `qf convert` shares (`market_data`); here a market message is only named.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from queuefront.venues.binance.vocabulary import Execution, OrderWords, PositionWords, Status, word
from queuefront.venues.credentials import redacted
from queuefront.venues.errors import MessageError

__all__ = [
    "AccountConfig",
    "AccountUpdate",
    "AlgoUpdate",
    "BalanceChange",
    "Control",
    "LiteTrade",
    "OrderUpdate",
    "Other",
    "SpotBalances",
    "StreamEnded",
    "UserMessage",
    "decode_user_message",
]


class _Head(msgspec.Struct):
    e: Any = None
    stream: Any = None
    data: msgspec.Raw = msgspec.Raw()
    event: msgspec.Raw = msgspec.Raw()
    event_ms: Any = msgspec.field(name="E", default=0)
    id: Any = None
    result: msgspec.Raw = msgspec.Raw()
    status: Any = None
    error: Any = None


class OrderUpdate(OrderWords, msgspec.Struct, kw_only=True):
    """executionReport (spot) and the `o` of ORDER_TRADE_UPDATE (futures): the letters mean the same.

    On a spot cancel or replace, `c` is the cancel's id and `C` ours.
    """

    symbol: str = msgspec.field(name="s")
    c: str = ""
    original_c: str | None = msgspec.field(name="C", default=None)
    side: str = msgspec.field(name="S", default="")
    type_text: str = msgspec.field(name="o", default="")
    tif_text: str | None = msgspec.field(name="f", default=None)
    qty: Decimal | None = msgspec.field(name="q", default=None)
    price: Decimal | None = msgspec.field(name="p", default=None)
    execution_text: str = msgspec.field(name="x", default="")
    status_text: str = msgspec.field(name="X", default="")
    reject_reason: str | None = msgspec.field(name="r", default=None)
    order_id: int = msgspec.field(name="i", default=0)
    last_qty: Decimal | None = msgspec.field(name="l", default=None)
    cum_qty: Decimal | None = msgspec.field(name="z", default=None)
    last_price: Decimal | None = msgspec.field(name="L", default=None)
    fee: Decimal | None = msgspec.field(name="n", default=None)
    fee_asset: str | None = msgspec.field(name="N", default=None)
    trade_ms: int = msgspec.field(name="T", default=0)
    trade_id: int | None = msgspec.field(name="t", default=None)
    is_maker: bool | None = msgspec.field(name="m", default=None)
    cum_quote: Decimal | None = msgspec.field(name="Z", default=None)  # spot
    average: Decimal | None = msgspec.field(name="ap", default=None)  # futures
    original_type_text: str = msgspec.field(name="ot", default="")
    position_side_text: str = msgspec.field(name="ps", default="BOTH")
    is_reduce_only: bool | None = msgspec.field(name="R", default=None)
    realized: Decimal | None = msgspec.field(name="rp", default=None)
    expiry_reason: Any = msgspec.field(name="er", default=None)

    @property
    def cid(self) -> str:
        """The id that we gave the order: on a spot cancel or replace the original one."""
        return self.original_c or self.c

    @property
    def execution(self) -> Execution:
        """What happened, or UNSUPPORTED."""
        return word(Execution, self.execution_text)

    @property
    def is_fill(self) -> bool:
        """Whether it reports a fill: one of quantity zero is none, whatever it calls itself."""
        return bool(self.last_qty) and self.execution in (Execution.TRADE, Execution.CALCULATED)

    @property
    def is_foreign(self) -> bool:
        """Whether the venue itself made the order: liquidation, auto-deleveraging, delivery, settlement."""
        return self.execution is Execution.CALCULATED or self.c.startswith(_FOREIGN)

    @property
    def has_unknown_word(self) -> bool:
        """Whether its status or what happened is a word that nobody documents."""
        return Status.UNSUPPORTED is self.status or Execution.UNSUPPORTED is self.execution


#: Client order ids of orders that the venue makes. Source: "Event: Order Update", USD-M and COIN-M.
_FOREIGN: Final = ("autoclose-", "adl_autoclose", "settlement_autoclose-", "delivery_autoclose-")


class LiteTrade(msgspec.Struct):
    """TRADE_LITE: a fill, earlier than its order update, without status and fee."""

    symbol: str = msgspec.field(name="s")
    cid: str = msgspec.field(name="c")
    side: str = msgspec.field(name="S")
    last_qty: Decimal = msgspec.field(name="l")
    last_price: Decimal = msgspec.field(name="L")
    trade_id: int = msgspec.field(name="t")
    order_id: int = msgspec.field(name="i")
    trade_ms: int = msgspec.field(name="T")
    is_maker: bool = msgspec.field(name="m")


class WalletRow(msgspec.Struct):
    """A futures balance that changed; `change` excludes profit and fee."""

    asset: str = msgspec.field(name="a")
    wallet: Decimal = msgspec.field(name="wb")
    cross_wallet: Decimal | None = msgspec.field(name="cw", default=None)
    change: Decimal | None = msgspec.field(name="bc", default=None)


class PositionChange(PositionWords, msgspec.Struct):
    """A futures position that changed."""

    symbol: str = msgspec.field(name="s")
    amount: Decimal = msgspec.field(name="pa")
    entry_price: Decimal | None = msgspec.field(name="ep", default=None)
    position_side_text: str = msgspec.field(name="ps", default="BOTH")


class _Account(msgspec.Struct):
    reason: str = msgspec.field(name="m", default="")
    balances: list[WalletRow] = msgspec.field(name="B", default_factory=list)
    positions: list[PositionChange] = msgspec.field(name="P", default_factory=list)


class AccountUpdate(msgspec.Struct):
    """ACCOUNT_UPDATE: only what changed, and why (`account.reason`)."""

    account: _Account = msgspec.field(name="a")
    event_ms: int = msgspec.field(name="E", default=0)
    trade_ms: int = msgspec.field(name="T", default=0)


class SpotBalance(msgspec.Struct):
    """A spot balance."""

    asset: str = msgspec.field(name="a")
    free: Decimal = msgspec.field(name="f")
    locked: Decimal = msgspec.field(name="l")


class SpotBalances(msgspec.Struct):
    """outboundAccountPosition: the assets that may have changed."""

    balances: list[SpotBalance] = msgspec.field(name="B")
    update_ms: int = msgspec.field(name="u", default=0)


class BalanceChange(msgspec.Struct):
    """balanceUpdate (deposit, withdrawal, transfer) and externalLockUpdate."""

    asset: str = msgspec.field(name="a")
    change: Decimal = msgspec.field(name="d")
    trade_ms: int = msgspec.field(name="T", default=0)


class _Leverage(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    leverage: int = msgspec.field(name="l")


class AccountConfig(msgspec.Struct):
    """ACCOUNT_CONFIG_UPDATE: a leverage, or the multi-asset mode, which is left out here."""

    leverage: _Leverage | None = msgspec.field(name="ac", default=None)


class _Algo(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    algo_id: int = msgspec.field(name="aid")
    cid: str = msgspec.field(name="caid")
    status_text: str = msgspec.field(name="X")
    order_id: str | int = msgspec.field(name="ai", default="")
    qty: Decimal | None = msgspec.field(name="q", default=None)
    trigger_price: Decimal | None = msgspec.field(name="tp", default=None)


class AlgoUpdate(msgspec.Struct):
    """ALGO_UPDATE: a conditional order; we place none, somebody on the account may."""

    algo: _Algo = msgspec.field(name="o")
    event_ms: int = msgspec.field(name="E", default=0)


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """Nothing more comes of this subscription although the socket stays open: listenKeyExpired, eventStreamTerminated,
    serverShutdown.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Control:
    """An answer to a request of ours: its id, and the venue's error, if it is one."""

    id: int | str | None
    error_code: int = 0
    error_text: str = ""
    result: bytes = b""


@dataclass(frozen=True, slots=True)
class Other:
    """A message that is not about orders or balances, or that nobody knows: its name, and its text for the record."""

    name: str
    text: bytes


UserMessage = (
    OrderUpdate
    | LiteTrade
    | AccountUpdate
    | SpotBalances
    | BalanceChange
    | AccountConfig
    | AlgoUpdate
    | StreamEnded
    | Control
    | Other
)


class _FuturesOrder(msgspec.Struct):
    order: OrderUpdate = msgspec.field(name="o")


_head = msgspec.json.Decoder(_Head)
_futures_order = msgspec.json.Decoder(_FuturesOrder)
_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "executionReport": msgspec.json.Decoder(OrderUpdate),
    "TRADE_LITE": msgspec.json.Decoder(LiteTrade),
    "ACCOUNT_UPDATE": msgspec.json.Decoder(AccountUpdate),
    "outboundAccountPosition": msgspec.json.Decoder(SpotBalances),
    "balanceUpdate": msgspec.json.Decoder(BalanceChange),
    "externalLockUpdate": msgspec.json.Decoder(BalanceChange),
    "ACCOUNT_CONFIG_UPDATE": msgspec.json.Decoder(AccountConfig),
    "ALGO_UPDATE": msgspec.json.Decoder(AlgoUpdate),
}
_ENDS: Final = ("listenKeyExpired", "eventStreamTerminated", "serverShutdown")
_EMPTY: Final = (b"", b"null")


def decode_user_message(message: bytes) -> UserMessage:
    """Read one frame: bare, in the envelope of a combined stream (`data`), or of a subscription (`event`).

    Raises
    ------
    MessageError
        If it is no JSON object, or an event lacks a field that its kind cannot do without.
    """
    try:
        return _decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        begin = redacted(message[:120].decode("utf-8", "replace"))
        raise MessageError(f"user data: {e}; the message begins {begin!r}") from e


def _decode(message: bytes) -> UserMessage:
    head = _head.decode(message)
    for inner in (bytes(head.event), bytes(head.data)):
        if inner[:1] == b"{":
            message, head = inner, _head.decode(inner)
            break
    else:
        if bytes(head.data) not in _EMPTY:  # `data` is a list: an all-market stream
            return Other(str(head.stream)[:60], message)
    name = head.e
    if name == "ORDER_TRADE_UPDATE":
        return _futures_order.decode(message).order
    if isinstance(name, str) and name in _decoders:
        return _decoders[name].decode(message)  # type: ignore[no-any-return]
    if name in _ENDS:
        return StreamEnded(name)
    if name is None and (head.id is not None or bytes(head.result) or head.error is not None):
        return _control(head)
    return Other(str(name)[:60], message)


def _control(head: _Head) -> Control:
    error = head.error if isinstance(head.error, dict) else {}
    code = error.get("code", -1 if head.error is not None else 0)
    return Control(
        head.id if isinstance(head.id, int | str) else None,
        code if isinstance(code, int) else -1,
        str(error.get("msg", head.error if head.error is not None else ""))[:300],
        bytes(head.result),
    )
