"""Parameters of a request as the bytes that are signed and sent: one function for both, so that they cannot differ."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import quote

from queuefront.core import ConfigError

__all__ = ["Parameters", "encode_parameters", "parameter_text"]

Parameters = Mapping[str, str | int | bool | Decimal | None]


def parameter_text(value: str | int | bool | Decimal) -> str:
    """Write a value as venues want it: plain decimals without exponent, `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ConfigError(f"a parameter is {value}; give a finite number")
        return format(value, "f")
    return str(value)


def encode_parameters(parameters: Parameters) -> bytes:
    """Return `name=value` joined by `&`, percent-encoded as RFC 3986 has it, in the order given; None is left out."""
    return "&".join(
        f"{quote(name, safe='')}={quote(parameter_text(value), safe='')}"
        for name, value in parameters.items()
        if value is not None
    ).encode("ascii")
