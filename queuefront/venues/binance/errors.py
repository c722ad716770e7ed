"""What Binance's answers mean: HTTP status first, then the code, then the text where one code means several things.

Source: Binance developer documentation, "HTTP Return Codes" and "Error Codes" of the three markets, read 2026-07.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from queuefront.core.clock import NS_PER
from queuefront.venues.binance.markets import Market
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, Unknown
from queuefront.venues.rest import Reply

__all__ = ["classify", "refusal"]


class _Problem(msgspec.Struct):
    code: int
    msg: str = ""


_problem = msgspec.json.Decoder(_Problem)

R = Reason
_BY_CODE: Final[dict[int, Reason]] = {
    -1002: R.AUTH, -1022: R.AUTH, -2014: R.AUTH, -2015: R.AUTH, -2008: R.AUTH,
    -1003: R.RATE_LIMITED, -1015: R.ORDER_RATE_LIMITED, -1034: R.RATE_LIMITED,
    -1004: R.BUSY, -1008: R.BUSY, -1016: R.BUSY, -1109: R.BUSY,
    -1013: R.FILTER, -4001: R.FILTER, -4002: R.FILTER, -4003: R.FILTER, -4004: R.FILTER, -4005: R.FILTER,
    -4013: R.FILTER, -4014: R.FILTER, -4016: R.FILTER, -4023: R.FILTER, -4024: R.FILTER, -4131: R.FILTER, -4164: R.FILTER,
    -1021: R.TIMESTAMP, -5028: R.TIMESTAMP,
    -1102: R.WRONG_REQUEST, -1105: R.WRONG_REQUEST, -1106: R.WRONG_REQUEST, -1111: R.WRONG_REQUEST, -1114: R.WRONG_REQUEST,
    -1121: R.WRONG_REQUEST,
    -1125: R.LISTEN_KEY,
    -2011: R.UNKNOWN_ORDER, -2013: R.UNKNOWN_ORDER, -2026: R.UNKNOWN_ORDER,
    -2018: R.INSUFFICIENT_FUNDS, -2019: R.INSUFFICIENT_FUNDS, -4050: R.INSUFFICIENT_FUNDS, -4051: R.INSUFFICIENT_FUNDS,
    -2025: R.LIMIT_REACHED, -2027: R.LIMIT_REACHED, -2028: R.LIMIT_REACHED, -4400: R.LIMIT_REACHED,
    -4046: R.NOTHING_TO_CHANGE, -4059: R.NOTHING_TO_CHANGE,
    -4047: R.POSITION_MODE, -4048: R.POSITION_MODE, -4061: R.POSITION_MODE, -4067: R.POSITION_MODE, -4068: R.POSITION_MODE,
    -4116: R.DUPLICATE_CLIENT_ID, -4118: R.REDUCE_ONLY, -4120: R.WRONG_ENDPOINT,
    -5021: R.WOULD_NOT_FILL, -5022: R.POST_ONLY_WOULD_TAKE,
    -5024: R.MODIFY_REFUSED, -5025: R.MODIFY_REFUSED, -5026: R.MODIFY_REFUSED, -5027: R.NOTHING_TO_CHANGE,
    -5029: R.MODIFY_REFUSED,
}  # fmt: skip

#: Codes that mean one thing on futures, and a half-done replacement on spot, whose body says what became of each half.
_FUTURES_ONLY: Final = {-2021: R.WOULD_TRIGGER, -2022: R.REDUCE_ONLY}

#: Spot: one code, and the text decides.
_BY_TEXT: Final = (
    ("insufficient balance", R.INSUFFICIENT_FUNDS),
    ("duplicate order", R.DUPLICATE_CLIENT_ID),
    ("immediately match and take", R.POST_ONLY_WOULD_TAKE),
    ("trigger immediately", R.WOULD_TRIGGER),
    ("market is closed", R.MARKET_CLOSED),
    ("unknown order", R.UNKNOWN_ORDER),
)
_UNKNOWN_CODES: Final = (-1000, -1001, -1006, -1007)
#: A server error of which the venue says that nothing happened.
_FAILED_TEXTS: Final = ("service unavailable.", "internal error; unable to process your request. please try again.")
_BANNED_UNTIL: Final = re.compile(r"banned until (\d{13})")


def refusal(market: Market, code: int, text: str) -> Reason:
    """Return the reason of a refusal."""
    if code in (-2010, -1010):
        low = text.lower()
        return next((reason for part, reason in _BY_TEXT if part in low), R.OTHER)
    if not market.is_spot and code in _FUTURES_ONLY:
        return _FUTURES_ONLY[code]
    return _BY_CODE.get(code, R.OTHER)


def classify(market: Market, reply: Reply, now_ns: int) -> Outcome[bytes]:
    """Say what an answer proves.

    Unknown is everything that proves nothing: a server error, an answer that is no JSON, a status that nobody documents.
    """
    status, body = reply.status, reply.body
    if status == 200:
        if not _is_json(body):
            return Unknown(f"status 200 with a body that is no JSON, {len(body)} bytes")
        problem = _read(body)
        # Success is also told by {"code": 200}; a negative code inside of 200 was seen on batch endpoints.
        return Done(body) if problem is None or problem.code >= 0 else _refused(market, problem, reply, now_ns)
    problem = _read(body)
    if status == 418:
        return Refused(R.IP_BANNED, _code(problem), _text(problem, body), _ban_ns(problem, reply, now_ns))
    if status == 429:
        reason = R.ORDER_RATE_LIMITED if problem is not None and problem.code == -1015 else R.RATE_LIMITED
        return Refused(reason, _code(problem), _text(problem, body), _retry_after_ns(reply))
    if status == 408 or status >= 500:
        return _server_error(problem, reply)
    if status == 403:
        return Refused(R.OTHER, _code(problem), f"the venue's firewall refused the request: {_text(problem, body)}")
    if 400 <= status < 500 and problem is not None:
        return _refused(market, problem, reply, now_ns)
    return Unknown(f"status {status} without a code: {_text(problem, body)}")


def _refused(market: Market, problem: _Problem, reply: Reply, now_ns: int) -> Outcome[bytes]:
    if problem.code in _UNKNOWN_CODES:
        return Unknown(f"code {problem.code}: {problem.msg}")
    reason = refusal(market, problem.code, problem.msg)
    wait_ns = 0
    if reason is R.RATE_LIMITED:
        wait_ns = _retry_after_ns(reply)
        if "banned until" in problem.msg:
            reason, wait_ns = R.IP_BANNED, _ban_ns(problem, reply, now_ns)
    return Refused(reason, problem.code, problem.msg, wait_ns, reply.body)


def _server_error(problem: _Problem | None, reply: Reply) -> Outcome[bytes]:
    text = _text(problem, reply.body)
    is_failed = text.strip().lower() in _FAILED_TEXTS
    if reply.status == 503 and (is_failed or _code(problem) == -1008):
        return Refused(R.BUSY, _code(problem), text, _retry_after_ns(reply))
    return Unknown(f"status {reply.status}, code {_code(problem)}: {text}")


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _read(body: bytes) -> _Problem | None:
    try:
        return _problem.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _code(problem: _Problem | None) -> int:
    return 0 if problem is None else problem.code


def _text(problem: _Problem | None, body: bytes) -> str:
    return body[:200].decode("utf-8", "replace") if problem is None else problem.msg[:300]


def _retry_after_ns(reply: Reply) -> int:
    text = reply.headers.get("retry-after", "")
    return int(text) * NS_PER["s"] if re.fullmatch(r"\d{1,7}", text) else 0


def _ban_ns(problem: _Problem | None, reply: Reply, now_ns: int) -> int:
    until = _BANNED_UNTIL.search(problem.msg) if problem is not None else None
    by_text = max(int(until[1]) * NS_PER["ms"] - now_ns, 0) if until else 0
    return max(by_text, _retry_after_ns(reply)) or 120 * NS_PER["s"]
