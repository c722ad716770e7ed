"""A market small enough to know by heart, listed at each of the paper venues, and a client that signs by hand."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import numpy as np

from queuefront.core import EVENT, Instrument
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import SynthConfig, Tape, synthesize
from queuefront.paper import DEFAULT_KEY, DEFAULT_SECRET, Listing, PaperConfig, PaperVenue
from queuefront.paper.request import Request
from queuefront.paper.websocket_api import WebSocketApi

SPOT, USDM, COINM = "binance-spot", "binance-usdm", "binance-coinm"
VENUES = (SPOT, USDM, COINM)
PREFIX = {SPOT: "/api/v3", USDM: "/fapi/v1", COINM: "/dapi/v1"}
T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000

_BOTH = EXCH_EVENT | LOCAL_EVENT
BID, ASK = _BOTH | BUY_EVENT | DEPTH_EVENT, _BOTH | SELL_EVENT | DEPTH_EVENT
BOUGHT, SOLD = _BOTH | BUY_EVENT | TRADE_EVENT, _BOTH | SELL_EVENT | TRADE_EVENT

#: (event, second, price, quantity): 100 to 101, sold down to 99.5, and nothing any more after a minute.
STORY = (
    (BID, 0, 100.0, 10), (BID, 0, 99.5, 20), (ASK, 0, 101.0, 10), (ASK, 0, 101.5, 20),
    (SOLD, 5, 100.0, 4), (BID, 5, 100.0, 6),
    (SOLD, 7, 100.0, 10), (BID, 7, 100.0, 0),
    (BOUGHT, 10, 101.0, 10), (ASK, 10, 101.0, 0), (ASK, 10, 102.0, 5),
    (BID, 60, 99.0, 1),
)  # fmt: skip


def instrument(venue: str) -> Instrument:
    if venue == COINM:
        return Instrument(venue, "BTCUSD_PERP", "0.5", "1", contract="inverse", multiplier="100", base="BTC", quote="USD")
    return Instrument(venue, "BTCUSDT", "0.5", "0.25", base="BTC", quote="USDT")


def symbol(venue: str) -> str:
    return instrument(venue).symbol


def story(venue: str, rows: Any = STORY, listed: Instrument | None = None) -> Tape:
    events = np.zeros(len(rows), EVENT)
    for i, (ev, seconds, px, qty) in enumerate(rows):
        events["ev"][i], events["exch_ts"][i], events["px"][i], events["qty"][i] = ev, T0 + round(seconds * SECOND), px, qty
    events["local_ts"] = events["exch_ts"]
    return Tape.build(events, listed or instrument(venue), source="story")


def synthetic(venue: str, events: int = 20_000, seed: int = 3) -> Tape:
    """Return a lively market of about 75 seconds for 20,000 events."""
    lot = "1" if venue == COINM else "0.001"
    listed = instrument(venue).override(tick_size="0.1", lot_size=lot)
    config = SynthConfig(seed=seed, events=events, lot_size=lot, start_ts=T0)
    return Tape.build(synthesize(config), listed, source="synthetic")


def config(venue: str = USDM, tape: Tape | None = None, **changes: Any) -> PaperConfig:
    return PaperConfig(venue, [Listing(story(venue) if tape is None else tape)], **changes)


def paper(venue: str = USDM, tape: Tape | None = None, **changes: Any) -> PaperVenue:
    """Return a venue that has received the book, and begins with the tape."""
    return PaperVenue(config(venue, tape, **changes))


class Client:
    """Signs and sends requests to a venue, without a socket."""

    def __init__(self, venue: PaperVenue, key: str = DEFAULT_KEY, secret: str = DEFAULT_SECRET) -> None:
        self.venue, self.key, self.secret = venue, key, secret
        self.name = str(venue.rules.name)
        self.symbol = symbol(self.name)
        self.headers: dict[str, str] = {}
        self.status = 0

    def send(self, method: str, path: str, query: str = "", body: str = "", **headers: str) -> Any:
        """Send a request as it is; return its payload."""
        answer = self.venue.handle(Request(method, path, query, body, headers))
        self.headers, self.status = answer.headers, answer.status
        return json.loads(answer.body)

    def get(self, path: str, **params: Any) -> Any:
        """Ask for something public; the path is without the venue's prefix."""
        return self.send("GET", PREFIX[self.name] + path, urlencode(params))

    def call(self, method: str, path: str, **params: Any) -> Any:
        """Send a signed request: a POST or PUT in its body, others in their query. A path with two slashes is whole."""
        params |= {"timestamp": self.venue.context.now_ms} if "timestamp" not in params else {}
        text = urlencode(params)
        text += "&signature=" + hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        whole = (
            path if path.count("/") > 1 and not path.startswith(("/order/", "/positionSide", "/account/", "/rate")) else ""
        )
        parts = ("", text) if method in ("POST", "PUT") else (text, "")
        return self.send(method, whole or PREFIX[self.name] + path, *parts, **{"X-MBX-APIKEY": self.key})

    def place(self, side: str = "BUY", price: Any = "99.5", qty: Any = "1", tif: str = "GTC", **params: Any) -> Any:
        """Place a LIMIT order."""
        own = {"symbol": self.symbol, "side": side, "type": "LIMIT", "timeInForce": tif, "quantity": qty, "price": price}
        return self.call("POST", "/order", **{**own, **params})

    def market(self, side: str = "BUY", qty: Any = "1", **params: Any) -> Any:
        """Place a MARKET order."""
        return self.call("POST", "/order", symbol=self.symbol, side=side, type="MARKET", quantity=qty, **params)

    def query(self, **params: Any) -> Any:
        """Ask for an order."""
        return self.call("GET", "/order", symbol=self.symbol, **params)

    def wait(self, seconds: float) -> None:
        """Let the venue's time pass."""
        self.venue.advance(self.venue.exchange.now_ns + round(seconds * SECOND))


class Watcher:
    """Collects the user's events of a venue."""

    def __init__(self, venue: PaperVenue) -> None:
        from queuefront.paper.connection import Connection

        self._venue, self.connection = venue, Connection(venue.faults)
        if venue.rules.is_spot:
            venue.user_subscriptions[self.connection] = [0]
        else:
            venue.user_connections[self.connection] = venue.context.listen_keys.create(DEFAULT_KEY, venue.exchange.now_ns)

    def events(self) -> list[Any]:
        """Return the events since the last look."""
        frames = [json.loads(frame) for frame in self.connection.outbox]
        self.connection.outbox.clear()
        return [frame.get("event", frame) for frame in frames]


def frames(connection: Any) -> list[Any]:
    """Return what lies in a connection's outbox, and empty it."""
    out = [json.loads(frame) for frame in connection.outbox]
    connection.outbox.clear()
    return out


def api(venue: PaperVenue) -> WebSocketApi:
    """Return the WebSocket API of a venue."""
    return WebSocketApi(venue)
