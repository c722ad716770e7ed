from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from queuefront.core import ConfigError
from queuefront.kernel import Diagnostic, Exit, Mark, ThreadedKernel, audit
from queuefront.venues import MockExchange, MockVenue, Side
from tests.kernel_story import SECOND, UNIT, config


def enter(n: int, slot: int) -> object:
    from queuefront.kernel import Enter

    return Enter(
        ts=0, intent_id=f"i{n}.{slot}", trade_id=f"t{n}.{slot}", slot_id=slot, instrument="TRX", side=Side.LONG, lots=10,
        reference_tick=8_340,
    )  # fmt: skip


def test_eight_threads_on_one_kernel_leave_a_consistent_ledger() -> None:
    """T1, and S8"""
    exchange = MockExchange(unit=UNIT, fee_ppm=400)
    exchange.prices["TRX"] = 8_340
    with ThreadedKernel(MockVenue(exchange), journal=":memory:", config=config(slot_count=8)) as kernel:

        def trade(slot: int) -> int:
            accepted = 0
            for n in range(40):
                accepted += kernel.submit(enter(n, slot)).accepted  # type: ignore[arg-type]
                accepted += kernel.submit(Exit(ts=0, intent_id=f"x{n}.{slot}", slot_id=slot, reference_tick=8_340)).accepted
            return accepted

        with ThreadPoolExecutor(8) as pool:
            accepted = sum(pool.map(trade, range(8)))
        assert accepted == 8 * 40 * 2
        assert audit(kernel.state) == []
        assert kernel.state.book.cash == kernel.state.config.start_capital + exchange.cash - exchange.fees_paid
        assert kernel.pump() == 0


def test_a_closed_kernel_answers_every_thread() -> None:
    """S8 and T7"""
    kernel = ThreadedKernel(MockVenue(MockExchange()), journal=":memory:", config=config())
    kernel.close()
    kernel.close()
    assert kernel.submit(enter(1, 0)).diagnostic is Diagnostic.KERNEL_CLOSED  # type: ignore[arg-type]
    assert kernel.pump() == 0


def test_a_blocking_call_inside_of_a_loop_is_refused() -> None:
    """F24"""

    async def main() -> None:
        ThreadedKernel(MockVenue(MockExchange()), journal=":memory:", config=config())

    with pytest.raises(ConfigError, match="a blocking call inside of a running event loop would stop it; await the Kernel"):
        asyncio.run(main())
    assert Mark(ts=SECOND, instrument="TRX", tick=1).tick == 1


def test_a_kernel_that_cannot_open_leaves_no_thread_behind() -> None:
    """F25"""
    import threading

    before = threading.active_count()
    exchange = MockExchange()
    exchange.lease("other")
    with pytest.raises(ConfigError, match="another lease"):
        ThreadedKernel(MockVenue(exchange), journal=":memory:", config=config())
    assert threading.active_count() == before
