"""The kernel in a replayed market: `sim` decides what fills, Binance's protocol carries it, and the ledger is exact."""

from __future__ import annotations

from queuefront.kernel import Stage, VenueOutcome, audit_chain
from tests.kernel_paper_desk import PaperDesk
from tests.kernel_story import CAPITAL, UNIT
from tests.paper_market import ASK, BID, SOLD

#: Ten lots before ours at 0.0834; thirteen are sold there, four more later, and the bids behind are thin.
MARKET = (
    (BID, 0, 0.0834, 1_000), (BID, 0, 0.0833, 500), (BID, 0, 0.0832, 2_000), (ASK, 0, 0.0836, 10_000),
    (SOLD, 10, 0.0834, 1_300), (BID, 10, 0.0834, 0),
    (SOLD, 15, 0.0834, 400),
    (BID, 3_600, 0.0832, 2_100),
)  # fmt: skip


def test_an_order_waits_in_the_queue_fills_twice_and_is_closed_through_two_levels_of_the_book() -> None:
    """S1 and an exit, without a script. E10a, E24a, E25."""

    async def story(desk: PaperDesk) -> None:
        await desk.start()
        await desk.enter(limit_tick=8_340)
        await desk.wait(4)
        assert desk.kernel.slots[0].size == 0
        await desk.wait(7)
        assert desk.kernel.slots[0].size == 3
        await desk.wait(5)
        assert (await desk.cancel()).venue_outcome is VenueOutcome.CANCELLED
        slot = desk.kernel.slots[0]
        assert (slot.stage, slot.size) == (Stage.POSITION_OPEN, 7)
        desk.agrees()
        assert (await desk.exit()).accepted
        await desk.wait(2)
        assert desk.kernel.slots[0].stage is Stage.CLOSED
        bought, sold = 7 * 8_340, 5 * 8_330 + 2 * 8_320
        fees = (bought + sold) * UNIT * 400 // 10**6
        assert desk.kernel.account.capital == CAPITAL + (sold - bought) * UNIT - fees
        assert audit_chain(desk.entries) == ""
        desk.agrees()
        await desk.leave()

    PaperDesk.play(story, rows=MARKET)
