from __future__ import annotations

from tests.paper_market import T0, paper


def test_the_time_that_the_venue_believes_is_off_by_its_clocks_error() -> None:
    context = paper().context
    assert (context.now_ns, context.now_ms) == (T0, T0 // 10**6)
    context.clock_offset_ns = -3_000_000
    assert context.now_ms == T0 // 10**6 - 3
