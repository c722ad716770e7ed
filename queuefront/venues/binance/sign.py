"""Sign requests: what is signed is byte for byte what is sent (H8.28, H8.29, H8.32).

The signed text is the query immediately followed by the body, with nothing between them. Source: Binance developer
documentation, "SIGNED Endpoint Examples", and its sample keys, which are this module's known answers.
"""

from __future__ import annotations

from typing import Any, Final

from queuefront.venues.credentials import Credentials
from queuefront.venues.parameters import Parameters, encode_parameters, parameter_text
from queuefront.venues.rest import Call, Wire

__all__ = ["RECEIVE_WINDOW_MS", "signed", "signed_params", "wire"]

RECEIVE_WINDOW_MS: Final = 5000

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


def signed(credentials: Credentials, query: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return query and body with the signature of both as the last parameter of the body, or of the query without one."""
    signature = b"signature=" + credentials.sign(query + body).encode("ascii")
    if body:
        return query, body + b"&" + signature
    return (query + b"&" + signature if query else signature), b""


def wire(base: str, call: Call, credentials: Credentials | None, server_ms: int) -> Wire:
    """Return the bytes of a call: parameters in the query for GET and DELETE, in a form otherwise, never in both."""
    parameters: dict[str, Any] = dict(call.parameters)
    headers: dict[str, str] = {}
    if call.is_signed:
        parameters |= {"recvWindow": RECEIVE_WINDOW_MS, "timestamp": server_ms}
    text = encode_parameters(parameters)
    query, body = (text, b"") if call.method in ("GET", "DELETE") else (b"", text)
    if call.is_keyed or call.is_signed:
        if credentials is None:
            raise ValueError(f"{call.method} {call.path} needs credentials")
        headers["X-MBX-APIKEY"] = credentials.api_key
        if call.is_signed:
            query, body = signed(credentials, query, body)
    if body:
        headers |= _FORM
    url = base + call.path + ("?" + query.decode("ascii") if query else "")
    return Wire(call.method, url, headers, body)


def signed_params(credentials: Credentials, params: Parameters, server_ms: int) -> dict[str, Any]:
    """Return the parameters of a WebSocket API request with key, time and signature.

    All are signed, sorted by name, as raw text: this interface knows no percent-encoding.
    """
    full = {**params, "apiKey": credentials.api_key, "timestamp": server_ms}
    payload = "&".join(f"{k}={parameter_text(v)}" for k, v in sorted(full.items()) if v is not None)
    return {**full, "signature": credentials.sign(payload.encode("utf-8"))}
