from __future__ import annotations

from itertools import pairwise

from queuefront.venues import EventKind, QueryOrder, Source
from tests.kernel_story import SECOND, Story

E = EventKind


def test_questions_come_after_1_2_4_8_16_and_then_every_30_seconds() -> None:
    story = Story()
    story.enter()
    story.event(E.SUBMIT_UNKNOWN)
    asked = []
    start = story.now
    for _ in range(140):
        story.tick(1)
        if any(isinstance(request, QueryOrder) for request in story.sent):
            asked.append((story.now - start) // SECOND)
            story.event(E.QUERY_FAILED, source=Source.KERNEL)
    assert [b - a for a, b in pairwise(asked)] == [2, 4, 8, 16, 30, 30, 30]
    assert asked[0] == 1


def test_a_timer_is_set_for_the_next_question() -> None:
    story = Story()
    story.enter()
    story.event(E.SUBMIT_UNKNOWN)
    assert story.engine.state.timer_ns == story.now + SECOND
