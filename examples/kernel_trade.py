"""A trade through the execution kernel, on the mock venue: a limit order in partial fills, a lost answer, two exit legs.

Run it: python examples/kernel_trade.py
"""

import asyncio
import tempfile
from pathlib import Path

from queuefront.core import Instrument
from queuefront.kernel import Desk, Limits, cash_units, config_of, open_kernel, spec_of
from queuefront.venues import MockExchange, MockFault, MockFill, MockVenue, PlaceOrder

TRX = Instrument(venue="mock", symbol="TRXUSDT", tick_size="0.00001", lot_size="0.1", quote="USDT")
SCALE = 12
SECOND = 10**9


async def trade(journal: Path) -> None:
    """Enter, lose an answer, find out, and leave in two legs."""
    spec = spec_of(TRX, SCALE, maker_rate="0.0002", taker_rate="0.0005")
    limits = Limits(max_notional=cash_units(1_000, SCALE), max_orders=10, max_daily_loss=cash_units(50, SCALE))
    config = config_of([spec], lease="example", capital=25_000, limits=limits)
    exchange = MockExchange(unit=spec.unit, fee_ppm=500)
    async with await open_kernel(MockVenue(exchange), journal=journal, config=config) as kernel:
        desk = Desk(kernel, [TRX])

        exchange.script(entry=[MockFill(300, 8_340), MockFill(700, 8_341)])
        exchange.fail(PlaceOrder, MockFault.TIMEOUT_DONE)  # the order arrives, its answer does not
        outcome = await desk.enter(
            slot=0,
            trade_id="t1",
            instrument="TRXUSDT",
            side="LONG",
            qty=100,
            reference_price="0.0834",
            limit_price="0.0835",
            exit_legs=("0.5", "1"),
        )
        print(outcome.diagnostic.name, "-", outcome.detail)

        while kernel.needs_pump:  # the kernel asks the venue by client order id, by its own timer
            await asyncio.sleep(0.1)
            kernel.pump()
        slot = kernel.slots[0]
        print(slot.stage.name, slot.size, "lots at", slot.entry_notional / slot.initial_lots, "ticks")

        too_much = await desk.enter(
            slot=1, trade_id="t2", instrument="TRXUSDT", side="LONG", qty=100_000, reference_price="0.0834"
        )
        print(too_much.diagnostic.name, "-", too_much.detail)

        exchange.script(exit=[MockFill(1_000, 8_400)])
        for _ in range(2):
            outcome = await desk.exit(slot=0, reference_price="0.0840")
            print("EXIT", outcome.diagnostic.name, "-", outcome.detail)
        print(kernel.slots[0].stage.name, "profit", desk.money(kernel.slots[0].realized), "USDT")
        for entry in kernel.ledger_tail:
            print(f"  {entry.kind.name:5} {desk.money(entry.amount):>20f} -> {desk.money(entry.capital_after)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(trade(Path(folder) / "example.journal"))
