"""Sign requests: what is signed is byte for byte what is sent.

The signed text is time, key, window and payload, with nothing between them; the payload is the query as it is sent, or the
body. Source: Bybit API v5 documentation, "Integration Guidance" and "Connect"; the known answers are in its tests.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from queuefront.venues.credentials import Credentials
from queuefront.venues.parameters import encode_parameters, parameter_text
from queuefront.venues.rest import Call, Wire

__all__ = ["RECEIVE_WINDOW_MS", "auth_args", "signature", "wire"]

RECEIVE_WINDOW_MS: Final = 5000

_JSON: Final = {"Content-Type": "application/json"}
_REALTIME: Final = b"GET/realtime"


def signature(credentials: Credentials, ms: int, payload: bytes, window_ms: int = RECEIVE_WINDOW_MS) -> str:
    """Return the signature of a query or a body."""
    return credentials.sign(f"{ms}{credentials.api_key}{window_ms}".encode("ascii") + payload)


def auth_args(credentials: Credentials, expires_ms: int) -> list[Any]:
    """Return what the `auth` of a stream names: the key, until when it holds, and the signature."""
    return [credentials.api_key, expires_ms, credentials.sign(_REALTIME + str(expires_ms).encode("ascii"))]


def wire(base: str, call: Call, credentials: Credentials | None, server_ms: int) -> Wire:
    """Return the bytes of a call: a query for GET, which must have no body, and JSON otherwise."""
    query, body = b"", b""
    if call.method == "GET":
        query = encode_parameters(call.parameters)
    else:
        body = msgspec.json.encode({k: _json(v) for k, v in call.parameters.items() if v is not None})
    headers: dict[str, str] = dict(_JSON) if body else {}
    if call.is_signed:
        if credentials is None:
            raise ValueError(f"{call.method} {call.path} needs credentials")
        headers |= {
            "X-BAPI-API-KEY": credentials.api_key,
            "X-BAPI-TIMESTAMP": str(server_ms),
            "X-BAPI-RECV-WINDOW": str(RECEIVE_WINDOW_MS),
            "X-BAPI-SIGN-TYPE": "2",
            "X-BAPI-SIGN": signature(credentials, server_ms, query + body),
        }
    url = base + call.path + ("?" + query.decode("ascii") if query else "")
    return Wire(call.method, url, headers, body)


def _json(value: str | int | bool | Any) -> str | int | bool:
    """Numbers of the venue are text in JSON; its flags and indices are not."""
    return value if isinstance(value, (bool, int)) else parameter_text(value)
