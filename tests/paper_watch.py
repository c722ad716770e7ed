"""The paper exchange's book beside the connector's."""

from __future__ import annotations

from queuefront.paper import PaperServer
from queuefront.venues.binance import MarketEvents, MarketStream

__all__ = ["Watch"]


class Watch:
    """The exchange's book at every step, and the connector's wherever it says that it is valid."""

    def __init__(self, server: PaperServer) -> None:
        self.server, self.books, self.checked = server, {}, 0  # type: ignore[var-annotated]
        #: What was said to be valid and was not. An error raised here would only end the connection.
        self.wrong: list[str] = []
        on_step = server.venue.on_step

        def watched(venue_ns: int) -> None:
            on_step(venue_ns)
            self._keep()

        server.venue.on_step = watched  # type: ignore[method-assign]

    def _keep(self) -> None:
        traded = next(iter(self.server.venue.exchange.markets.values()))
        market = traded.market
        sides = [
            [(float(market.tick_text(tick)), float(market.lots_text(lots))) for tick, lots in side]
            for side in traded.replay.snapshot(20)
        ]
        self.books[traded.replay.update_id] = sides

    def check(self, stream: MarketStream, symbol: str, events: MarketEvents) -> None:
        sync = stream.feed(symbol).sync
        if events.kind != "depth" or not sync.is_valid or sync.last_id not in self.books:
            return
        self.checked += 1
        ours = [sync.book.bids(20), sync.book.asks(20)]
        if ours != self.books[sync.last_id]:
            self.wrong.append(f"update {sync.last_id}: {ours} instead of {self.books[sync.last_id]}")

    def is_equal(self, stream: MarketStream, symbol: str) -> bool:
        """Whether our book is whole, and the exchange's of now or of the last steps, which are on the wire."""
        sync = stream.feed(symbol).sync
        is_recent = sum(update_id > sync.last_id for update_id in self.books) <= 2
        return sync.is_valid and is_recent and [sync.book.bids(20), sync.book.asks(20)] == self.books[sync.last_id]
