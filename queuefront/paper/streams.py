"""The market's streams: what is published when, and who gets it.

Diffs carry what changed between the last two times of their interval, so that a book that follows them is the published
book at each of those times. Update ids rise by one a change on spot; on futures they leave gaps, as the venue's do, and
`pu` links them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import NS_PER
from queuefront.paper.connection import Connection
from queuefront.paper.exchange import STEP_NS, TradedMarket
from queuefront.paper.replay import MarketTrade, TopOfBook
from queuefront.paper.rules import VenueRules

__all__ = ["MarketStreams"]

_DEPTH: Final = re.compile(r"(?P<symbol>[^@]+)@depth(?P<levels>5|10|20)?(@(?P<interval>0|100|250|500|1000)ms)?")
_MARK: Final = re.compile(r"(?P<symbol>[^@]+)@markPrice(@1s)?")


@dataclass(slots=True)
class _DiffFeed:
    """What the subscribers of one diff stream have been told: the book of the last diff, and snapshots since.

    A level that changed and changed back is in the next diff where somebody was given a snapshot in between: it is part of
    what continues that snapshot.
    """

    visible: npt.NDArray[np.int64]
    update_id: int
    given: list[npt.NDArray[np.int64]] = field(default_factory=list)

    def changes(self, visible: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the places at which the book is another than any of those that were told, and tell it."""
        changed = visible != self.visible
        for given in self.given:
            changed |= visible != given
        self.visible, self.given = visible, []
        return np.flatnonzero(changed)


class MarketStreams:
    """The streams of one venue."""

    def __init__(self, rules: VenueRules, markets: dict[str, TradedMarket]) -> None:
        self._rules = rules
        self._markets = {symbol.lower(): traded for symbol, traded in markets.items()}
        self._diffs: dict[str, _DiffFeed] = {}
        self._aggregates: dict[str, int] = dict.fromkeys(markets, 0)
        self._event_ns = 0
        self.connections: list[Connection] = []

    def send(self, stream: str, payload: dict[str, Any], now_ns: int) -> None:
        """Give an event to everyone who subscribed to its stream."""
        for connection in self.connections:
            if connection.carries(stream):
                connection.send(stream, payload, now_ns)

    def _wants(self, stream: str) -> bool:
        return any(stream in connection.streams for connection in self.connections)

    # --- as it happens ------------------------------------------------------------------------------------------------
    def on_market(self, traded: TradedMarket, event: MarketTrade | TopOfBook, venue_ns: int) -> None:
        """Publish a trade, or new best prices."""
        name = traded.market.symbol.lower()
        if isinstance(event, TopOfBook):
            for stream in (f"{name}@bookTicker", "!bookTicker"):
                if self._wants(stream):
                    self.send(stream, self._book_ticker(traded, event, venue_ns), venue_ns)
            return
        self._aggregates[traded.market.symbol] += 1
        if self._wants(f"{name}@trade"):
            self.send(f"{name}@trade", self._trade(traded, event, venue_ns), venue_ns)
        if self._wants(f"{name}@aggTrade"):
            self.send(f"{name}@aggTrade", self._aggregate_trade(traded, event, venue_ns), venue_ns)

    def _book_ticker(self, traded: TradedMarket, top: TopOfBook, venue_ns: int) -> dict[str, Any]:
        market, ms = traded.market, venue_ns // NS_PER["ms"]
        prices = {
            "b": market.tick_text(top.bid_tick or 0),
            "B": market.lots_text(top.bid_lots),
            "a": market.tick_text(top.ask_tick or 0),
            "A": market.lots_text(top.ask_lots),
        }
        if self._rules.is_spot:
            return {"u": top.update_id, "s": market.symbol, **prices}
        own = {"ps": market.pair, "st": 2 if self._rules.is_inverse else 1}
        return {"e": "bookTicker", "u": top.update_id, "s": market.symbol, **own, **prices, "T": ms, "E": ms}

    def _trade(self, traded: TradedMarket, trade: MarketTrade, venue_ns: int) -> dict[str, Any]:
        market, ms = traded.market, venue_ns // NS_PER["ms"]
        what = {
            "s": market.symbol,
            "t": trade.trade_id,
            "p": market.tick_text(trade.price_tick),
            "q": market.lots_text(trade.lots),
        }
        if self._rules.is_spot:
            return {"e": "trade", "E": ms, **what, "T": ms, "m": trade.is_buyer_maker, "M": True}
        return {"e": "trade", "E": ms, "T": ms, **what, "X": "MARKET", "m": trade.is_buyer_maker}

    def _aggregate_trade(self, traded: TradedMarket, trade: MarketTrade, venue_ns: int) -> dict[str, Any]:
        """Return one trade as an aggregate of its own: the tape does not say which trades one taker made."""
        market, ms = traded.market, venue_ns // NS_PER["ms"]
        payload = {
            "e": "aggTrade",
            "E": ms,
            "a": self._aggregates[market.symbol],
            "s": market.symbol,
            "p": market.tick_text(trade.price_tick),
            "q": market.lots_text(trade.lots),
            "f": trade.trade_id,
            "l": trade.trade_id,
            "T": ms,
            "m": trade.is_buyer_maker,
        }
        return payload | ({"M": True} if self._rules.is_spot else {"st": 2 if self._rules.is_inverse else 1})

    # --- at the end of a step -----------------------------------------------------------------------------------------
    def on_step(self, venue_ns: int) -> None:
        """Publish the books and mark prices that are due."""
        wanted = {stream: None for connection in self.connections for stream in connection.streams}
        for stream in [stream for stream in self._diffs if stream not in wanted]:
            del self._diffs[stream]
        given = {symbol: traded.replay.take_given() for symbol, traded in self._markets.items()}
        for stream, feed in self._diffs.items():
            feed.given += given[stream.partition("@")[0]]
        for stream in wanted:
            if depth := _DEPTH.fullmatch(stream):
                self._publish_depth(stream, depth, venue_ns)
            elif (mark := _MARK.fullmatch(stream)) and _is_due(venue_ns, 1000 if stream.endswith("@1s") else 3000):
                self._publish_mark(stream, mark["symbol"], venue_ns)

    def start(self, stream: str) -> None:
        """Note the book from which the diffs of a new subscriber go on."""
        depth = _DEPTH.fullmatch(stream)
        if depth is None or depth["levels"] or stream in self._diffs:
            return
        traded = self._markets.get(depth["symbol"])
        if traded is not None:
            self._diffs[stream] = _DiffFeed(traded.replay.visible(), traded.replay.update_id)

    def _publish_depth(self, stream: str, depth: re.Match[str], venue_ns: int) -> None:
        traded = self._markets.get(depth["symbol"])
        interval_ms = int(depth["interval"] or (1000 if self._rules.is_spot else 250))
        if traded is None or not _is_due(venue_ns, interval_ms):
            return
        if depth["levels"]:
            self.send(stream, self._partial(traded, int(depth["levels"]), venue_ns), venue_ns)
            return
        feed = self._diffs.get(stream)
        if feed is None:
            self.start(stream)
            return
        update_id = traded.replay.update_id
        if update_id == feed.update_id:
            return
        visible = traded.replay.visible()
        places = feed.changes(visible)
        bids = traded.replay.levels_of(places[places % 2 == 0], visible)
        asks = traded.replay.levels_of(places[places % 2 == 1], visible)
        payload = self._diff(traded, (feed.update_id, update_id), bids, asks, venue_ns)
        feed.update_id = update_id
        self.send(stream, payload, venue_ns)

    def _diff(
        self,
        traded: TradedMarket,
        ids: tuple[int, int],
        bids: list[tuple[int, int]],
        asks: list[tuple[int, int]],
        venue_ns: int,
    ) -> dict[str, Any]:
        market, ms = traded.market, venue_ns // NS_PER["ms"]
        before, last = ids
        sides = {
            "b": [[market.tick_text(tick), market.lots_text(lots)] for tick, lots in bids],
            "a": [[market.tick_text(tick), market.lots_text(lots)] for tick, lots in asks],
        }
        payload: dict[str, Any] = {"e": "depthUpdate", "E": ms}
        if self._rules.is_spot:
            return payload | {"s": market.symbol, "U": before + 1, "u": last, **sides}
        payload |= {"T": ms, "s": market.symbol, "ps": market.pair, "st": 2 if self._rules.is_inverse else 1}
        return payload | {"U": before + traded.replay.id_step, "u": last, "pu": before, **sides}

    def _partial(self, traded: TradedMarket, levels: int, venue_ns: int) -> dict[str, Any]:
        market = traded.market
        bids, asks = traded.replay.snapshot(levels)
        if not self._rules.is_spot:
            update_id = traded.replay.update_id
            return self._diff(traded, (update_id - traded.replay.id_step, update_id), bids, asks, venue_ns)
        return {
            "lastUpdateId": traded.replay.update_id,
            "bids": [[market.tick_text(tick), market.lots_text(lots)] for tick, lots in bids],
            "asks": [[market.tick_text(tick), market.lots_text(lots)] for tick, lots in asks],
        }

    def _publish_mark(self, stream: str, symbol: str, venue_ns: int) -> None:
        traded = self._markets.get(symbol)
        if traded is None or self._rules.is_spot:
            return
        mark, ms = f"{traded.mark_price() or 0:.8f}", venue_ns // NS_PER["ms"]
        own = {} if self._rules.is_inverse else {"i": mark}
        payload = {"e": "markPriceUpdate", "E": ms, "s": traded.market.symbol, "p": mark, **own, "P": mark}
        self.send(stream, payload | {"r": "0.00000000", "T": 0, "st": 2 if self._rules.is_inverse else 1}, venue_ns)


def _is_due(venue_ns: int, interval_ms: int) -> bool:
    """Whether an interval ended in the step that ends now."""
    interval_ns = max(interval_ms * NS_PER["ms"], STEP_NS)
    return venue_ns // interval_ns != (venue_ns - STEP_NS) // interval_ns
