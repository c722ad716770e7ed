"""One paper venue: requests in, answers and frames out, at the time that its clock says. No sockets and no tasks here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from queuefront.core.clock import NS_PER
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Number, exact
from queuefront.paper.account_routes import API_KEY, account_routes
from queuefront.paper.connection import Connection
from queuefront.paper.context import Context, Route
from queuefront.paper.errors import ApiError, refusal
from queuefront.paper.exchange import PaperExchange, TradedMarket
from queuefront.paper.faults import Fault, FaultKind, FaultPlan
from queuefront.paper.futures_payloads import FuturesPayloads
from queuefront.paper.limits import Limiter
from queuefront.paper.listing import Listing
from queuefront.paper.market_routes import market_routes
from queuefront.paper.matching import MatchingModels
from queuefront.paper.orders import Execution, PaperOrder
from queuefront.paper.replay import MarketTrade, TopOfBook
from queuefront.paper.request import Parameters, Request, is_signed_by
from queuefront.paper.rules import VenueRules, rules_of
from queuefront.paper.spot_payloads import SpotPayloads
from queuefront.paper.streams import MarketStreams
from queuefront.paper.trade_routes import trade_routes
from queuefront.paper.users import ListenKeys

__all__ = ["DEFAULT_KEY", "DEFAULT_SECRET", "Answer", "PaperConfig", "PaperVenue"]

DEFAULT_KEY: Final = "paper-trading-key"
DEFAULT_SECRET: Final = "paper-trading-secret"  # noqa: S105 - everybody may know it: nothing is behind it
_WINDOW_MS: Final = 5000
_WINDOW_MS_MAX: Final = 60_000
_AHEAD_MS: Final = 1000
_MICROSECONDS_FROM: Final = 10**15


@dataclass(frozen=True)
class PaperConfig:
    """What a paper venue is made of.

    Parameters
    ----------
    venue : binance-spot, binance-usdm or binance-coinm.
    markets : the tapes that are traded.
    balances : of the account by currency; 100,000 of each quote currency and 10 of each base currency where it is None.
    maker, taker : fee rates; the venue's usual ones where they are None.
    models : how the exchange half of `sim` fills.
    speed : how many seconds of the tape pass in a second.
    start_ns : the venue's time at which the tapes begin; where it is None, the clock's present time.
    keys : secrets by API key, all of the one account.
    faults, seed : what goes wrong, and the seed of its chances.
    connection_age_s : after so long the venue ends a WebSocket, whatever it carries.
    """

    venue: str
    markets: Sequence[Listing]
    balances: Mapping[str, Number] | None = None
    maker: Number | None = None
    taker: Number | None = None
    models: MatchingModels = field(default_factory=MatchingModels)
    speed: Fraction = Fraction(1)
    start_ns: int | None = None
    keys: Mapping[str, str] = field(default_factory=lambda: {DEFAULT_KEY: DEFAULT_SECRET})
    faults: Sequence[Fault] = ()
    seed: int = 0
    connection_age_s: float = 86_400

    def __post_init__(self) -> None:
        if not self.connection_age_s > 0:
            raise ConfigError(f"connection_age_s is {self.connection_age_s:g}; give the seconds that a WebSocket may stand")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered. after_ns : the venue's time before which it is not sent."""

    status: int
    body: bytes
    headers: dict[str, str]
    after_ns: int = 0


class PaperVenue:
    """The venue."""

    def __init__(self, config: PaperConfig) -> None:
        rules = rules_of(config.venue)
        self.rules = rules
        self._is_ready = False
        self.exchange = PaperExchange(
            rules,
            config.markets,
            {},
            self,
            models=config.models,
            fees=_fees(rules, config),
            start_ns=config.start_ns,
            speed=config.speed,
        )
        self._fund(config.balances)
        self.faults = FaultPlan(config.faults, config.seed, self.exchange.now_ns)
        self.streams = MarketStreams(rules, self.exchange.markets)
        self.user_connections: dict[Connection, str] = {}
        self.user_subscriptions: dict[Connection, list[int]] = {}
        self.context = Context(
            rules,
            self.exchange,
            Limiter(rules),
            SpotPayloads(),
            FuturesPayloads(rules),
            ListenKeys(),
            config.keys,
            self.tell_users,
        )
        routes = [*market_routes(rules), *trade_routes(rules), *account_routes(rules)]
        self._routes = {(route.method, route.path): route for route in routes}
        self.request_count = 0
        self._is_ready = True

    def _fund(self, balances: Mapping[str, Number] | None) -> None:
        markets = [traded.market for traded in self.exchange.markets.values()]
        if balances is None:
            funds: dict[str, Number] = dict.fromkeys((market.base for market in markets), 10)
            funds |= dict.fromkeys((market.quote for market in markets), 100_000)
        else:
            funds = dict(balances)
        for asset, given in funds.items():
            amount = exact(given, f"the balance of {asset}")
            if self.rules.is_spot:
                self.exchange.spot.balance(asset).free = amount
            elif balances is not None or asset in self.exchange.futures.wallets:
                self.exchange.futures.wallets[asset] = amount

    def begin(self, start_ns: int) -> None:
        """Let the tapes, and the faults, begin at another time of the venue; before anything was asked and played."""
        self.exchange.begin(start_ns)
        self.faults.begin(start_ns)

    # --- time ---------------------------------------------------------------------------------------------------------
    def advance(self, now_ns: int) -> None:
        """Let the venue's time pass."""
        if now_ns > self.exchange.now_ns:
            self.exchange.advance(now_ns)
        self.context.clock_offset_ns = self.faults.clock_offset_ns(self.exchange.now_ns)
        for connection in [*self.streams.connections, *self.user_connections, *self.user_subscriptions]:
            connection.release(self.exchange.now_ns)

    # --- what the exchange tells --------------------------------------------------------------------------------------
    def on_market(self, traded: TradedMarket, event: MarketTrade | TopOfBook, venue_ns: int) -> None:
        """Publish a trade, or new best prices."""
        if self._is_ready:
            self.streams.on_market(traded, event, venue_ns)

    def on_step(self, venue_ns: int) -> None:
        """Publish books; end listen keys whose time is over."""
        if not self._is_ready:
            return
        self.streams.on_step(venue_ns)
        for key in self.context.listen_keys.expire(venue_ns, all_of_them=self.faults.expires_listen_keys(venue_ns)):
            self._tell_expired(key, venue_ns)

    def on_order(self, order: PaperOrder, kind: str, execution: Execution | None, venue_ns: int) -> None:
        """Tell the user's streams of an order."""
        payloads = self.context.spot if self.rules.is_spot else self.context.futures
        for event in payloads.events(self.exchange, order, kind, execution, venue_ns):
            self.tell_users(event)

    def tell_users(self, event: dict[str, Any]) -> None:
        """Send an event to every user data stream."""
        now_ns = self.exchange.now_ns
        for connection, key in self.user_connections.items():
            if self.context.listen_keys.is_alive(key):
                connection.send(key, event, now_ns, is_user=True)
        for connection, numbers in self.user_subscriptions.items():
            for number in numbers:
                connection.send("user", {"subscriptionId": number, "event": event}, now_ns, is_user=True)

    def _tell_expired(self, key: str, venue_ns: int) -> None:
        event = {"e": "listenKeyExpired", "E": str(venue_ns // NS_PER["ms"]), "listenKey": key}
        for connection, own in self.user_connections.items():
            if own == key:
                connection.send(key, event, venue_ns, is_user=True)

    # --- requests -----------------------------------------------------------------------------------------------------
    def handle(self, request: Request) -> Answer:
        """Answer a request, with the faults that befall it."""
        self.request_count += 1
        now_ns = self.exchange.now_ns
        faults = self.faults.call(request.method, request.path, now_ns)
        after_ns = now_ns + sum(fault.ms for fault in faults if fault.kind is FaultKind.SLOW) * NS_PER["ms"]
        replaced = next((fault for fault in faults if fault.kind in _REPLACED), None)
        is_empty = replaced is not None and replaced.kind is FaultKind.EMPTY_ANSWER
        route = self._routes.get((request.method, request.path))
        try:
            payload = self.perform(request) if replaced is None or replaced.executes else None
            if replaced is not None and not is_empty:
                raise self._fault_refusal(replaced.kind)
            status, headers = 200, {}
        except ApiError as e:
            payload, status = {"code": e.code, "msg": e.text}, e.status
            headers = {} if e.retry_after_s is None else {"Retry-After": str(e.retry_after_s)}
        headers |= self.context.limiter.headers(now_ns, counts_orders=route is not None and route.is_order)
        body = b"" if is_empty else msgspec.json.encode(payload)
        if any(fault.kind is FaultKind.MALFORMED_ANSWER for fault in faults):
            body = body[: len(body) // 2]
        return Answer(200 if is_empty else status, body, headers, after_ns)

    def _fault_refusal(self, kind: FaultKind) -> Exception:
        now_ns = self.exchange.now_ns
        if kind is FaultKind.TOO_MANY_REQUESTS:
            return self.context.limiter.too_many(now_ns)
        if kind is FaultKind.BANNED:
            self.context.limiter.ban(now_ns)
            self.context.limiter.charge(0, now_ns)
        return refusal(_REPLACED[kind], is_spot=self.rules.is_spot)

    def perform(self, request: Request, *, is_trusted: bool = False) -> Any:
        """Carry a request out; return its payload.

        is_trusted : its signature was checked elsewhere.

        Raises
        ------
        ApiError
            The venue's refusal.
        """
        context, now_ns = self.context, self.exchange.now_ns
        route = self._routes.get((request.method, request.path))
        if route is None:
            raise refusal("path", request.path, request.method)
        params = Parameters.parse(request, is_spot=self.rules.is_spot)
        try:
            weight = route.weight if isinstance(route.weight, int) else route.weight(context, params)
        except ApiError:
            context.limiter.charge(1, now_ns)
            raise
        context.limiter.charge(weight, now_ns)
        if route.security != "NONE":
            self._authenticate(request, route, params, is_trusted=is_trusted)
        if route.is_order:
            context.limiter.charge_order(now_ns)
        if route.security == "KEY":
            params = Parameters({API_KEY: request.api_key}, is_spot=self.rules.is_spot)
        return route.handler(context, params)

    def _authenticate(self, request: Request, route: Route, params: Parameters, *, is_trusted: bool) -> None:
        key = request.api_key
        if not key:
            raise refusal("key format")
        secret = self.context.keys.get(key)
        if secret is None:
            raise refusal("key")
        if route.security != "SIGNED":
            return
        self.check_timestamp(params)
        if is_trusted:
            return
        params.text("signature")
        if not is_signed_by(request, secret):
            raise refusal("signature")

    def check_timestamp(self, params: Parameters) -> None:
        """Raise the venue's refusal where a request comes too late or too early."""
        timestamp = params.integer("timestamp")
        if self.rules.is_spot and timestamp >= _MICROSECONDS_FROM:
            timestamp //= 1000
        window = params.decimal("recvWindow") if "recvWindow" in params else Decimal(_WINDOW_MS)
        if window > _WINDOW_MS_MAX:
            raise refusal("window")
        now_ms = self.context.now_ms
        if timestamp >= now_ms + _AHEAD_MS:
            raise refusal("early")
        if now_ms - timestamp > window:
            raise refusal("late")


_REPLACED: Final = {
    FaultKind.TOO_MANY_REQUESTS: "too many requests",
    FaultKind.BANNED: "banned",
    FaultKind.SERVER_ERROR: "unknown",
    FaultKind.INTERNAL_ERROR: "internal",
    FaultKind.OVERLOADED: "busy",
    FaultKind.TIMEOUT: "timeout",
    FaultKind.EMPTY_ANSWER: "",  # no refusal, and no answer either
}


def _fees(rules: VenueRules, config: PaperConfig) -> tuple[Decimal, Decimal]:
    maker = rules.maker if config.maker is None else exact(config.maker, "the maker fee")
    taker = rules.taker if config.taker is None else exact(config.taker, "the taker fee")
    return maker, taker
