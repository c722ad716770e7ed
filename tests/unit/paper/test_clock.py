from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest

from queuefront.core import now_ns
from queuefront.core.errors import ConfigError
from queuefront.paper import LoopClock, StepClock, WallClock
from queuefront.paper.clock import TapeTime
from tests.virtual_time import VirtualLoop, run


def test_a_step_clock_moves_when_it_is_told_to_and_wakes_who_waits() -> None:
    async def story() -> list[str]:
        clock, woken = StepClock(100), []

        async def sleeper(name: str, ts: int) -> None:
            await clock.sleep_until(ts)
            woken.append(name)

        tasks = [asyncio.create_task(sleeper(name, ts)) for name, ts in (("late", 300), ("soon", 150), ("past", 50))]
        await asyncio.sleep(0)
        cancelled = asyncio.create_task(sleeper("never", 140))
        await asyncio.sleep(0)
        cancelled.cancel()
        for ts in (149, 200, 300):
            clock.set_ns(ts)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            woken.append(str(clock.now_ns()))
        await asyncio.gather(*tasks)
        return woken

    assert asyncio.run(story()) == ["past", "149", "soon", "200", "late", "300"]


def test_a_step_clock_does_not_go_back() -> None:
    clock = StepClock(1_000)
    with pytest.raises(ConfigError) as caught:
        clock.set_ns(1)
    assert str(caught.value) == "the clock stands 999 ns after 1; time cannot go back"


def test_a_wall_clock_is_the_machines() -> None:
    clock = WallClock()
    before = now_ns()
    asyncio.run(clock.sleep_until(before - 1))
    assert before <= clock.now_ns()


def test_a_loop_clock_runs_with_its_loop() -> None:
    async def story(_loop: VirtualLoop) -> list[int]:
        clock = LoopClock(1_000)
        times = [clock.now_ns()]
        await clock.sleep_until(5_000_001_000)
        times.append(clock.now_ns())
        return times

    assert run(story) == [1_000, 5_000_001_000]


def test_the_tape_is_laid_onto_the_venues_time() -> None:
    time = TapeTime(1_000, 50, Fraction(3))
    assert [time.tape_ts(ns) for ns in (1_000, 1_001, 1_010)] == [50, 53, 80]
    assert [time.venue_ns(ts) for ts in (50, 51, 53, 54)] == [1_000, 1_001, 1_001, 1_002]
    assert all(time.tape_ts(time.venue_ns(ts)) >= ts for ts in range(50, 90))


@pytest.mark.parametrize("speed", [Fraction(0), Fraction(-1), Fraction(10_001)])
def test_a_speed_out_of_range_is_refused(speed: Fraction) -> None:
    with pytest.raises(ConfigError) as caught:
        TapeTime(0, 0, speed)
    assert str(caught.value) == f"the speed is {float(speed):g}; give a number above 0 and at most 10,000"
