"""A connection lives while anything comes, is asked when nothing does, and is handed over before it is too old."""

from __future__ import annotations

import pytest

from queuefront.core import ConfigError
from queuefront.venues.liveness import Act, Liveness, StreamRules

S = 10**9
RULES = StreamRules(ping_after_ns=20 * S, pong_within_ns=10 * S)


def life(jitter: float = 0.0, rules: StreamRules = RULES) -> Liveness:
    return Liveness(rules, 0, lambda: jitter)


@pytest.mark.parametrize("stream", ["spot market", "futures market", "spot user", "futures user"])
def test_data_without_pings_for_ten_minutes_keep_the_connection(stream: str) -> None:
    """H8.23, H8.24: any frame counts."""
    liveness = life()
    for second in range(1, 601):
        liveness.saw(second * S)
        assert liveness.act(second * S + 1) is Act.NOTHING, stream


def test_a_silent_stream_with_pongs_stays() -> None:
    """H8.25, H8.26: a quiet user stream is asked, and answers."""
    liveness = life()
    asked = 0
    for second in range(1, 3601):
        act = liveness.act(second * S)
        assert act in (Act.NOTHING, Act.PING)
        if act is Act.PING:
            asked += 1
            liveness.saw(second * S + S // 2)
    assert asked == 171


def test_silence_after_a_question_is_death() -> None:
    liveness = life()
    assert liveness.next_ns() == 20 * S
    assert liveness.act(20 * S - 1) is Act.NOTHING
    assert liveness.act(20 * S) is Act.PING
    assert liveness.act(25 * S) is Act.NOTHING
    assert liveness.next_ns() == 30 * S
    assert liveness.act(30 * S) is Act.DEAD


def test_after_this_process_slept_the_other_side_is_asked_first() -> None:
    liveness = life()
    assert liveness.act(3600 * S) is Act.PING
    assert liveness.act(3605 * S) is Act.NOTHING
    liveness.saw(3606 * S)
    assert liveness.act(3610 * S) is Act.NOTHING


@pytest.mark.parametrize(("jitter", "hours"), [(0.0, 23.0), (1.0, 23.5)])
def test_it_is_handed_over_before_the_age_limit(jitter: float, hours: float) -> None:
    liveness = life(jitter)
    due = int(hours * 3600) * S
    liveness.saw(due - 1)
    assert liveness.act(due - 1) is Act.NOTHING
    assert liveness.next_ns() == due
    assert liveness.act(due) is Act.HAND_OVER
    assert liveness.act(due + S) is Act.NOTHING
    liveness.saw(due + 59 * S)
    assert liveness.act(due + 60 * S) is Act.HAND_OVER  # it failed: again


def test_a_hand_over_at_the_age_limit_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        StreamRules(hand_over_ns=24 * 3600 * S)
    assert str(caught.value) == "a connection must be handed over before its age limit; lower hand_over_ns"


def test_a_venue_that_wants_pings_gets_them_whatever_else_comes() -> None:
    liveness = life(rules=StreamRules(ping_after_ns=20 * S, pong_within_ns=10 * S, ping_every_ns=20 * S))
    pings = []
    for second in range(1, 101):
        liveness.saw(second * S)
        if liveness.act(second * S) is Act.PING:
            pings.append(second)
    assert pings == [20, 40, 60, 80, 100]
    assert liveness.next_ns() == 120 * S
    # Silence is asked about, and judged, as ever.
    assert liveness.act(120 * S) is Act.PING
    assert liveness.act(129 * S) is Act.NOTHING
    assert liveness.act(130 * S) is Act.DEAD
