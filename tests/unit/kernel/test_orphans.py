from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from queuefront.kernel import Control, Diagnostic, Health, LedgerKind, Settle, SettleAction, Stage, audit
from queuefront.kernel.notional import Ratio
from queuefront.kernel.state import Holding
from queuefront.venues import EventKind, OrderType, PlaceOrder, Side
from tests.kernel_story import UNIT, Story, config

E = EventKind
D = Diagnostic
ADOPT, CLOSE, BOOK = SettleAction


class Orphaned(Story):
    """A kernel with orphans: late entry fills of a trade whose slot went on."""

    def __init__(self, *fills: tuple[int, int], side: Side = Side.LONG, **changes: Any) -> None:
        super().__init__(**changes)
        for i, (lots, tick) in enumerate(fills):
            self.orphan(f"o{i}", lots, tick, side)

    def orphan(self, trade_id: str, lots: int, tick: int, side: Side = Side.LONG) -> str:
        self.unblock()
        assert self.enter(trade_id, slot_id=2, lots=lots, side=side) is D.OK
        cid = self.place.cid
        self.event(E.CANCEL_ACK, cid, cum_lots=0)
        assert self.enter(f"{trade_id}-next", slot_id=2, lots=10) is D.OK
        self.event(E.CANCEL_ACK, self.place.cid, cum_lots=0)
        assert self.fill(lots, lots, tick, cid, kind=E.FULL_FILL) is D.ORPHAN_FILL
        return cid

    def unblock(self) -> None:
        self._count += 1
        self.apply(Control(ts=self.now, intent_id=f"c{self._count}", author="me", reason="test", unblock=("TRX",)))

    def drift(self, lots: int, side: Side = Side.LONG) -> None:
        for _ in range(4):
            self.snapshot(lots, side)
            self.tick(60)
        assert self.holding.blocked.startswith("drift")

    @property
    def holding(self) -> Holding:
        return self.engine.state.holdings["TRX"]

    def settle(self, action: SettleAction = ADOPT, lots: int = 10, **changes: Any) -> Diagnostic:
        self._count += 1
        values: dict[str, Any] = {
            "ts": self.now, "intent_id": f"s{self._count}", "author": "ann", "reason": "late fill", "action": action,
            "instrument": "TRX", "side": Side.LONG, "lots": lots, "slot_id": 0, "trade_id": f"a{self._count}",
            "reference_tick": 8_340, **changes,
        }  # fmt: skip
        return self.apply(Settle(**values))

    @property
    def detail(self) -> str:
        return self.published.detail


def test_an_adopted_orphan_is_a_trade_at_its_own_cost_that_exits_like_any_other() -> None:
    story = Orphaned((10, 8_000))
    assert story.settle(lots=10, leverage=9, exit_legs=((1, 2), (1, 1))) is D.OK
    slot = story.slot()
    assert (slot.stage, slot.size, slot.cost, slot.leverage) == (Stage.POSITION_OPEN, 10, 80_000 * UNIT, 9)
    assert [(t.before, t.after) for t in story.published.transitions] == [(Stage.IDLE, Stage.POSITION_OPEN)]
    assert (story.holding.orphan_lots, story.holding.orphan_cost, story.holding.long_lots) == (0, 0, 10)
    assert story.capital == 0
    story.exit()
    assert (story.place.lots, story.place.reduce_only) == (5, True)
    story.fill(5, 5, 9_000, story.place.cid, kind=E.FULL_FILL)
    story.exit()
    story.fill(5, 5, 9_000, story.place.cid, kind=E.FULL_FILL)
    assert story.capital == story.slot().realized_gross == 10 * 1_000 * UNIT


def test_a_part_of_the_orphans_takes_its_share_of_their_cost() -> None:
    story = Orphaned((10, 8_000), (5, 8_300))
    assert story.settle(lots=4) is D.OK
    # 10 at 8,000 and 5 at 8,300: 8,100 on average.
    assert story.slot().cost == 4 * 8_100 * UNIT
    assert (story.holding.orphan_lots, story.holding.orphan_cost) == (11, 11 * 8_100 * UNIT)
    assert story.holding.blocked == "orphan fill of t1-8"


def test_entries_go_on_when_the_last_orphan_is_settled() -> None:
    story = Orphaned((10, 8_000))
    assert story.enter("t9", 1) is D.INSTRUMENT_BLOCKED
    story.settle(lots=10)
    assert story.enter("t9", 1) is D.OK


def test_closing_orphans_sends_a_reduce_only_exit_at_once() -> None:
    story = Orphaned((10, 8_000), side=Side.SHORT)
    answer = story.settle(CLOSE, 10, side=Side.SHORT, order_type=OrderType.LIMIT, limit_tick=8_350)
    assert answer is D.OK
    request = story.place
    assert (request.is_buy, request.reduce_only, request.lots, request.price_tick) == (True, True, 10, 8_350)
    assert story.slot().stage is Stage.EXIT_REQUESTED
    story.fill(10, 10, 7_500, request.cid, kind=E.FULL_FILL)
    assert (story.slot().stage, story.capital) == (Stage.CLOSED, 10 * 500 * UNIT)


def test_settling_is_in_the_ledger_by_the_name_of_its_command() -> None:
    story = Orphaned((10, 8_000))
    story.settle(lots=10, intent_id="adoption")
    entry = story.published.entries[-1]
    assert (entry.kind, entry.event_id, entry.trade_id, entry.amount) == (
        LedgerKind.ADJUST,
        "adoption",
        story.slot().trade_id,
        0,
    )


def test_settling_asks_for_a_snapshot_to_see_that_it_was_right() -> None:
    story = Orphaned((10, 8_000))
    story.settle(lots=10)
    assert "FetchSnapshot" in {type(effect).__name__ for effect in story.effects}


def test_drift_is_adopted_at_a_stated_price_and_ends_when_the_next_snapshot_agrees() -> None:
    story = Orphaned()
    story.drift(30)
    assert story.settle(lots=31, tick=8_200) is D.INVALID_INTENT
    assert story.detail == "target_size: 31 lots; 30 are drift by the last snapshot on this side"
    assert story.settle(lots=30, tick=8_200) is D.OK
    assert (story.slot().size, story.slot().cost, story.capital) == (30, 30 * 8_200 * UNIT, 0)
    assert story.enter("t9", 1) is D.INSTRUMENT_BLOCKED
    story.snapshot(30)
    assert story.holding.blocked == ""
    assert story.enter("t9", 1) is D.OK
    story.exit()
    story.fill(30, 30, 8_300, story.active_cid(), kind=E.FULL_FILL)
    assert story.capital == 30 * 100 * UNIT


def test_drift_is_taken_once() -> None:
    story = Orphaned()
    story.drift(30)
    assert story.settle(lots=20, tick=8_200) is D.OK
    assert story.settle(lots=20, tick=8_200, slot_id=1) is D.INVALID_INTENT
    assert story.settle(lots=10, tick=8_200, slot_id=1) is D.OK


def test_what_has_not_been_called_drift_yet_cannot_be_adopted() -> None:
    story = Orphaned()
    story.snapshot(30)
    assert story.settle(lots=30, tick=8_200) is D.INVALID_INTENT
    assert story.detail == "target_size: 30 lots; 0 are drift by the last snapshot on this side"


def test_drift_that_was_waved_through_is_adopted_only_when_a_snapshot_shows_it_again() -> None:
    story = Orphaned()
    story.drift(30)
    story.unblock()
    assert story.settle(lots=30, tick=8_200) is D.INVALID_INTENT
    story.drift(30)
    assert story.settle(lots=30, tick=8_200) is D.OK


def test_a_slot_that_drift_left_empty_is_free_to_adopt_it() -> None:
    story = Orphaned(slot_count=3)
    story.unblock()
    story.open(lots=10)
    story.exit()
    cid = story.place.cid
    story.drift(40)
    assert story.slot().health is Health.QUARANTINED
    story.fill(10, 10, 8_300, cid, kind=E.FULL_FILL)
    assert story.slot().health is Health.OK
    assert story.settle(lots=30, tick=8_200, slot_id=0) is D.OK


def test_the_trade_of_an_adoption_is_used_up() -> None:
    story = Orphaned((10, 8_000))
    assert story.settle(lots=4, trade_id="mine") is D.OK
    assert story.settle(lots=4, trade_id="mine", slot_id=1) is D.DUPLICATE_TRADE


def test_orphans_that_are_gone_at_the_venue_are_booked_at_the_price_of_their_end() -> None:
    story = Orphaned((10, 8_000))
    assert story.settle(BOOK, 10, tick=8_100) is D.INVALID_INTENT
    assert story.detail == "target_size: 10 lots; the venue still holds all but 0: ADOPT or CLOSE them"
    story.drift(0)
    assert story.settle(BOOK, 10) is D.INVALID_INTENT
    assert story.detail == "price: state at which price they were closed"
    assert story.settle(BOOK, 10, tick=8_100) is D.OK
    assert story.capital == 10 * 100 * UNIT
    assert (story.holding.orphan_lots, story.holding.orphan_cost) == (0, 0)
    story.snapshot(0)
    assert story.holding.blocked == ""


def test_orphans_of_opposite_sides_close_one_another_and_book_the_profit() -> None:
    story = Orphaned((10, 8_000))
    story.orphan("short", 4, 8_500, Side.SHORT)
    assert story.capital == 4 * 500 * UNIT
    assert (story.holding.orphan_lots, story.holding.orphan_cost) == (6, 6 * 8_000 * UNIT)
    story.orphan("more", 9, 7_000, Side.SHORT)
    assert story.capital == (4 * 500 - 6 * 1_000) * UNIT
    assert (story.holding.orphan_lots, story.holding.orphan_cost) == (-3, -3 * 7_000 * UNIT)


def test_a_correction_that_comes_after_the_adoption_is_profit_or_loss() -> None:
    story = Orphaned()
    story.enter("o", slot_id=2, lots=10, limit_tick=8_000)
    cid = story.place.cid
    story.event(E.CANCEL_ACK, cid, cum_lots=0)
    story.enter("next", slot_id=2, lots=10)
    story.event(E.FULL_FILL, cid, cum_lots=10, fee=0)  # no price: booked at its limit
    story.settle(lots=10)
    story.event(E.FILL_REPORT, cid, cum_lots=10, cum_notional=10 * 7_990, cum_fee=0)
    assert story.capital - sum(-e.fees for e in story.entries) == 10 * 10 * UNIT
    assert audit(story.engine.state) == []


def test_what_corrections_left_at_cost_when_nothing_is_held_can_be_booked() -> None:
    story = Orphaned((10, 8_000))
    state = story.engine.state
    holding = replace(story.holding, orphan_lots=0)
    story.engine.state = replace(state, holdings=state.holdings.set("TRX", holding))
    assert story.settle(BOOK, 0) is D.OK
    assert (story.capital, story.engine.state.book.position) == (-10 * 8_000 * UNIT, 0)
    assert story.settle(BOOK, 0) is D.INVALID_INTENT


def test_dust_that_meets_orphans_of_the_other_side_closes_them() -> None:
    spec = replace(config().specs[0], min_lots=5)
    story = Orphaned((10, 8_000), side=Side.SHORT, specs=(spec,))
    story.unblock()
    story.open(lots=20, tick=8_000)
    story.exit()
    story.fill(18, 18, 8_000, story.place.cid)
    story.event(E.CANCEL_ACK, story.active_cid(), cum_lots=18)
    assert story.exit() is D.OK
    assert story.detail.startswith("DUST")
    assert (story.holding.orphan_lots, story.holding.orphan_cost, story.capital) == (-8, -8 * 8_000 * UNIT, 0)


def test_inverse_orphans_are_adopted_at_their_exact_cost() -> None:
    spec = replace(config().specs[0], is_inverse=True)
    story = Orphaned((10, 7_000), specs=(spec,))
    assert story.settle(lots=10) is D.OK
    slot = story.slot()
    assert slot.cost == -round(10 * UNIT / 7_000)
    assert slot.entry_notional == slot.held_notional == Ratio(-slot.cost, UNIT) + 0
    story.close(tick=8_000)
    assert story.capital == story.slot().realized_gross
    assert abs(story.capital - 10 * UNIT * (1 / 7_000 - 1 / 8_000)) <= 1


@pytest.mark.parametrize(
    ("changes", "answer", "detail"),
    [
        ({"author": ""}, D.INVALID_INTENT, "author: must not be empty"),
        ({"reason": ""}, D.INVALID_INTENT, "reason: must not be empty"),
        ({"intent_id": ""}, D.INVALID_INTENT, "intent_id: must not be empty"),
        ({"intent_id": "i2"}, D.DUPLICATE_INTENT, "intent 'i2' was accepted before"),
        ({"instrument": "XXX"}, D.UNKNOWN_INSTRUMENT, "instrument 'XXX' is not one of this kernel's"),
        ({"tick": -1}, D.INVALID_INTENT, "price: must be positive, or left out for orphans, whose cost is known"),
        ({"slot_id": 9}, D.SLOT_OUT_OF_RANGE, "slot 9 of 3"),
        ({"trade_id": ""}, D.INVALID_INTENT, "trade_id: must not be empty"),
        ({"trade_id": "o0"}, D.DUPLICATE_TRADE, "trade 'o0' was used before"),
        ({"leverage": 0}, D.INVALID_INTENT, "leverage: 0 is outside 1 … 125"),
        ({"exit_legs": ((3, 2),)}, D.INVALID_INTENT, "exit_leg_ratios: each must be above 0 and at most 1"),
        ({"lots": 11}, D.INVALID_INTENT, "target_size: 11 lots; 10 orphans are booked on this side"),
        ({"lots": 0}, D.INVALID_INTENT, "target_size: 0 lots; 10 orphans are booked on this side"),
        ({"side": Side.SHORT}, D.INVALID_INTENT, "target_size: 10 lots; 0 orphans are booked on this side"),
        ({"action": BOOK, "lots": 11}, D.INVALID_INTENT, "target_size: 11 lots; 10 orphans are booked on this side"),
        ({"action": CLOSE, "reference_tick": 0}, D.INVALID_INTENT, "reference_price: must be positive"),
        ({"action": CLOSE, "lots": 1}, D.INVALID_INTENT, "target_size: 1 lots; the venue takes 2 or more"),
    ],
)
def test_a_settlement_that_does_not_fit_is_refused_and_changes_nothing(
    changes: dict[str, Any], answer: Diagnostic, detail: str
) -> None:
    story = Orphaned((10, 8_000), specs=(replace(config().specs[0], min_lots=2),))
    before = story.holding, story.slot(), story.capital
    assert (story.settle(**changes), story.detail) == (answer, detail)
    assert (story.holding, story.slot(), story.capital) == before
    assert not [effect for effect in story.effects if isinstance(effect, PlaceOrder)]


def test_a_slot_that_is_taken_is_not_adopted_into() -> None:
    story = Orphaned((10, 8_000))
    story.unblock()
    story.open(lots=5)
    assert (story.settle(), story.detail) == (D.SLOT_BUSY, "slot 0 holds trade 't1' in POSITION_OPEN")


def test_closing_is_refused_where_exits_are_switched_off() -> None:
    story = Orphaned((10, 8_000))
    story.apply(Control(ts=story.now, intent_id="c", author="me", reason="test", exits_enabled=False))
    assert (story.settle(CLOSE), story.detail) == (D.EXITS_DISABLED, "exits are switched off")
    assert story.settle(ADOPT) is D.OK


def test_nothing_is_settled_during_recovery_or_after_a_halt() -> None:
    story = Orphaned((10, 8_000))
    story.engine.state = replace(story.engine.state, recovering=True, needs_snapshot=True)
    assert (story.settle(), story.detail) == (D.RECOVERING, "orders of before the restart are still being asked about")
    story.engine.state = replace(story.engine.state, halted="wrong")
    assert (story.settle(), story.detail) == (
        D.HALTED, "halted: wrong; look at the evidence, then start from a journal that verifies",
    )  # fmt: skip


def test_an_adopted_trade_can_be_liquidated() -> None:
    story = Orphaned((10, 8_000))
    story.settle(lots=10)
    story.apply_event(
        E.LIQUIDATION, instrument="TRX", side=Side.LONG, last_lots=10, last_tick=7_000, fee=5
    )  # fmt: skip
    assert (story.slot().stage, story.capital) == (Stage.CLOSED, -10 * 1_000 * UNIT - 5)
