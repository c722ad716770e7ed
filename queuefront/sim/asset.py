"""One asset of a backtest, as a user names it: a tape, and the models of the exchange that it is replayed on.

Nothing here needs compiled code, so that who only hands assets on, as a sweep to its workers, need not load any.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Number
from queuefront.sim.fees import FeeModel, ValueFees
from queuefront.sim.funding import Funding
from queuefront.sim.latencies import ConstantLatency, LatencyModel
from queuefront.sim.models import ExchangeModel, FifoQueue, NoPartialFill, QueueModel, RiskAverseQueue

if TYPE_CHECKING:
    from queuefront.feed import PassportThresholds, Tape
    from queuefront.sim.own import OwnExchange, OwnFees, OwnLatency, OwnQueue

__all__ = ["Asset"]


@dataclass(frozen=True)
class Asset:
    """One asset of a backtest: its market, and the models of the exchange that it is replayed on.

    Parameters
    ----------
    tape : a `Tape`, or the path of one.
    latency, queue, exchange, fees : models, see docs/models.md.
    funding : payments between longs and shorts of a perpetual contract.
    balances : of the (base, quote) currency at the start, of a spot market; orders that they do not cover expire.
    tick_size, lot_size, contract, multiplier : override the tape's instrument. Another grid makes the tape anew, in memory.
    last_trades_capacity : above 0, the strategy sees the market's trades.
    depth_range : (lowest, highest) price that the books hold, both included and on the grid; see `Tape.bounded` for what
        becomes of the rest.
    mask_bad_spans : fill no order of ours where the tape's passport calls the data bad; docs/passport.md says what happens
        instead.
    passport : limits of the passport, the default ones where not given.
    """

    tape: Tape | str | os.PathLike[str]
    latency: LatencyModel | OwnLatency = field(default_factory=ConstantLatency)
    queue: QueueModel | OwnQueue = field(default_factory=RiskAverseQueue)
    exchange: ExchangeModel | OwnExchange = field(default_factory=NoPartialFill)
    fees: FeeModel | OwnFees = field(default_factory=ValueFees)
    funding: Sequence[Funding] = ()
    balances: tuple[Number, Number] | None = None
    tick_size: Number | None = None
    lot_size: Number | None = None
    contract: str | None = None
    multiplier: Number | None = None
    last_trades_capacity: int = 0
    depth_range: tuple[Number, Number] | None = None
    mask_bad_spans: bool = False
    passport: PassportThresholds | None = None

    def load(self) -> Tape:
        """Return the tape with the overrides applied.

        Raises
        ------
        ConfigError, DataError
            If the tape cannot be read or an override does not fit it.
        """
        from queuefront.feed import Tape

        tape = self.tape if isinstance(self.tape, Tape) else Tape.open(Path(self.tape))
        if tape.is_by_order != isinstance(self.queue, FifoQueue):
            told = "by order" if tape.is_by_order else "by price"
            wanted = "queue=FifoQueue()" if tape.is_by_order else "a queue model of a market by price"
            raise ConfigError(f"{tape!r} is told {told}, which {type(self.queue).__name__} cannot follow; give {wanted}")
        if tape.is_by_order and not isinstance(self.exchange, NoPartialFill):
            raise ConfigError("a market by order is matched by NoPartialFill only; give exchange=NoPartialFill()")
        tape = self._overridden(tape)
        if self.depth_range is not None:
            low, high = (tape.instrument.price_to_tick(price) for price in self.depth_range)
            tape = tape.bounded(low, high)
        if self.mask_bad_spans:
            from queuefront.feed import Verdict, passport_of

            tape = tape.masked(passport_of(tape, self.passport).stretches(Verdict.BAD))
        return tape

    def _overridden(self, tape: Tape) -> Tape:
        changed = tape.instrument.override(
            tick_size=self.tick_size, lot_size=self.lot_size, contract=self.contract, multiplier=self.multiplier
        )
        if changed == tape.instrument:
            return tape
        if (changed.tick_size, changed.lot_size) != (tape.instrument.tick_size, tape.instrument.lot_size):
            source = str(tape.meta.get("source", self.tape))
            return type(tape).build(
                tape.to_events(),
                changed,
                source=source,
                account=tape.meta.get("account"),
                opening=tape.opening,
                extra_kinds=frozenset(range(256)),  # the tape has them already
            )
        return tape.with_instrument(changed)
