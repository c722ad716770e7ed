"""Entries that a spot market has no form of. Sent all the same, each would be another trade than the kernel's."""

from __future__ import annotations

from queuefront.venues.outcome import Reason
from queuefront.venues.types import PlaceOrder, Role

__all__ = ["spot_refusal"]


def spot_refusal(request: PlaceOrder) -> tuple[str, str] | None:
    """Return the code and the text with which an order is refused before it is sent; None for one that spot can hold."""
    if request.role is not Role.ENTRY:
        return None
    if not request.is_buy:
        text = "spot has no short positions; the order was not sent: enter LONG, or trade it at a futures venue"
        return Reason.FILTER.name, text
    if request.leverage > 1:
        return "LEVERAGE", f"leverage {request.leverage}: spot has none; the order was not sent: use 1"
    return None
