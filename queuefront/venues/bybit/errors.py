"""What Bybit's answers mean: HTTP status first, then `retCode`, which refuses inside of status 200 too.

Source: Bybit API v5 documentation, "Error Codes", read 2026-07.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from queuefront.core.clock import NS_PER
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, Unknown
from queuefront.venues.rest import Reply

__all__ = ["classify", "refusal"]


class _Verdict(msgspec.Struct, rename="camel"):
    ret_code: int
    ret_msg: str | None = None


_verdict = msgspec.json.Decoder(_Verdict)

R = Reason


def _by_code(*rows: tuple[Reason, tuple[int, ...]]) -> dict[int, Reason]:
    return {code: reason for reason, codes in rows for code in codes}


_BY_CODE: Final = _by_code(
    (R.AUTH, (10003, 10004, 10005, 10007, 10008, 10009, 10010, 10024, 10027, 10028, 33004, -2015)),
    (R.BUSY, (110079, 170144)),
    (R.DUPLICATE_CLIENT_ID, (110072, 170141)),
    (R.FILTER, (
        110003, 110094, 110120, 110121, 170124, 170132, 170133, 170134, 170136, 170137, 170140, 170148, 170192, 170193,
        170194, 170371, 170372, 170381, 170382, 30208, 30209,
    )),
    (R.INSUFFICIENT_FUNDS, (110004, 110006, 110007, 110012, 110014, 110044, 110045, 110052, 170033, 170131)),
    (R.LIMIT_REACHED, (110009, 110020, 170810)),
    (R.MARKET_CLOSED, (110063, 110066, 110074, 170151)),
    (R.NOTHING_TO_CHANGE, (110025, 110026, 110043)),
    (R.ORDER_RATE_LIMITED, (170222,)),
    (R.POSITION_MODE, (110024, 110028)),
    (R.POST_ONLY_WOULD_TAKE, (170218,)),
    (R.RATE_LIMITED, (429, 10006, 10018, 10429, 20003, 170005)),
    (R.REDUCE_ONLY, (110017,)),
    (R.TIMESTAMP, (10002,)),
    (R.UNKNOWN_ORDER, (110001, 110008, 110010, 170139, 170142, 170143, 170190, 170213)),
    (R.WOULD_TRIGGER, (110092, 110093)),
    (R.WRONG_ENDPOINT, (10017, 10404)),
    (R.WRONG_REQUEST, (400, 10001, 10029, 170121)),
)  # fmt: skip

#: Time-outs and errors of the server, and requests that may have been taken under another number: neither is proved.
_UNKNOWN_CODES: Final = frozenset(
    {10000, 10014, 10016, 10019, 20006, 170001, 170007, 170032, 170035, 170146, 170147, 3400214}
)
_ADDRESS_PAUSE_NS: Final = 600 * NS_PER["s"]
_SHORT_PAUSE_NS: Final = NS_PER["s"]
_MS: Final = re.compile(r"\d{13}")


def refusal(code: int) -> Reason:
    """Return the reason of a refusal."""
    return _BY_CODE.get(code, R.OTHER)


def classify(reply: Reply, now_ns: int) -> Outcome[bytes]:
    """Say what an answer proves, at `now_ns` of the venue's clock.

    Unknown is everything that proves nothing: a server error, an answer without a code, a status that nobody documents.
    """
    status, verdict = reply.status, _read(reply.body)
    if status == 200:
        if verdict is None:
            return Unknown(f"status 200 without a retCode: {_text(None, reply.body)!r}")
        return Done(reply.body) if verdict.ret_code == 0 else _refused(verdict, reply, now_ns)
    if status == 408 or status >= 500:
        code = 0 if verdict is None else verdict.ret_code
        return Unknown(f"status {status}, code {code}: {_text(verdict, reply.body)}")
    if status == 429:
        return Refused(R.RATE_LIMITED, _code(verdict), _text(verdict, reply.body), _wait_ns(reply, now_ns))
    if status == 403:
        # An address over its limit is shut out for ten minutes; the same status means a country or a malformed request.
        text = _text(verdict, reply.body)
        is_limit = "too frequent" in text.lower()
        reason, wait_ns = (R.IP_BANNED, _ADDRESS_PAUSE_NS) if is_limit else (R.OTHER, 0)
        return Refused(reason, _code(verdict), f"status 403: {text}", wait_ns)
    if 400 <= status < 500 and verdict is not None and verdict.ret_code != 0:
        return _refused(verdict, reply, now_ns)
    return Unknown(f"status {status} without a code: {_text(verdict, reply.body)}")


def _refused(verdict: _Verdict, reply: Reply, now_ns: int) -> Outcome[bytes]:
    code, text = verdict.ret_code, _text(verdict, reply.body)
    if code in _UNKNOWN_CODES:
        return Unknown(f"code {code}: {text}")
    reason = refusal(code)
    wait_ns = _wait_ns(reply, now_ns) if reason in (R.RATE_LIMITED, R.ORDER_RATE_LIMITED) else 0
    return Refused(reason, code, text, wait_ns, reply.body)


def _wait_ns(reply: Reply, now_ns: int) -> int:
    """How long until the endpoint that is used up is free again, as its header says."""
    text = reply.headers.get("x-bapi-limit-reset-timestamp", "")
    wait_ns = int(text) * NS_PER["ms"] - now_ns if _MS.fullmatch(text) else 0
    return min(wait_ns, _ADDRESS_PAUSE_NS) if wait_ns > 0 else _SHORT_PAUSE_NS


def _read(body: bytes) -> _Verdict | None:
    try:
        return _verdict.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _code(verdict: _Verdict | None) -> int:
    return 0 if verdict is None else verdict.ret_code


def _text(verdict: _Verdict | None, body: bytes) -> str:
    return body[:200].decode("utf-8", "replace") if verdict is None else (verdict.ret_msg or "")[:300]
