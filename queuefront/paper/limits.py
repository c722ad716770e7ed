"""Request weight and order counts, in the venue's windows, and the ban of who does not heed a refusal.

Sources: Binance Spot "Limits", USD-M "General Info": windows begin on the full minute of the venue's clock; each
refusal by 429 is to be followed by a pause, and going on regardless is answered by 418 for two minutes at first.
"""

from __future__ import annotations

from typing import Final

from queuefront.core.clock import NS_PER
from queuefront.paper.errors import refusal
from queuefront.paper.rules import VenueRules

__all__ = ["Limiter"]

_MINUTE_S: Final = 60
_BAN_S: Final = 120
#: Refusals within one window before the address is banned; the venue does not say its number.
_PATIENCE: Final = 20


class Limiter:
    """The counters of one address and one account."""

    def __init__(self, rules: VenueRules) -> None:
        self._rules = rules
        self._weight = _Window(_MINUTE_S)
        self._refusals = _Window(_MINUTE_S)
        self._orders = [_Window(limit.window_s) for limit in rules.order_limits]
        self._banned_until_ns = 0

    def charge(self, weight: int, now_ns: int) -> None:
        """Count a request. Raises the venue's refusal where it is one too many."""
        if now_ns < self._banned_until_ns:
            left_s = -(-(self._banned_until_ns - now_ns) // NS_PER["s"])
            raise refusal(
                "banned", self._banned_until_ns // NS_PER["ms"], is_spot=self._rules.is_spot, retry_after_s=left_s
            )
        if self._weight.add(weight, now_ns) > self._rules.weight_limit:
            if self._refusals.add(1, now_ns) > _PATIENCE:
                self.ban(now_ns)
            raise self.too_many(now_ns)

    def too_many(self, now_ns: int) -> Exception:
        """Return the refusal of a request above the limit."""
        limit, left_s = self._rules.weight_limit, self._weight.left_s(now_ns)
        return refusal("too many requests", limit, is_spot=self._rules.is_spot, retry_after_s=left_s)

    def ban(self, now_ns: int, duration_s: int = _BAN_S) -> None:
        """Refuse every request for a while."""
        self._banned_until_ns = now_ns + duration_s * NS_PER["s"]

    def charge_order(self, now_ns: int) -> None:
        """Count an order. Raises the venue's refusal where it is one too many."""
        for limit, window in zip(self._rules.order_limits, self._orders, strict=True):
            if window.count(now_ns) >= limit.limit:
                raise refusal("too many orders", limit.limit, limit.text, retry_after_s=window.left_s(now_ns))
        for window in self._orders:
            window.add(1, now_ns)

    def headers(self, now_ns: int, *, counts_orders: bool) -> dict[str, str]:
        """Return what an answer's headers say of the counters."""
        used = str(self._weight.count(now_ns))
        headers = {"X-MBX-USED-WEIGHT-1M": used}
        if self._rules.is_spot:
            headers["X-MBX-USED-WEIGHT"] = used
        if counts_orders:
            for limit, window in zip(self._rules.order_limits, self._orders, strict=True):
                headers[f"X-MBX-ORDER-COUNT-{limit.header}"] = str(window.count(now_ns))
        return headers

    def table(self) -> list[dict[str, object]]:
        """Return the limits as exchangeInfo lists them."""
        weight = {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": self._rules.weight_limit,
        }
        orders = [
            {"rateLimitType": "ORDERS", "interval": o.interval, "intervalNum": o.interval_count, "limit": o.limit}
            for o in self._rules.order_limits
        ]
        return [weight, *orders]


class _Window:
    """A counter that begins anew with every window of the clock."""

    def __init__(self, window_s: int) -> None:
        self._window_ns = window_s * NS_PER["s"]
        self._number, self._count = -1, 0

    def count(self, now_ns: int) -> int:
        number = now_ns // self._window_ns
        if number != self._number:
            self._number, self._count = number, 0
        return self._count

    def add(self, amount: int, now_ns: int) -> int:
        self._count = self.count(now_ns) + amount
        return self._count

    def left_s(self, now_ns: int) -> int:
        return -(-(self._window_ns - now_ns % self._window_ns) // NS_PER["s"])
