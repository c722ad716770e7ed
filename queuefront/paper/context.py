"""What the handlers of requests work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from queuefront.core.clock import NS_PER
from queuefront.paper.exchange import PaperExchange
from queuefront.paper.futures_payloads import FuturesPayloads
from queuefront.paper.limits import Limiter
from queuefront.paper.request import Parameters
from queuefront.paper.rules import VenueRules
from queuefront.paper.spot_payloads import SpotPayloads
from queuefront.paper.users import ListenKeys

__all__ = ["Context", "Handler", "Route"]


@dataclass(slots=True)
class Context:
    """One venue's parts. keys : secrets by API key; clock_offset_ns : by how much the venue's clock is wrong."""

    rules: VenueRules
    exchange: PaperExchange
    limiter: Limiter
    spot: SpotPayloads
    futures: FuturesPayloads
    listen_keys: ListenKeys
    keys: Mapping[str, str]
    tell_users: Callable[[dict[str, Any]], None]
    clock_offset_ns: int = 0

    @property
    def now_ns(self) -> int:
        """The time that the venue believes it is, ns."""
        return self.exchange.now_ns + self.clock_offset_ns

    @property
    def now_ms(self) -> int:
        """The same in ms."""
        return self.now_ns // NS_PER["ms"]


Handler = Callable[[Context, Parameters], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint.

    security : NONE, KEY or SIGNED.   weight : a number, or what gives it.   is_order : it counts as an order.
    """

    method: str
    path: str
    handler: Handler
    security: str = "NONE"
    weight: int | Callable[[Context, Parameters], int] = 1
    is_order: bool = False
