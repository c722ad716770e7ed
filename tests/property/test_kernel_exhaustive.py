"""All sequences of inputs up to a depth, for small sizes: every state keeps the invariants, and each can come to rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from queuefront.kernel import (
    Cancel,
    Config,
    Enter,
    Exit,
    Health,
    Reconcile,
    Spec,
    Stage,
    State,
    Tick,
    audit,
    initial_state,
    step,
)
from queuefront.kernel.codec import encode_state
from queuefront.kernel.records import Input
from queuefront.venues import EventKind, OrderType, Position, Side, Source, VenueEvent, VenueSnapshot

E = EventKind
CONFIG = Config(
    lease="x",
    currency="USDT",
    cash_scale=2,
    start_capital=10**9,
    specs=(Spec(name="T", currency="USDT", unit=1),),
    slot_count=1,
    miss_gap_ns=0,
    grace_ns=0,
)
LOTS = 2
MISSED = E.ORDER_MISSED


def inputs(state: State) -> Iterator[Input]:
    """Yield what could come next: commands, and what a venue could say of any order that it was sent."""
    n = state.seq
    yield Enter(ts=n, intent_id=f"i{n}", trade_id=f"t{n}", slot_id=0, instrument="T", side=Side.LONG, lots=LOTS,
                reference_tick=10, order_type=OrderType.LIMIT, limit_tick=10, exit_legs=((1, 2), (1, 1)))  # fmt: skip
    yield Exit(ts=n, intent_id=f"i{n}", slot_id=0, reference_tick=10)
    yield Cancel(ts=n, intent_id=f"i{n}", slot_id=0)
    yield Tick(n)
    for key in sorted(state.orders):
        order = state.orders[key]
        for kind in (E.ACK, E.ORDER_REJECT, E.CANCEL_ACK, E.EXPIRED, E.SUBMIT_UNKNOWN, E.CANCEL_UNKNOWN, MISSED):
            source = Source.QUERY if kind is MISSED else Source.STREAM
            yield VenueEvent(ts=n, kind=kind, cid=order.cid, cum_lots=order.cum_lots, source=source)
        for cum in range(order.cum_lots + 1, order.lots + 1):
            kind = E.FULL_FILL if cum == order.lots else E.PARTIAL_FILL
            yield VenueEvent(
                ts=n, kind=kind, cid=order.cid, cum_lots=cum, last_lots=cum - order.cum_lots, last_tick=10, fee=0
            )


def shape(state: State) -> bytes:
    """Return a state without what only counts or names: states of one shape have the same future."""
    slot = state.slots[0]
    orders = [(o.role, o.status, o.cancel_state, o.cum_lots, o.lots, o.trade_id == slot.trade_id,
               o.key == slot.active_order) for _, o in sorted(state.orders.items())]  # fmt: skip
    pending = [(due.is_fills, due.misses > 0) for _, due in sorted(state.pending.items())]
    parts = (slot.stage, slot.health, slot.size, slot.initial_lots, slot.leg_index, slot.leg_intended, slot.leg_filled,
             orders, pending, state.holdings.get("T"))  # fmt: skip
    return repr(parts).encode()


def reach(depth: int) -> dict[bytes, State]:
    """Return one state of each shape that inputs up to a depth lead to."""
    start = initial_state(CONFIG)
    found, frontier = {shape(start): start}, [start]
    for _ in range(depth):
        following = []
        for state in frontier:
            for entry in inputs(state):
                after, _ = step(state, entry)
                key = shape(after)
                if key not in found:
                    assert audit(after) == [], entry
                    assert not after.halted
                    found[key] = after
                    following.append(after)
        frontier = following
    return found


def rest(state: State) -> State:
    """Bring a slot to rest as an operator and an honest venue would."""
    for _ in range(40):
        slot = state.slots[0]
        if slot.stage in (Stage.IDLE, Stage.CLOSED) and not state.live:
            return state
        for key in sorted(state.live):
            order = state.orders[key]
            ended = VenueEvent(ts=state.seq, kind=E.CANCEL_ACK, cid=order.cid, cum_lots=order.cum_lots, source=Source.QUERY)
            state, _ = step(state, ended)
        slot = state.slots[0]
        if slot.health is not Health.OK:
            state = look(state)
            slot = state.slots[0]
        if slot.stage is Stage.POSITION_OPEN:
            state, _ = step(state, Exit(ts=state.seq, intent_id=f"r{state.seq}", slot_id=0, reference_tick=10))
            order = state.orders[state.slots[0].active_order]
            filled = VenueEvent(ts=state.seq, kind=E.FULL_FILL, cid=order.cid, cum_lots=order.lots, last_lots=order.lots,
                                last_tick=10, fee=0)  # fmt: skip
            state, _ = step(state, filled)
    raise AssertionError(f"the slot does not come to rest: {state.slots[0]}")


def look(state: State) -> State:
    """Let an operator look: questions are answered, and the venue's positions are what the kernel says they are."""
    state, _ = step(state, Reconcile(ts=state.seq, intent_id=f"l{state.seq}"))
    for key in sorted(state.slots[0].doubts):
        order = state.orders[key]
        kind = E.FULL_FILL if order.cum_lots == order.lots else E.CANCEL_ACK
        answer = VenueEvent(ts=state.seq, kind=kind, cid=order.cid, cum_lots=order.cum_lots, source=Source.QUERY)
        state, _ = step(state, answer)
    holding = state.holdings.get("T")
    lots = holding.long_lots + holding.orphan_lots if holding else 0
    side = Side.LONG if lots > 0 else Side.SHORT
    positions = (Position("T", side, abs(lots)),) if lots else ()
    now = state.now
    snapshot = VenueSnapshot(
        ts=now, sequence=state.last_snapshot + 1, fetch_start_ts=now, fetch_end_ts=now, positions=positions
    )
    return step(state, snapshot)[0]


def check(depth: int) -> int:
    found = reach(depth)
    for state in found.values():
        saved = encode_state(state)
        assert audit(rest(state)) == []
        assert encode_state(state) == saved
    return len(found)


@pytest.mark.slow
def test_from_every_state_within_eight_inputs_the_slot_can_come_to_rest() -> None:
    """E8, F15 and F16: rule 6 of the invariants, by looking at all of them."""
    assert check(8) > 7_000


@pytest.mark.soak
def test_from_every_state_within_ten_inputs_the_slot_can_come_to_rest() -> None:
    assert check(10) > 50_000
