"""Every coded value of Queuefront, in one place; numbers are part of file formats and never reused.

The integer constants below are what compiled code and the strategy surface use; they are plain ``int`` so that Numba
freezes them into machine code. Event flags and kinds, order statuses, sides, types and times in force have the values
of hftbacktest 2.x, so that its files and strategies keep their meaning.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# --- event flags (bits of `ev`) and kinds (its low byte) ------------------------------------------------------------
EXCH_EVENT: Final = 1 << 31  # processed by the exchange half, at exch_ts
LOCAL_EVENT: Final = 1 << 30  # processed by the local half, at local_ts
BUY_EVENT: Final = 1 << 29  # depth: bid side; trade: the aggressor buys
SELL_EVENT: Final = 1 << 28  # depth: ask side; trade: the aggressor sells
KIND_MASK: Final = 0xFF

DEPTH_EVENT: Final = 1  # a level's quantity changed
TRADE_EVENT: Final = 2  # a trade in the market
DEPTH_CLEAR_EVENT: Final = 3  # one side, or both, emptied up to a price
DEPTH_SNAPSHOT_EVENT: Final = 4  # a level of a snapshot
DEPTH_BBO_EVENT: Final = 5  # best bid or ask only
ADD_ORDER_EVENT: Final = 10  # market by order: added
CANCEL_ORDER_EVENT: Final = 11  # market by order: canceled
MODIFY_ORDER_EVENT: Final = 12  # market by order: modified
FILL_EVENT: Final = 13  # market by order: filled

# Kinds that the Binance converters emit on request; the engine only carries them.
INDEX_PRICE_EVENT: Final = 100
MARK_PRICE_EVENT: Final = 101
FUNDING_RATE_EVENT: Final = 102
BEST_BID_EVENT: Final = 103
BEST_ASK_EVENT: Final = 104

KIND_NAMES: Final[dict[int, str]] = {
    DEPTH_EVENT: "depth",
    TRADE_EVENT: "trade",
    DEPTH_CLEAR_EVENT: "clear",
    DEPTH_SNAPSHOT_EVENT: "snapshot",
    DEPTH_BBO_EVENT: "bbo",
    ADD_ORDER_EVENT: "add order",
    CANCEL_ORDER_EVENT: "cancel order",
    MODIFY_ORDER_EVENT: "modify order",
    FILL_EVENT: "fill order",
    INDEX_PRICE_EVENT: "index price",
    MARK_PRICE_EVENT: "mark price",
    FUNDING_RATE_EVENT: "funding rate",
    BEST_BID_EVENT: "best bid",
    BEST_ASK_EVENT: "best ask",
}

# --- sides ----------------------------------------------------------------------------------------------------------
BUY: Final = 1
SELL: Final = -1

# --- order statuses, and the request codes that share their numbers -------------------------------------------------
NONE: Final = 0  # status: sent, unconfirmed; request: nothing pending
NEW: Final = 1
EXPIRED: Final = 2  # refused, or an IOC, FOK or GTX order that could not rest
FILLED: Final = 3
CANCELED: Final = 4
PARTIALLY_FILLED: Final = 5
REJECTED: Final = 6  # request code only
REPLACED: Final = 7  # request code only
UNSUPPORTED: Final = 255

STATUS_NAMES: Final[dict[int, str]] = {
    NONE: "NONE",
    NEW: "NEW",
    EXPIRED: "EXPIRED",
    FILLED: "FILLED",
    CANCELED: "CANCELED",
    PARTIALLY_FILLED: "PARTIALLY_FILLED",
    REJECTED: "REJECTED",
    REPLACED: "REPLACED",
}

# --- order types and times in force ---------------------------------------------------------------------------------
LIMIT: Final = 0
MARKET: Final = 1

GTC: Final = 0  # until canceled
GTX: Final = 1  # post-only: expires if it would take
FOK: Final = 2  # all at once, or expires
IOC: Final = 3  # what can be had now, the rest expires

ORDER_TYPE_NAMES: Final[dict[int, str]] = {LIMIT: "LIMIT", MARKET: "MARKET"}
TIME_IN_FORCE_NAMES: Final[dict[int, str]] = {GTC: "GTC", GTX: "GTX", FOK: "FOK", IOC: "IOC"}

# --- return codes of the strategy surface ---------------------------------------------------------------------------
OK: Final = 0  # done, or the time was reached
END_OF_DATA: Final = 1
MARKET_FEED: Final = 2
ORDER_RESPONSE: Final = 3
ORDER_ID_EXISTS: Final = 10
REQUEST_IN_PROGRESS: Final = 11
ORDER_NOT_FOUND: Final = 12
INVALID_ORDER_REQUEST: Final = 13
INVALID_ORDER_STATUS: Final = 14

CODE_NAMES: Final[dict[int, str]] = {
    OK: "ok",
    END_OF_DATA: "end of data",
    MARKET_FEED: "market feed",
    ORDER_RESPONSE: "order response",
    ORDER_ID_EXISTS: "order id exists",
    REQUEST_IN_PROGRESS: "a request on this order is in progress",
    ORDER_NOT_FOUND: "order not found",
    INVALID_ORDER_REQUEST: "invalid order request",
    INVALID_ORDER_STATUS: "invalid order status",
}

# --- sentinels ------------------------------------------------------------------------------------------------------
NO_BID_TICK: Final = -(2**63)  # best bid tick of a book without bids
NO_ASK_TICK: Final = 2**63 - 1  # best ask tick of a book without asks
UNTIL_END_OF_DATA: Final = 2**63 - 1  # a time no event reaches
ALL_ASSETS: Final = -1

# --- what a tape row does to a book (column `op` of a tape: low bits; the high bits say which half sees it) ----------
OP_NOTHING: Final = 0
OP_SET_BID: Final = 1
OP_SET_ASK: Final = 2
OP_BUY_TRADE: Final = 3
OP_SELL_TRADE: Final = 4
OP_OTHER_TRADE: Final = 5  # no aggressor side: shown to the strategy, fills nobody
OP_CLEAR_BIDS: Final = 6
OP_CLEAR_ASKS: Final = 7
OP_CLEAR_BOTH: Final = 8
OP_CLEAR_ALL_BIDS: Final = 9  # a clear without a price
OP_CLEAR_ALL_ASKS: Final = 10
OP_ADD_ORDER: Final = 11  # market by order; OP_BID says of which side
OP_CANCEL_ORDER: Final = 12
OP_MODIFY_ORDER: Final = 13
OP_FILL_ORDER: Final = 14
OP_OUTSIDE: Final = 15  # a level outside of a bounded book; OP_BID says of which side
OP_MASK: Final = 0x0F
OP_BID: Final = 0x10
OP_MASKED: Final = 0x20  # in memory only: after this row the exchange takes no new order, see `feed.tape_mask`
OP_AT_LOCAL: Final = 0x40
OP_AT_EXCH: Final = 0x80

# --- codes of the built-in models -----------------------------------------------------------------------------------
LATENCY_CONSTANT: Final = 0
LATENCY_INTERPOLATED: Final = 1
LATENCY_SAMPLED: Final = 2

QUEUE_RISK_AVERSE: Final = 0
QUEUE_POWER: Final = 1  # K^n / (K^n + F^n)
QUEUE_POWER_2: Final = 2  # K^n / (K + F)^n
QUEUE_POWER_3: Final = 3  # 1 - (F / (F + K))^n
QUEUE_LOG: Final = 4  # ln(1+K) / (ln(1+K) + ln(1+F))
QUEUE_LOG_2: Final = 5  # ln(1+K) / ln(1+K+F)
QUEUE_FIFO: Final = 6  # market by order: the queue as it was

EXCHANGE_NO_PARTIAL_FILL: Final = 0
EXCHANGE_PARTIAL_FILL: Final = 1

FEE_VALUE: Final = 0
FEE_QTY: Final = 1
FEE_FLAT: Final = 2
FEE_DIRECTIONAL_QTY: Final = 3  # on quantity, and of each side on value

# --- what a traced run keeps of an order of ours ----------------------------------------------------------------------
TRACE_REST: Final = 1  # it came to rest behind qty_ahead
TRACE_TRADE: Final = 2  # the market traded qty at its price
TRACE_BOOK: Final = 3  # the book's quantity at its price changed by qty
TRACE_QUEUE: Final = 4  # market by order: an order of qty ahead of it left
TRACE_EXECUTION: Final = 5  # it executed qty, passively
TRACE_TAKING: Final = 6  # it executed qty against the book
TRACE_CANCEL: Final = 7
TRACE_EXPIRE: Final = 8
TRACE_MODIFY: Final = 9  # it kept its place with another quantity

TRACE_NAMES: Final[dict[int, str]] = {
    TRACE_REST: "comes to rest",
    TRACE_TRADE: "trade at its price",
    TRACE_BOOK: "book changes at its price",
    TRACE_QUEUE: "an order ahead leaves",
    TRACE_EXECUTION: "executes, maker",
    TRACE_TAKING: "executes, taker",
    TRACE_CANCEL: "is canceled",
    TRACE_EXPIRE: "expires",
    TRACE_MODIFY: "is modified in place",
}

CONTRACT_LINEAR: Final = 0
CONTRACT_INVERSE: Final = 1


class ContractKind(StrEnum):
    """How a contract's value follows its price."""

    LINEAR = "linear"  # notional = multiplier × price × qty, in quote currency
    INVERSE = "inverse"  # notional = multiplier × qty / price, in base currency
