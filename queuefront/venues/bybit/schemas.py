"""What Bybit answers and pushes, as typed records: the rows are the same over REST and on the private stream.

Numbers are text in the venue's messages, empty where there is none, and are read exactly by `number`. Words are kept as
text and read by `vocabulary.word`, so that a new word loses nothing; fields that nobody knows are passed over. Rows are
read one by one: one that cannot be read does not take the others with it.

Source: Bybit API v5 documentation, "Order", "Execution", "Position", "Wallet" (WebSocket and REST), read 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Generic, TypeVar

import msgspec

from queuefront.venues.credentials import redacted
from queuefront.venues.errors import MessageError
from queuefront.venues.units import plausible_ns

__all__ = [
    "AccountInfo",
    "CoinRow",
    "Control",
    "ExecutionRow",
    "FeeRow",
    "InstrumentRow",
    "OrderRow",
    "Placed",
    "PositionRow",
    "PrivateMessage",
    "Rows",
    "ServerTime",
    "Text",
    "WalletRow",
    "decode_page",
    "decode_private",
    "decode_result",
    "number",
    "time_ns",
]

#: A number as it is written: text, sometimes a JSON number, empty or null where there is none.
Text = str | int | float | None

_CAMEL: Final = "camel"


def number(text: Text, field: str) -> Decimal | None:
    """Return a number exactly, or None where the venue says none.

    Raises
    ------
    MessageError
        If it is no finite number.
    """
    if text is None or text == "":
        return None
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise MessageError(f"{field} is {str(text)[:40]!r}, which is no number")
    return value


def time_ns(text: Text) -> int:
    """Return a time of the venue, given in ms, in ns UTC; 0 where there is none, or none that can be true (H8.12)."""
    try:
        ms = int(text) if text else 0
    except (ValueError, OverflowError):
        return 0
    return plausible_ns(ms) or 0


# --- rows of REST and of the private stream ---------------------------------------------------------------------------
class OrderRow(msgspec.Struct, rename=_CAMEL, kw_only=True):
    """An order as a whole."""

    symbol: str
    order_id: str = ""
    order_link_id: str | None = ""
    category: str = ""
    side: str = ""
    order_type: str = ""
    time_in_force: str | None = ""
    order_status: str = ""
    cancel_type: str | None = ""
    reject_reason: str | None = ""
    create_type: str | None = ""
    stop_order_type: str | None = ""
    price: Text = None
    qty: Text = None
    avg_price: Text = None
    trigger_price: Text = None
    cum_exec_qty: Text = None
    cum_exec_value: Text = None
    cum_exec_fee: Text = None
    fee_currency: str | None = ""
    reduce_only: bool | None = None
    position_idx: int | None = None
    created_time: Text = None
    updated_time: Text = None


class ExecutionRow(msgspec.Struct, rename=_CAMEL, kw_only=True):
    """One fill of ours, or another execution; `execution.fast` names no type, because it tells of trades only."""

    symbol: str
    exec_id: str
    order_id: str = ""
    order_link_id: str | None = ""
    category: str = ""
    side: str = ""
    exec_type: str | None = "Trade"
    exec_price: Text = None
    exec_qty: Text = None
    exec_fee: Text = None
    fee_currency: str | None = ""
    is_maker: bool | None = None
    order_qty: Text = None
    closed_size: Text = None
    exec_time: Text = None


class PositionRow(msgspec.Struct, rename=_CAMEL, kw_only=True):
    """A position; `size` has no sign."""

    symbol: str
    side: str | None = ""
    size: Text = None
    category: str = ""
    position_idx: int | None = 0
    leverage: Text = None
    avg_price: Text = None
    entry_price: Text = None
    position_status: str | None = ""
    updated_time: Text = None


class CoinRow(msgspec.Struct, rename=_CAMEL, kw_only=True):
    """One coin of a wallet."""

    coin: str
    wallet_balance: Text = None
    locked: Text = None
    equity: Text = None
    unrealised_pnl: Text = None

    @property
    def total(self) -> Decimal:
        """What is there, locked or not."""
        return number(self.wallet_balance, "walletBalance") or Decimal(0)


class WalletRow(msgspec.Struct, rename=_CAMEL, kw_only=True):
    """The account's wallet."""

    account_type: str = ""
    coin: list[CoinRow] = []


# --- answers ----------------------------------------------------------------------------------------------------------
class ServerTime(msgspec.Struct, rename=_CAMEL):
    """GET /v5/market/time."""

    time_second: str
    time_nano: str


class Placed(msgspec.Struct, rename=_CAMEL):
    """What place, amend and cancel answer: that the request was received, and of which order it spoke."""

    order_id: str = ""
    order_link_id: str | None = ""


class PriceFilter(msgspec.Struct, rename=_CAMEL):
    """Of an instrument."""

    tick_size: Text = None
    min_price: Text = None
    max_price: Text = None


class LotFilter(msgspec.Struct, rename=_CAMEL):
    """Of an instrument; spot names its step and its least amount otherwise."""

    qty_step: Text = None
    base_precision: Text = None
    min_order_qty: Text = None
    max_order_qty: Text = None
    max_mkt_order_qty: Text = None
    min_notional_value: Text = None
    min_order_amt: Text = None


class InstrumentRow(msgspec.Struct, rename=_CAMEL):
    """GET /v5/market/instruments-info."""

    symbol: str
    status: str = ""
    base_coin: str = ""
    quote_coin: str = ""
    settle_coin: str | None = ""
    price_filter: PriceFilter = msgspec.field(default_factory=PriceFilter)
    lot_size_filter: LotFilter = msgspec.field(default_factory=LotFilter)


class FeeRow(msgspec.Struct, rename=_CAMEL):
    """GET /v5/account/fee-rate."""

    symbol: str = ""
    maker_fee_rate: Text = None
    taker_fee_rate: Text = None


class AccountInfo(msgspec.Struct, rename=_CAMEL):
    """GET /v5/account/info."""

    margin_mode: str = ""
    unified_margin_status: int = 0


T = TypeVar("T")


class _Answer(msgspec.Struct, rename=_CAMEL):
    ret_code: Any = None
    result: msgspec.Raw = msgspec.Raw()
    time: Any = None


class _Page(msgspec.Struct, rename=_CAMEL):
    rows: Any = msgspec.field(name="list", default=None)
    next_page_cursor: str | None = None


class _RowList(msgspec.Struct):
    rows: list[msgspec.Raw] = msgspec.field(name="list")


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decode(kind: Any, body: bytes, what: str) -> Any:
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise MessageError(f"{what}: {e}; the message begins {_begin(body)!r}") from e


def _begin(body: bytes) -> str:
    return redacted(body[:120].decode("utf-8", "replace"))


def decode_result(kind: type[T], body: bytes, what: str) -> T:
    """Read the `result` of an answer.

    Raises
    ------
    MessageError
        If it has not the promised shape: what was asked, where it deviates, and how it begins.
    """
    answer = _decode(_Answer, body, what)
    return _decode(kind, bytes(answer.result) or b"null", what)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """Rows of one message, what could not be read of it, and where the next page begins."""

    rows: list[T]
    unreadable: list[str]
    cursor: str = ""


def decode_page(kind: type[T], body: bytes, what: str) -> Rows[T]:
    """Read a list of rows (H8.4).

    Raises
    ------
    MessageError
        If there is no list: with the code of the answer and how it begins.
    """
    answer = _decode(_Answer, body, what)
    page = _decode(_Page, bytes(answer.result), what) if bytes(answer.result).startswith(b"{") else _Page()
    if not isinstance(page.rows, list):
        raise MessageError(f"{what}: the answer with retCode {answer.ret_code} has no list; it begins {_begin(body)!r}")
    raws = _decode(_RowList, bytes(answer.result), what).rows
    return _rows(kind, raws, what, page.next_page_cursor or "")


def _rows(kind: type[T], raws: list[msgspec.Raw], what: str, cursor: str = "") -> Rows[T]:
    rows: list[T] = []
    unreadable: list[str] = []
    for place, raw in enumerate(raws):
        try:
            rows.append(_decode(kind, bytes(raw), f"{what}, row {place}"))
        except MessageError as e:
            unreadable.append(str(e))
    return Rows(rows, unreadable, cursor)


# --- the private stream -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Control:
    """An answer to what we sent. Only `success: true` is success; anything else, or nothing, is failure (H8.1, H8.2)."""

    op: str
    request_id: str
    is_success: bool
    code: int
    text: str


class _Head(msgspec.Struct):
    topic: Any = None
    data: msgspec.Raw = msgspec.Raw()
    op: Any = None
    success: Any = None
    req_id: Any = None
    ret_code: Any = msgspec.field(name="retCode", default=None)
    ret_msg: Any = None
    ret_message: Any = msgspec.field(name="retMsg", default=None)


PrivateMessage = Control | Rows[OrderRow] | Rows[ExecutionRow] | Rows[PositionRow] | Rows[WalletRow] | str

_TOPICS: Final[dict[str, Any]] = {
    "order": OrderRow,
    "execution": ExecutionRow,
    "position": PositionRow,
    "wallet": WalletRow,
}


def decode_private(message: bytes) -> PrivateMessage:
    """Read one message of the private stream; one of a topic that is not ours is its name.

    Raises
    ------
    MessageError
        If it cannot be read.
    """
    head: _Head = _decode(_Head, message, "private stream")
    if isinstance(head.topic, str) and head.topic:
        kind = _TOPICS.get(head.topic.partition(".")[0])
        if kind is None:
            return head.topic[:80]
        raws = _decode(list[msgspec.Raw], bytes(head.data), f"topic {head.topic[:40]}")
        return _rows(kind, raws, f"topic {head.topic[:40]}")
    text = head.ret_msg if isinstance(head.ret_msg, str) else head.ret_message
    return Control(
        op=head.op if isinstance(head.op, str) else "",
        request_id=head.req_id if isinstance(head.req_id, str) else "",
        is_success=head.success is True,
        code=head.ret_code if isinstance(head.ret_code, int) else 0,
        text=text[:300] if isinstance(text, str) else "",
    )
