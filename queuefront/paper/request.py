"""Requests as they come over the wire: their parameters, typed, and their signature.

Source: Binance Spot "Request security", USD-M "General Info": the signed text is the query string followed by the body,
with nothing between the two; a parameter that stands in both is the query's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from urllib.parse import unquote_to_bytes

from queuefront.paper.errors import refusal

__all__ = ["Parameters", "Request", "is_signed_by", "websocket_signature"]

_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_NUMBER_RANGE: Final = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
_INTEGER: Final = re.compile(r"[0-9]{1,19}")
_INT64_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Request:
    """One call. path : without the query; query, body : as they were sent."""

    method: str
    path: str
    query: str = ""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def api_key(self) -> str:
        """The key of the header, empty where there is none."""
        return next((value for name, value in self.headers.items() if name.upper() == "X-MBX-APIKEY"), "")


class Parameters:
    """The parameters of one request.

    Every method that reads one raises the venue's own refusal (`ApiError`) where it does not do.
    """

    def __init__(self, values: Mapping[str, str], *, is_spot: bool) -> None:
        self._values, self._is_spot = dict(values), is_spot

    @classmethod
    def parse(cls, request: Request, *, is_spot: bool) -> Parameters:
        """Take the query and the body of a request apart."""
        query, body = _pairs(request.query), _pairs(request.body)
        return cls({**body, **query}, is_spot=is_spot)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a parameter; it is mandatory where there is no default."""
        value = self._values.get(name)
        if value is None:
            if default is None:
                raise refusal("missing", name)
            return default
        if not value:
            raise refusal("empty", name) if default is not None else refusal("missing", name)
        return value

    def choice(self, name: str, known: Collection[str], refused: str, default: str | None = None) -> str:
        """Return a parameter that is one of some words; `refused` names the refusal of others."""
        value = self.text(name, default)
        if value not in known and value != default:
            raise refusal(refused, name, is_spot=self._is_spot)
        return value

    def decimal(self, name: str) -> Decimal:
        """Return a mandatory decimal number, 0 or more."""
        value = self.text(name)
        if not _NUMBER.fullmatch(value):
            raise refusal("characters in", name, _NUMBER_RANGE) if self._is_spot else refusal("missing", name)
        return Decimal(value)

    def integer(self, name: str, default: int | None = None, most: int = _INT64_MAX) -> int:
        """Return a whole number, 0 or more; above `most` it is `most`."""
        value = self.text(name, None if default is None else str(default))
        if not _INTEGER.fullmatch(value) or int(value) > _INT64_MAX:
            raise refusal("characters in", name, "^[0-9]{1,20}$") if self._is_spot else refusal("missing", name)
        return min(int(value), most)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a parameter that is true or false."""
        value = self.text(name, "true" if default else "false").lower()
        if value not in ("true", "false"):
            raise refusal("invalid", name)
        return value == "true"


def _pairs(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in text.split("&") if text else ():
        name, _, value = part.partition("=")
        name, value = _decoded(name), _decoded(value)
        if name in values:
            raise refusal("repeated")
        values[name] = value
    return values


def _decoded(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise refusal("characters")
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeError as e:
        raise refusal("characters") from e
    if "\0" in decoded:
        raise refusal("characters")
    return decoded


def is_signed_by(request: Request, secret: str) -> bool:
    """Whether a request carries the signature that its text has under a secret."""
    query, from_query = _without_signature(request.query)
    body, from_body = _without_signature(request.body)
    given = from_query or from_body
    expected = hmac.new(secret.encode(), (query + body).encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.lower().encode(), expected.encode())


def _without_signature(text: str) -> tuple[str, str]:
    parts = text.split("&") if text else []
    kept = [part for part in parts if not part.startswith("signature=")]
    given = [part.removeprefix("signature=") for part in parts if part.startswith("signature=")]
    return "&".join(kept), given[-1] if given else ""


def websocket_signature(params: Mapping[str, str], secret: str) -> str:
    """Return the signature of a call over the WebSocket API: of its parameters, sorted by name."""
    payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "signature")
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
