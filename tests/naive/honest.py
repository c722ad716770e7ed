"""Honest liquidity: an L2 exchange on which no quantity is had twice. An option, and beyond the specification.

The plain exchanges let every order of ours see all of the market's quantity, again and again (D27). Here our orders share
it. What is different from `PartialFillExchange`; everything else stays, sizes without partial fills do not matter:

1. *What we have taken.* For each side and tick of the exchange's book the exchange counts the lots that our orders have had
   of the displayed ones. What is available at a level is what the book displays there less what we have taken, at least 0.
   A row that sets the level, to whatever quantity, sets its count back to 0, as does a clear that removes the level. The
   book itself, its best prices, and the quantities before and after a row that queue models are told of stay the market's.
2. *Crossing* is judged by the market's best prices, whatever is left there: a GTX order at or through the opposite best
   expires.
3. *Taking.* A marketable order walks the opposite levels from the best outwards, its limit included on both sides, a
   MARKET order through its window (best + 99 or best - 100 ticks), and takes at each level what is available, no more
   than it needs. FOK counts what is available. Of what is left then, IOC and MARKET expire. What is left of a GTC order
   rests at its limit: the answer of its last leg is its confirmation; without a leg it is confirmed as NEW. Nothing
   executes beyond what is displayed.
4. *Queueing behind ourselves.* `front` is the market's quantity ahead, and begins with what is available on our own side
   at our tick. Own orders ahead, earlier at the same side and tick, count as queue too: an order fills only when none of
   them is open any more. `arrival_qty_ahead` is `front` plus the open quantity of own orders ahead at that time. An
   in-place modify keeps the place.
5. *A trade's lots are shared.* `left` begins as the lots of the trade. All our orders of the passive side with prices from
   the best to the trade's, both included, are visited in price-time priority; the opposite best is no bound, because what
   rule 3 or 6 left over may rest at or beyond it.
   a. At a better price than the trade's: the order executes min(leaves, left) lots; nothing is ahead of it any more: its
      `front` becomes 0.
   b. At the trade's price: the queue model counts a trade of `left` lots. If an own order ahead of it at this tick is still
      open, the order does not fill, and a negative `front` becomes 0. Otherwise it executes min(filled lots, leaves, left).
   c. Each execution lowers `left`. Orders are visited with `left` = 0 too, and count a trade of 0 lots.
6. *Levels that reach us.* Each row that sets a level of the market to a positive quantity, whether or not the best price
   changes, offers that level: our orders of the other side whose price it reaches (our SELL at or below a bid, our BUY at
   or above an ask) execute in price-time priority, as makers, at their own prices, min(leaves, available) lots each. What
   they get counts as taken of that level. What they do not get stays open at its place.
7. An order that gets less than its leaves is PARTIALLY_FILLED and stays; its queue position is as the rules leave it.
"""

from __future__ import annotations

from queuefront.core.enums import BUY, DEPTH_CLEAR_EVENT, FOK, GTC, MARKET, NEW
from tests.naive.exchange import PartialFillExchange, opposite
from tests.naive.grid import Row
from tests.naive.market import lots_at
from tests.naive.orders import Order
from tests.naive.queue import QueuePosition

__all__ = ["HonestExchange"]


class HonestExchange(PartialFillExchange):
    """The module's rules; their numbers stand beside the lines that obey them."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.taken: dict[tuple[int, int], int] = {}  # by side of the market and tick, rule 1

    def available(self, side: int, tick: int) -> int:
        return max(0, lots_at(self.book, side, tick) - self.taken.get((side, tick), 0))  # rule 1

    def note_taken(self, side: int, tick: int, lots: int) -> None:
        self.taken[side, tick] = self.taken.get((side, tick), 0) + lots

    def on_row(self, row: Row) -> None:
        super().on_row(row)
        if row.kind == DEPTH_CLEAR_EVENT:
            self.taken = {  # rule 1
                (side, tick): lots for (side, tick), lots in self.taken.items() if lots_at(self.book, side, tick) > 0
            }

    # --- taking (rule 3) ----------------------------------------------------------------------------------------------
    def take(self, order: Order, best: int, now: int) -> None:
        is_market = order.order_type == MARKET
        last = self.last_tick(order, best) if is_market else order.price_tick
        market_side = opposite(order.side)
        levels = [(tick, self.available(market_side, tick)) for tick, _ in self.levels_until(order, best, last)]
        if not is_market and order.time_in_force == FOK and sum(lots for _, lots in levels) < order.leaves_lots:
            self.expire(order, now)
            return
        legs = []
        wanted = order.leaves_lots
        for tick, available in levels:
            if min(available, wanted) > 0:
                legs.append((tick, min(available, wanted)))
                wanted -= min(available, wanted)
        rests = wanted > 0 and not is_market and order.time_in_force == GTC
        for number, (tick, lots) in enumerate(legs, start=1):
            self.note_taken(market_side, tick, lots)
            order.execute(tick, lots, now, is_maker=False)
            arrival_before = order.arrival_qty_ahead
            if rests and number == len(legs):
                self.enter_queue(order)
            answer = order.copy()
            answer.is_execution, answer.arrival_qty_ahead = True, arrival_before
            self.tell(answer, now)
        if rests and not legs:
            self.rest(order, now)
        elif wanted > 0 and not rests:
            self.expire(order, now, had_legs=bool(legs))

    # --- resting (rule 4) ---------------------------------------------------------------------------------------------
    def rest(self, order: Order, now: int) -> None:
        self.enter_queue(order)
        order.status, order.exch_ts = NEW, now
        self.respond(order, now)

    def enter_queue(self, order: Order) -> None:
        front = self.front_of(order, self.available(order.side, order.price_tick))
        own_lots = sum(ahead.leaves_lots for ahead in self.own_ahead(order))
        order.arrival_qty_ahead = front + self.grid.quantity(own_lots)
        self.note_rest(order, front)
        self.positions[order.order_id] = QueuePosition(self.queue, front)
        self.resting[order.order_id] = order

    def own_ahead(self, order: Order) -> list[Order]:
        """Return our open orders before this one at its side and tick; before all of them that rest if it does not yet."""
        at_tick = [o for o in self.resting.values() if (o.side, o.price_tick) == (order.side, order.price_tick)]
        ids = [o.order_id for o in at_tick]
        return at_tick[: ids.index(order.order_id)] if order.order_id in ids else at_tick

    # --- trades (rule 5) ----------------------------------------------------------------------------------------------
    def on_trade(self, row: Row) -> None:
        tick = self.grid.tick(row.px)
        left = self.grid.lots(row.qty)
        for order in self.by_priority(opposite(row.side)):
            position = self.positions[order.order_id]
            is_better = order.price_tick < tick if row.side == BUY else order.price_tick > tick
            if is_better:  # 5a
                position.front = 0.0
                lots = min(order.leaves_lots, left)
            elif order.price_tick == tick:  # 5b
                position.trade(self.grid.quantity(left))
                if self.own_ahead(order):
                    position.front = max(position.front, 0.0)
                    lots = 0
                else:
                    lots = min(position.filled_lots(self.grid.lot_size), order.leaves_lots, left)
            else:
                continue
            if lots > 0:
                left -= lots  # 5c
                self.execute_resting(order, lots, row.exch_ts)

    # --- levels that reach us (rule 6) --------------------------------------------------------------------------------
    def on_level(self, row: Row) -> None:
        super().on_level(row)
        side, tick = row.side, self.grid.tick(row.px)
        self.taken.pop((side, tick), None)  # rule 1
        for order in self.by_priority(opposite(side)):
            is_reached = order.price_tick <= tick if side == BUY else order.price_tick >= tick
            lots = min(order.leaves_lots, self.available(side, tick))
            if is_reached and lots > 0:
                self.note_taken(side, tick, lots)
                self.execute_resting(order, lots, row.exch_ts)

    def on_better_best(self, row: Row) -> None:
        """Nothing by itself: rule 6 looks at every row that sets a level."""
