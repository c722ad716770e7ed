"""The venue's refusals: HTTP status, code and text, as Binance words them.

Sources: Binance Spot "Error codes", Binance USD-M and COIN-M "Error Code".
"""

from __future__ import annotations

from typing import Final

__all__ = ["ApiError", "refusal"]


class ApiError(Exception):
    """A request that the venue refuses.

    status : of HTTP.   code, text : of the body.   retry_after_s : of the header, where there is one.
    """

    def __init__(self, status: int, code: int, text: str, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.status, self.code, self.text, self.retry_after_s = status, code, text, retry_after_s


_BOTH: Final = {
    "unknown": (503, -1000, "Unknown error, please check your request or try again later."),
    "internal": (503, -1001, "Internal error; unable to process your request. Please try again."),
    "unexpected": (500, -1006, "An unexpected response was received from the message bus. Execution status unknown."),
    "too many orders": (429, -1015, "Too many new orders; current limit is {} orders per {}."),
    "maintenance": (503, -1016, "This service is no longer available."),
    "late": (400, -1021, "Timestamp for this request is outside of the recvWindow."),
    "early": (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time."),
    "signature": (400, -1022, "Signature for this request is not valid."),
    "characters": (400, -1100, "Illegal characters found in a parameter."),
    "characters in": (400, -1100, "Illegal characters found in parameter '{}'; legal range is '{}'."),
    "repeated": (400, -1101, "Duplicate values for a parameter detected."),
    "missing": (400, -1102, "Mandatory parameter '{}' was not sent, was empty/null, or malformed."),
    "either": (400, -1102, "Param '{}' or '{}' must be sent, but both were empty/null!"),
    "empty": (400, -1105, "Parameter '{}' was empty."),
    "not required": (400, -1106, "Parameter '{}' sent when not required."),
    "window": (400, -1131, "recvWindow must be less than 60000."),
    "time in force": (400, -1115, "Invalid timeInForce."),
    "order type": (400, -1116, "Invalid orderType."),
    "side": (400, -1117, "Invalid side."),
    "symbol": (400, -1121, "Invalid symbol."),
    "invalid": (400, -1130, "Data sent for parameter '{}' is not valid."),
    "cancel": (400, -2011, "Unknown order sent."),
    "no order": (400, -2013, "Order does not exist."),
    "key format": (401, -2014, "API-key format invalid."),
    "key": (401, -2015, "Invalid API-key, IP, or permissions for action."),
    "path": (404, -5000, "Path {}, Method {} is invalid"),
}

_SPOT: Final = {
    "timeout": (
        504,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    ),
    "busy": (503, -1008, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    "too many requests": (
        429,
        -1003,
        (
            "Too many requests; current limit is {} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        ),
    ),
    "banned": (
        418,
        -1003,
        (
            "Way too much request weight used; IP banned until {}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        ),
    ),
    "filter": (400, -1013, "Filter failure: {}"),
    "quantity": (400, -1013, "Invalid quantity."),
    "price": (400, -1013, "Invalid price."),
    "time in force not required": (400, -1114, "TimeInForce parameter sent when not required."),
    "precision": (400, -1111, "Parameter '{}' has too much precision."),
    "balance": (400, -2010, "Account has insufficient balance for requested action."),
    "duplicate": (400, -2010, "Duplicate order sent."),
    "post-only": (400, -2010, "Order would immediately match and take."),
    "amend": (400, -2038, "Order amend (quantity increase) is not supported."),
}

_FUTURES: Final = {
    "timeout": (
        408,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    ),
    "busy": (
        503,
        -1008,
        "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.",
    ),
    "too many requests": (429, -1003, "Too many requests; current limit is {} requests per minute."),
    "banned": (418, -1003, "Way too many requests; IP banned until {}."),
    "precision": (400, -1111, "Precision is over the maximum defined for this asset."),
    "listen key": (400, -1125, "This listenKey does not exist."),
    "margin": (400, -2019, "Margin is insufficient."),
    "reduce-only": (400, -2022, "ReduceOnly Order is rejected."),
    "leverage": (400, -4028, "Leverage {} is not valid"),
    "quantity negative": (400, -4003, "Quantity less than or equal to zero."),
    "quantity low": (400, -4004, "Quantity less than min quantity."),
    "quantity high": (400, -4005, "Quantity greater than max quantity."),
    "price low": (400, -4013, "Price less than min price."),
    "price high": (400, -4016, "Price is higher than mark price multiplier cap."),
    "tick": (400, -4014, "Price not increased by tick size."),
    "id length": (400, -4015, "Client order id length should not be more than 36 chars"),
    "step": (400, -4023, "Qty not increased by step size."),
    "margin type": (400, -4046, "No need to change margin type."),
    "position side same": (400, -4059, "No need to change position side."),
    "position side": (400, -4061, "Order's position side does not match user's setting."),
    "duplicate": (400, -4116, "ClientOrderId is duplicated."),
    "algo": (
        400,
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    ),
    "notional": (400, -4164, "Order's notional must be no smaller than {} (unless you choose reduce only)"),
    "fill or kill": (
        400,
        -5021,
        (
            "Due to the order could not be filled immediately, the FOK order has been rejected. "
            "The order will not be recorded in the order history"
        ),
    ),
    "post-only": (
        400,
        -5022,
        (
            "Due to the order could not be executed as maker, the Post Only order will be rejected. "
            "The order will not be recorded in the order history"
        ),
    ),
    "limit only": (400, -5025, "Only limit order is supported."),
    "modified too often": (400, -5026, "Exceed maximum modify order limit."),
    "same order": (400, -5027, "No need to modify the order."),
}


def refusal(name: str, *values: object, is_spot: bool = False, retry_after_s: int | None = None) -> ApiError:
    """Return a refusal by its name here, as spot or futures word it."""
    own = _SPOT if is_spot else _FUTURES
    status, code, text = own[name] if name in own else _BOTH[name]
    return ApiError(status, code, text.format(*values), retry_after_s)
