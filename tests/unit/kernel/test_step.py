from __future__ import annotations

from typing import Any

import pytest

from queuefront.kernel import Alarm, Diagnostic, LedgerKind, Stage, account, audit, initial_state
from queuefront.kernel.codec import encode_state
from queuefront.venues import CancelOrder, EventKind
from tests.kernel_story import Story, config

D = Diagnostic
E = EventKind


def test_a_step_leaves_the_state_it_was_given_alone() -> None:
    story = Story()
    story.open(lots=10)
    before = story.engine.state
    saved = encode_state(before)
    story.close()
    assert encode_state(before) == saved


def test_the_same_inputs_give_the_same_bytes() -> None:
    def run() -> bytes:
        story = Story()
        story.open(lots=10)
        story.close()
        story.tick(100)
        return encode_state(story.engine.state)

    assert run() == run()


def test_a_clock_that_steps_back_does_not_take_the_kernel_with_it() -> None:
    story = Story()
    story.now = 100
    story.tick()
    story.now = 50
    story.tick()
    assert story.engine.state.now == 100


def test_a_book_that_does_not_balance_halts_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    story.open(lots=10)
    story.enter("t2", 1, limit_tick=8_000)
    cid = story.active_cid(1)
    good = account.post

    def bad(draft: Any, kind: LedgerKind, *args: Any, **kwargs: Any) -> None:
        if kind is LedgerKind.FEE:
            kwargs["cash"] = kwargs.get("cash", 0) + 1
        good(draft, kind, *args, **kwargs)

    story.exit()
    request = story.place
    before = story.engine.state
    monkeypatch.setattr(account, "post", bad)
    assert story.fill(10, 10, 8_340, request.cid, fee=5) is D.HALTED
    monkeypatch.undo()
    (alarm,) = (effect for effect in story.effects if isinstance(effect, Alarm))
    assert alarm.text.startswith("ledger entry 3 does not balance") or "does not balance" in alarm.text
    assert {effect.cid for effect in story.effects if isinstance(effect, CancelOrder)} == {cid, request.cid}
    # The wrong book is not taken over, new orders are refused, and the venue is still listened to.
    assert story.engine.state.book == before.book
    assert story.enter("t3", 2) is D.HALTED
    assert story.cancel(1) is D.CANCEL_IN_PROGRESS
    story.event(E.CANCEL_ACK, cid, cum_lots=0)
    assert story.slot(1).stage is Stage.IDLE


def test_the_cost_of_a_step_does_not_grow_with_the_slots() -> None:
    """E19 and F5: counted in slots written, not in seconds; `make bench` times it."""
    for count in (10, 1_000):
        state = initial_state(config(slot_count=count))
        story = Story(slot_count=count)
        story.open(lots=10)
        story.enter("t2", count - 1)
        assert story.published.slots == (count - 1,)
        shared = sum(story.engine.state.slots[i] is not state.slots[i] and story.slot(i).version > 0 for i in range(count))
        assert shared == 2


def test_a_whole_audit_finds_what_a_step_would_not_look_at() -> None:
    from msgspec.structs import replace

    state = initial_state(config())
    assert audit(state) == []
    assert audit(replace(state, exposure=5)) == ["exposure 5 is not 0, the sum over the slots"]
    assert audit(replace(state, slots=state.slots.set(0, replace(state.slots[0], size=-1)))) != []
