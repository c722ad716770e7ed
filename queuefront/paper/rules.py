"""What distinguishes the three Binance venues: paths, limits, fees, formats.

Sources: Binance Spot "Rest API", "Limits"; Binance USD-M and COIN-M "General Info", "Common Definition".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from queuefront.core.errors import ConfigError

__all__ = ["RULES", "OrderLimit", "VenueName", "VenueRules", "rules_of"]


class VenueName(StrEnum):
    """The venues whose protocol is spoken."""

    SPOT = "binance-spot"
    USDM = "binance-usdm"
    COINM = "binance-coinm"


@dataclass(frozen=True, slots=True)
class OrderLimit:
    """So many orders in a window. header : the ending of the header that counts them."""

    window_s: int
    limit: int
    header: str
    interval: str
    interval_count: int

    @property
    def text(self) -> str:
        """The window as refusals word it."""
        return f"{self.interval_count} {self.interval}"


@dataclass(frozen=True, slots=True)
class VenueRules:
    """One venue. prefix : of its paths; weight_limit : a minute; maker, taker : fee rates unless others are given."""

    name: VenueName
    prefix: str
    weight_limit: int
    order_limits: tuple[OrderLimit, ...]
    maker: Decimal
    taker: Decimal
    min_notional: Decimal
    depth_limits: tuple[int, ...]
    websocket_api_path: str
    control_limit_per_s: int
    ping_every_s: int
    pong_within_s: int
    order_types: tuple[str, ...]
    times_in_force: tuple[str, ...]

    @property
    def is_spot(self) -> bool:
        """Whether it has balances and no positions."""
        return self.name is VenueName.SPOT

    @property
    def is_inverse(self) -> bool:
        """Whether its contracts are worth a fixed sum of the quote currency and settled in the base currency."""
        return self.name is VenueName.COINM

    def depth_weight(self, limit: int) -> int:
        """Return the weight of a request for the book."""
        steps = ((100, 5), (500, 25), (1000, 50)) if self.is_spot else ((50, 2), (100, 5), (500, 10))
        return next((weight for most, weight in steps if limit <= most), 250 if self.is_spot else 20)


_TEN_S_100: Final = OrderLimit(10, 100, "10S", "SECOND", 10)
_DAY: Final = OrderLimit(86_400, 200_000, "1D", "DAY", 1)
_TEN_S_300: Final = OrderLimit(10, 300, "10S", "SECOND", 10)
_MINUTE: Final = OrderLimit(60, 1200, "1M", "MINUTE", 1)
_FUTURES_DEPTHS: Final = (5, 10, 20, 50, 100, 500, 1000)

_SPOT: Final = VenueRules(
    name=VenueName.SPOT,
    prefix="/api/v3",
    weight_limit=6000,
    order_limits=(_TEN_S_100, _DAY),
    maker=Decimal("0.001"),
    taker=Decimal("0.001"),
    min_notional=Decimal(5),
    depth_limits=(),
    websocket_api_path="/ws-api/v3",
    control_limit_per_s=5,
    ping_every_s=20,
    pong_within_s=60,
    order_types=("LIMIT", "LIMIT_MAKER", "MARKET"),
    times_in_force=("GTC", "IOC", "FOK"),
)
_USDM: Final = VenueRules(
    name=VenueName.USDM,
    prefix="/fapi/v1",
    weight_limit=2400,
    order_limits=(_TEN_S_300, _MINUTE),
    maker=Decimal("0.0002"),
    taker=Decimal("0.0005"),
    min_notional=Decimal(5),
    depth_limits=_FUTURES_DEPTHS,
    websocket_api_path="/ws-fapi/v1",
    control_limit_per_s=10,
    ping_every_s=180,
    pong_within_s=600,
    order_types=("LIMIT", "MARKET"),
    times_in_force=("GTC", "IOC", "FOK", "GTX"),
)
_COINM: Final = replace(
    _USDM,
    name=VenueName.COINM,
    prefix="/dapi/v1",
    maker=Decimal("0.0001"),
    min_notional=Decimal(0),
    websocket_api_path="/ws-dapi/v1",
)

RULES: Final = {rules.name: rules for rules in (_SPOT, _USDM, _COINM)}


def rules_of(venue: str) -> VenueRules:
    """Return the rules of a venue by its name.

    Raises
    ------
    ConfigError
        If there is no such venue.
    """
    try:
        return RULES[VenueName(venue)]
    except ValueError as e:
        raise ConfigError(f"there is no paper venue {venue!r}; choose one of {', '.join(VenueName)}") from e
