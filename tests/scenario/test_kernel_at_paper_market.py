"""The kernel in a replayed market: `sim` decides what fills, Binance's protocol carries it, and the ledger is exact."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from queuefront.kernel import Diagnostic, Stage, VenueOutcome, audit_chain
from queuefront.venues import MockFill, Side
from tests.kernel_paper_desk import PAPER_DESKS, CoinPaperDesk, PaperDesk, SpotPaperDesk
from tests.kernel_story import CAPITAL, SECOND
from tests.paper_market import ASK, BID, SOLD

#: In lots. Ten of them before ours at 0.0834; thirteen are sold there, four more later, and the bids behind are thin.
MARKET = (
    (BID, 0, 0.0834, 10), (BID, 0, 0.0833, 5), (BID, 0, 0.0832, 20), (ASK, 0, 0.0836, 100),
    (SOLD, 10, 0.0834, 13), (BID, 10, 0.0834, 0),
    (SOLD, 15, 0.0834, 4),
    (BID, 3_600, 0.0832, 21),
)  # fmt: skip


def play(at: type[PaperDesk], story: Callable[[PaperDesk], Awaitable[None]], **kwargs: Any) -> None:
    async def main(desk: PaperDesk) -> None:
        await desk.start()
        try:
            await story(desk)
        finally:
            await desk.leave()

    at.play(main, **kwargs)


@pytest.mark.parametrize("at", PAPER_DESKS.values(), ids=PAPER_DESKS)
def test_an_order_waits_in_the_queue_fills_twice_and_is_closed_through_two_levels_of_the_book(at: type[PaperDesk]) -> None:
    """S1 and an exit, without a script. E10a, E24a, E25."""

    async def story(desk: PaperDesk) -> None:
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
        fills = (3, 8_340), (4, 8_340), (-5, 8_330), (-2, 8_320)
        profit = round(-sum(desk.worth(*fill) for fill in fills))
        assert desk.kernel.account.capital == CAPITAL + profit - sum(desk.fee_of(*fill) for fill in fills)
        assert audit_chain(desk.entries) == ""
        desk.agrees()

    play(at, story, rows=MARKET)


@pytest.mark.parametrize("at", [PaperDesk, CoinPaperDesk], ids=["paper", "paper-coinm"])
def test_a_short_position_at_leverage_is_closed_with_its_exact_profit(at: type[PaperDesk]) -> None:
    """S2 sold first, of which spot has no form. E5, E15."""

    async def story(desk: PaperDesk) -> None:
        # The script's entries are buys and its exits are sells, so a short enters by an exit's script.
        desk.script(
            entry=[MockFill(4, 8_310), MockFill(6, 8_330, SECOND)], exit=[MockFill(3, 8_340), MockFill(7, 8_350, SECOND)]
        )
        assert (await desk.enter(side=Side.SHORT, limit_tick=8_340, leverage=5)).accepted
        await desk.wait(2)
        desk.agrees()
        assert desk.exchange.futures.positions[desk.instrument].leverage == 5
        assert (await desk.exit()).accepted
        await desk.wait(2)
        slot = desk.kernel.slots[0]
        assert (slot.stage, slot.size) == (Stage.CLOSED, 0)
        fills = (-3, 8_340), (-7, 8_350), (4, 8_310), (6, 8_330)
        profit = round(-sum(desk.worth(*fill) for fill in fills))
        assert profit > 0
        assert desk.kernel.account.capital == CAPITAL + profit - sum(desk.fee_of(*fill) for fill in fills)
        desk.agrees()

    play(at, story)


@pytest.mark.parametrize(("changes", "word"), [({"side": Side.SHORT}, "short"), ({"leverage": 5}, "leverage 5")])
def test_spot_is_not_asked_for_what_it_has_no_form_of(changes: dict[str, Any], word: str) -> None:
    """The order is refused before it is sent, and the slot is free again. E15, F18."""

    async def story(desk: PaperDesk) -> None:
        outcome = await desk.enter(**changes)
        assert (outcome.accepted, outcome.venue_outcome) == (False, VenueOutcome.REJECTED)
        assert word in outcome.detail
        assert (desk.placed, desk.kernel.slots[0].is_free) == ([], True)

    play(SpotPaperDesk, story)


def test_spot_without_coin_for_the_fee_refuses_to_sell_all_that_was_bought_and_the_kernel_tells() -> None:
    """The fee left less than ten lots: the exit is refused, nine lots go, the rest is a drift that is told. E13, F19."""

    class BareDesk(SpotPaperDesk):
        coins = Decimal(0)

    async def story(desk: PaperDesk) -> None:
        desk.trade_at(8_340)
        assert (await desk.enter()).accepted
        await desk.wait(1)
        assert (desk.kernel.slots[0].size, desk.held_lots) == (10, 9)
        refused = await desk.exit()
        assert refused.diagnostic is Diagnostic.EXIT_REJECTED
        assert refused.detail.startswith("INSUFFICIENT_FUNDS")
        assert (await desk.exit(lots=9)).accepted
        await desk.wait(1)
        assert (desk.kernel.slots[0].size, desk.held_lots) == (1, 0)
        await desk.wait(90)
        assert [alarm.diagnostic for alarm in desk.kernel.alarms] == [Diagnostic.DRIFT]
        assert desk.kernel.state.book.cash == CAPITAL + desk.truth[0]

    play(BareDesk, story)
