"""The venue's clock: half of a round trip, the shortest of the last ones, and distrust after a refusal."""

from __future__ import annotations

from queuefront.venues.server_clock import ServerClock

MS = 1_000_000


def test_the_offset_is_the_time_told_minus_the_middle_of_the_round_trip() -> None:
    clock = ServerClock()
    clock.observe(1_000 * MS, 1_040 * MS, 1_520 * MS)
    assert clock.offset_ns == 500 * MS
    assert clock.uncertainty_ns == 20 * MS
    assert clock.server_ms(2_000 * MS) == 2_500


def test_the_shortest_round_trip_is_believed() -> None:
    clock = ServerClock()
    clock.observe(0, 200 * MS, 100 * MS)
    clock.observe(1_000 * MS, 1_010 * MS, 1_012 * MS)
    clock.observe(2_000 * MS, 2_300 * MS, 2_000 * MS)
    assert clock.offset_ns == 7 * MS


def test_old_samples_leave() -> None:
    clock = ServerClock()
    clock.observe(0, 0, 900 * MS)
    for i in range(8):
        clock.observe(i * 10 * MS, i * 10 * MS + 2 * MS, i * 10 * MS + MS)
    assert clock.offset_ns == 0


def test_it_wants_to_be_asked_at_first_after_a_while_and_after_a_refusal() -> None:
    clock = ServerClock(valid_ns=100)
    assert clock.needs_observation(0)
    clock.observe(0, 10, 5)
    assert not clock.needs_observation(109)
    assert clock.needs_observation(110)
    assert clock.needs_observation(5)  # our own clock went back
    clock.observe(110, 120, 115)
    clock.distrust()
    assert clock.needs_observation(121)
    assert clock.offset_ns == 0
    assert clock.uncertainty_ns is None


def test_a_clock_that_went_back_between_asking_and_answer_gives_no_negative_trip() -> None:
    clock = ServerClock()
    clock.observe(100, 90, 150)
    assert clock.uncertainty_ns == 0
