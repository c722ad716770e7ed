from __future__ import annotations

import pytest

from queuefront.kernel import Engine, MemoryJournal
from queuefront.kernel.state import Recent
from tests.kernel_story import Story, config


def test_an_unknown_attribute_cannot_be_set_and_a_known_one_cannot_be_changed() -> None:
    """F14: records are frozen, and know their fields."""
    story = Story()
    with pytest.raises(AttributeError):
        story.slot().colour = "red"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        story.slot().size = 5  # type: ignore[misc]
    with pytest.raises(AttributeError):
        story.engine.state.seq = 5  # type: ignore[misc]


def test_recent_ids_are_bounded_oldest_out_first() -> None:
    recent = Recent()
    for n in range(10):
        recent = recent.add(f"id{n}", n, 3)
        assert all(f"id{k}" in recent and recent.number(f"id{k}") == k for k in range(max(n - 2, 0), n + 1))
        assert len(recent.young) <= 3
        assert len(recent.old) <= 3
    assert "id5" not in recent


def test_the_latest_number_of_an_id_counts() -> None:
    recent = Recent().add("a", 1, 2).add("b", 2, 2).add("a", 3, 2)
    assert recent.number("a") == 3
    assert recent.number("b") == 2


def test_retired_orders_are_bounded_and_those_in_use_stay() -> None:
    story = Story(retired_count=20)
    story.open(lots=10, slot_id=2, trade_id="held")
    for n in range(100):
        story.open(lots=10, trade_id=f"t{n}")
        story.close()
    orders = story.engine.state.orders
    assert len(orders) <= 24
    assert story.slot(2).entry_order in orders


def test_kernels_share_nothing() -> None:
    """E6: a hundred of them, interleaved, made and closed."""
    engines = [Engine(MemoryJournal(config(lease=f"k{n}"))) for n in range(100)]
    stories = []
    for engine in engines:
        story = Story()
        story.engine = engine
        stories.append(story)
    for n, story in enumerate(stories):
        story.open(lots=10 + n)
        engines[n - 1].close()
    assert [story.slot().size for story in stories] == [10 + n for n in range(100)]
