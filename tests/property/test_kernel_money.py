"""The kernel against an independent, slow model of orders and money, over whatever hypothesis thinks of."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from queuefront.kernel import Diagnostic, Stage, audit, audit_chain
from queuefront.kernel.notional import ratio_of
from queuefront.venues import EventKind, Side
from tests.kernel_story import UNIT, Story, config
from tests.naive.kernel_money import NaiveBook, NaiveTrade

E = EventKind


class KernelMachine(RuleBasedStateMachine):
    """One slot traded at random; the model is told the fills and nothing else."""

    is_inverse = False

    def __init__(self) -> None:
        super().__init__()
        self.story = Story(specs=(replace(config().specs[0], is_inverse=self.is_inverse),))
        self.naive = NaiveBook(UNIT)
        self.count = 0

    @property
    def stage(self) -> Stage:
        return self.story.slot().stage

    @rule(side=st.sampled_from(Side), lots=st.integers(1, 60), legs=st.lists(st.integers(1, 4), min_size=1, max_size=4))
    def enter(self, side: Side, lots: int, legs: list[int]) -> None:
        self.count += 1
        answer = self.story.enter(f"t{self.count}", side=side, lots=lots, exit_legs=tuple((leg, 4) for leg in legs))
        if answer is Diagnostic.OK:
            self.naive.trades.append(NaiveTrade(side.sign, self.is_inverse))

    @rule(bound=st.none() | st.integers(1, 60))
    def leave(self, bound: int | None) -> None:
        self.story.exit(lots=bound)

    @precondition(lambda self: self.story.slot().active_order)
    @rule(data=st.data(), tick=st.integers(8_000, 8_700), fee=st.integers(0, 10**9), is_repeated=st.booleans())
    def fill(self, data: Any, tick: int, fee: int, is_repeated: bool) -> None:
        order = self.story.engine.state.orders[self.story.slot().active_order]
        lots = data.draw(st.integers(1, order.lots - order.cum_lots))
        cum = order.cum_lots + lots
        self.story.fill(cum, lots, tick, order.cid, fee=fee, event_id=f"f{self.story.engine.state.seq}")
        trade = self.naive.trades[-1]
        (trade.entries if order.role == 1 else trade.exits).append((lots, tick))
        trade.fees += fee
        if is_repeated:
            self.story.fill(cum, lots, tick, order.cid, fee=fee)

    @precondition(lambda self: self.story.slot().active_order)
    @rule(kind=st.sampled_from([E.ACK, E.CANCEL_ACK, E.EXPIRED, E.ORDER_REJECT, E.ORDER_SENT]))
    def tell(self, kind: EventKind) -> None:
        order = self.story.engine.state.orders[self.story.slot().active_order]
        self.story.event(kind, order.cid, cum_lots=order.cum_lots)

    @rule(amount=st.integers(-(10**9), 10**9))
    def fund(self, amount: int) -> None:
        self.story.apply_event(E.FUNDING, amount=amount)
        self.naive.funding += amount

    @invariant()
    def size_and_entry_price_are_the_models(self) -> None:
        if self.naive.trades and self.story.slot().trade_id:
            trade, slot = self.naive.trades[-1], self.story.slot()
            assert slot.size == trade.size
            if trade.entries and self.is_inverse:
                assert slot.initial_lots / ratio_of(slot.entry_notional) == trade.inverse_entry_price
            elif trade.entries:
                assert slot.entry_notional == trade.entry_price * slot.initial_lots

    @invariant()
    def capital_is_the_models_to_the_unit_and_equal_when_nothing_is_open(self) -> None:
        difference = self.story.capital - self.naive.capital_change()
        if self.is_inverse:
            # Each trade's profit, open or closed, is the exact one rounded once: to nearest, so by half a unit at most.
            assert abs(difference) * 2 <= len(self.naive.trades)
            gross = self.naive.trades[-1].realized(UNIT) if self.naive.trades else 0
            assert self.story.slot().realized_gross == round(gross)
        elif self.story.slot().size == 0:
            assert difference == 0
        else:
            # An open trade keeps less than one unit an exit in its cost.
            assert abs(difference) < max(1, len(self.naive.trades[-1].exits))

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert audit(self.story.engine.state) == []
        assert audit_chain(self.story.entries) == ""


class InverseMachine(KernelMachine):
    """The same of an inverse contract: profit in base currency, unit × lots × (1/entry - 1/exit)."""

    is_inverse = True


KernelMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
InverseMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestKernelMoney = KernelMachine.TestCase
TestKernelMoneyOfInverseContracts = InverseMachine.TestCase
