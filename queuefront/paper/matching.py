"""Our orders in the market: the exchange half of `sim`, driven order by order.

The engine is a backtest without latencies: a request acts at the time of the tape at which it is made, and its answer is
there at once. What it assumes about queues and liquidity are the models' own rules, see `sim` and docs/models.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from queuefront.core.enums import (
    BUY,
    FILLED,
    GTC,
    LIMIT,
    MARKET,
    PARTIALLY_FILLED,
    REJECTED,
)
from queuefront.core.errors import InvariantError
from queuefront.feed import Tape
from queuefront.sim import (
    Asset,
    ConstantLatency,
    ExchangeModel,
    PartialFill,
    QueueModel,
    RiskAverseQueue,
    ValueFees,
    build_backtester,
    read_changes,
)

__all__ = ["MatchingEngine", "MatchingModels", "OrderTooLargeError", "Report"]


_WARM_UP_ID: Final = 2**62
_AT_ONCE: Final = False  # do not wait for the answer: without latencies it is there at the same time


class OrderTooLargeError(ValueError):
    """The engine cannot hold an order of this size."""


@dataclass(frozen=True, slots=True)
class MatchingModels:
    """How the exchange half fills: the queue model, and whether an order may be filled in part."""

    queue: QueueModel = field(default_factory=RiskAverseQueue)
    exchange: ExchangeModel = field(default_factory=lambda: PartialFill(honest=True))


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to one of our orders. ts : ns, of the tape; exec_lots : 0 where nothing was executed."""

    engine_id: int
    ts: int
    status: int
    exec_lots: int
    exec_tick: int
    is_maker: bool

    @property
    def is_execution(self) -> bool:
        """Whether it reports a fill."""
        return self.exec_lots > 0


class MatchingEngine:
    """The exchange half of one tape.

    fees are those of the backtest, so that `fee` can be held against what the venue charges.
    """

    def __init__(self, tape: Tape, models: MatchingModels, fees: ValueFees) -> None:
        asset = Asset(tape, latency=ConstantLatency(), queue=models.queue, exchange=models.exchange, fees=fees)
        backtest, handles = build_backtester([asset], [asset.load()])
        self._backtest: Any = backtest  # its methods are compiled, and typed by Numba alone
        self._handle = handles[0]
        self._change_count = 0
        self._instrument = tape.instrument
        self._warm_up()

    @property
    def position(self) -> float:
        """The position by the engine's own books, quantity."""
        return float(self._backtest.position(0))

    @property
    def fee(self) -> float:
        """The fees by the engine's own books."""
        return float(self._backtest.state_values(0).fee)

    def advance(self, tape_ts: int) -> list[Report]:
        """Play the market to a time of the tape; return what it did to our orders."""
        elapsed_ns = tape_ts - int(self._backtest.current_timestamp)
        if elapsed_ns > 0:
            self._backtest.elapse(elapsed_ns)
        return self._reports()

    def place(self, engine_id: int, side: int, tick: int | None, lots: int, time_in_force: int) -> list[Report]:
        """Send an order, MARKET where it has no tick; return what became of it at once.

        Raises
        ------
        OrderTooLargeError
            If the order does not fit into the engine's integers.
        """
        price = float(self._instrument.tick_to_price(1 if tick is None else tick))
        submit = self._backtest.submit_buy_order if side == BUY else self._backtest.submit_sell_order
        qty, kind = float(self._instrument.lots_to_qty(lots)), MARKET if tick is None else LIMIT
        if submit(0, engine_id, price, qty, time_in_force, kind, _AT_ONCE):
            raise OrderTooLargeError(f"{qty:,} at {price:,}")
        return self._settle()

    def cancel(self, engine_id: int) -> list[Report]:
        """Cancel an order that rests."""
        self._backtest.cancel(0, engine_id, _AT_ONCE)
        return self._settle()

    def reduce(self, engine_id: int, tick: int, lots: int) -> list[Report]:
        """Lower an order's open quantity; it keeps its place in the queue."""
        price, qty = self._instrument.tick_to_price(tick), self._instrument.lots_to_qty(lots)
        self._backtest.modify(0, engine_id, float(price), float(qty), _AT_ONCE)
        return self._settle()

    def _warm_up(self) -> None:
        """Call everything once, so that nothing is compiled or loaded while a client waits and time runs on."""
        self.place(_WARM_UP_ID, BUY, 1, 2, GTC)
        self.reduce(_WARM_UP_ID, 1, 1)
        self.cancel(_WARM_UP_ID)

    def _settle(self) -> list[Report]:
        self._backtest.elapse(0)
        return self._reports()

    def _reports(self) -> list[Report]:
        changes = read_changes(self._handle, self._change_count)
        if not len(changes):
            return []
        self._change_count += len(changes)
        reports = []
        for change in changes:
            if not change["is_response"]:
                continue
            if change["req"] == REJECTED:
                raise InvariantError(f"the matching engine does not know order {change['order_id']}; please report this")
            status = int(change["status"])
            is_execution = status in (FILLED, PARTIALLY_FILLED) and change["exec_lots"] > 0
            reports.append(
                Report(
                    int(change["order_id"]),
                    int(change["exch_ts"]),
                    status,
                    int(change["exec_lots"]) if is_execution else 0,
                    int(change["exec_price_tick"]) if is_execution else 0,
                    bool(change["is_maker"]),
                )
            )
        self._backtest.clear_inactive_orders(0)
        return reports
