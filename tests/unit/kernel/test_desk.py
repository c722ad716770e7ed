from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from fractions import Fraction

import pytest

from queuefront.core import ConfigError, ContractKind, Instrument
from queuefront.kernel import Desk, Diagnostic, Stage, cash_decimal, cash_units, config_of, open_kernel, spec_of
from queuefront.venues import EventKind, MockExchange, MockVenue, Role, Side, VenueEvent

TRX = Instrument(venue="mock", symbol="TRX", tick_size="0.00001", lot_size="0.1", quote="USDT")  # type: ignore[arg-type]


def desk(story: Callable[[Desk, MockExchange], Awaitable[None]]) -> None:
    async def main() -> None:
        spec = spec_of(TRX, 12, taker_rate="0.0005", maker_rate="0.0002")
        exchange = MockExchange(unit=spec.unit)
        made = config_of([spec], lease="d1", capital=25_000)
        async with await open_kernel(MockVenue(exchange), journal=":memory:", config=made, clock=lambda: 10**18) as kernel:
            await kernel.settle()
            await story(Desk(kernel, [TRX]), exchange)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("leverage", {"leverage": "nan"}),  # F3
        ("leverage", {"leverage": float("inf")}),
        ("leverage", {"leverage": 2.5}),
        ("leverage", {"leverage": 0}),
        ("reference_price", {"reference_price": float("nan")}),  # F3b
        ("limit_price", {"limit_price": "0.083405"}),  # F3c: off its tick
        ("limit_price", {"limit_price": 0}),
        ("target_size", {"qty": "x"}),
        ("target_size", {"qty": "0.05"}),  # F3a: below half a lot
        ("side", {"side": "UP"}),
        ("exit_leg_ratios", {"exit_legs": ("nan",)}),
        ("instrument", {"instrument": "XXX"}),
    ],
)
def test_a_number_that_does_not_fit_names_its_field_and_sends_nothing(field: str, changes: dict[str, object]) -> None:
    async def story(desk: Desk, exchange: MockExchange) -> None:
        before = len(exchange.requests)
        values = {"slot": 0, "trade_id": "t", "instrument": "TRX", "side": "LONG", "qty": 100, "reference_price": "0.0834"}
        outcome = await desk.enter(**{**values, **changes})  # type: ignore[arg-type]
        assert (outcome.accepted, outcome.diagnostic) == (False, Diagnostic.INVALID_INTENT)
        assert outcome.detail.startswith(f"{field}: ")
        assert len(exchange.requests) == before

    desk(story)


def test_a_trade_in_decimals_from_entry_to_exit() -> None:
    async def story(desk: Desk, exchange: MockExchange) -> None:
        outcome = await desk.enter(
            slot=0, trade_id="t", instrument="TRX", side=Side.SHORT, qty=100, reference_price="0.0834",
            limit_price="0.0840", leverage=9, exit_legs=(Fraction(1, 3), "1"),
        )  # fmt: skip
        assert outcome.state is Stage.ENTRY_WORKING
        assert (await desk.modify(slot=0, reference_price="0.0834", limit_price="0.0839", qty=90)).accepted
        assert (await desk.cancel(slot=0, role=Role.EXIT)).diagnostic is Diagnostic.NO_ACTIVE_EXIT_ORDER
        exchange.set_price("TRX", 8_390)
        desk.kernel.pump()
        assert desk.kernel.slots[0].size == 900
        assert (await desk.exit(slot=0, reference_price="0.083405")).detail.startswith("reference_price: ")
        assert (await desk.exit(slot=0, reference_price="0.0830", qty="10")).detail == "leg 1: 100 lots of 100 requested"
        assert (await desk.reconcile()).accepted
        assert (await desk.exit(slot=2, reference_price="0.0830")).diagnostic is Diagnostic.NO_OPEN_POSITION
        assert (await desk.modify(slot=2, reference_price="0.0830")).diagnostic is Diagnostic.INVALID_INTENT
        assert str(desk.money(25 * 10**11)) == "2.500000000000"
        await desk.kernel.close()
        for again in (desk.cancel(slot=0), desk.reconcile(), desk.exit(slot=0, reference_price=1)):
            assert (await again).diagnostic is Diagnostic.KERNEL_CLOSED

    desk(story)


def test_a_position_made_by_hand_is_found_adopted_and_another_closed_out() -> None:
    now = [10**18]

    async def main() -> None:
        exchange = MockExchange(unit=spec_of(TRX, 12).unit)
        exchange.prices["TRX"] = 8_340
        made = config_of([spec_of(TRX, 12)], lease="d1", capital=25_000)
        async with await open_kernel(MockVenue(exchange), journal=":memory:", config=made, clock=lambda: now[0]) as kernel:
            desk = Desk(kernel, [TRX])
            exchange.drift("TRX", Side.LONG, 300)
            for _ in range(8):
                now[0] += 60 * 10**9
                kernel.tick()
                await kernel.settle()
            assert kernel.state.holdings["TRX"].drift_lots == 300
            words = {"instrument": "TRX", "side": "LONG", "author": "ann", "reason": "bought by hand"}
            refused = await desk.settle(action="KEEP", qty=10, **words)
            assert refused.detail == "action: 'KEEP'; choose ADOPT, CLOSE or BOOK"
            assert not (await desk.settle(action="ADOPT", qty=10, slot=0, trade_id="a", **words)).accepted
            adopted = await desk.settle(action="ADOPT", qty=10, price="0.0830", slot=0, trade_id="a", **words)
            assert (adopted.accepted, adopted.state, adopted.venue_outcome.name) == (True, Stage.POSITION_OPEN, "NONE")
            closed = await desk.settle(
                action="CLOSE", qty=20, price="0.0830", reference_price="0.0834", slot=1, trade_id="b", **words
            )
            assert (closed.accepted, closed.state, closed.venue_outcome.name) == (True, Stage.CLOSED, "PLACED")
            assert exchange.positions["TRX", Side.LONG] == kernel.slots[0].size == 100
            assert kernel.state.holdings["TRX"].blocked == ""
            assert desk.money(kernel.account.capital) == 25_000 + Decimal("0.0004") * 20
            await kernel.close()
            again = await desk.settle(action="ADOPT", qty=10, slot=0, trade_id="a", **words)
            assert again.diagnostic is Diagnostic.KERNEL_CLOSED

    asyncio.run(main())


def test_an_inverse_contract_is_counted_in_its_base_currency_and_traded_to_the_exact_profit() -> None:
    coin = Instrument(
        venue="mock", symbol="BTCUSD_PERP", tick_size="0.1", lot_size=1, contract="inverse", multiplier=100, base="BTC",
        quote="USD",
    )  # type: ignore[arg-type]  # fmt: skip

    async def main() -> None:
        spec = spec_of(coin, 12, taker_rate="0.0005")
        assert (spec.currency, spec.unit, spec.is_inverse) == ("BTC", 1_000 * 10**12, True)
        exchange = MockExchange(unit=spec.unit, inverse=[spec.name])
        made = config_of([spec], lease="d1", capital=2, currency="BTC")
        async with await open_kernel(MockVenue(exchange), journal=":memory:", config=made, clock=lambda: 10**18) as kernel:
            await kernel.settle()
            desk = Desk(kernel, [coin])
            exchange.prices["BTCUSD_PERP"] = 500_000
            await desk.enter(slot=0, trade_id="t", instrument="BTCUSD_PERP", side="LONG", qty=10, reference_price=50_000)
            exchange.prices["BTCUSD_PERP"] = 625_000
            await desk.exit(slot=0, reference_price=62_500)
            # 10 contracts of 100 USD: 1000 × (1/50000 - 1/62500) = 0.004 BTC.
            assert desk.money(kernel.account.capital) == Decimal("2.004")

    asyncio.run(main())


def test_instruments_that_cannot_be_counted_are_refused() -> None:
    inverse = TRX.override(contract=ContractKind.INVERSE)
    with pytest.raises(
        ConfigError, match=r"^TRX is inverse and settles in its base currency; give base=, for example 'BTC'$"
    ):
        spec_of(inverse, 12)
    message = r"^TRX: one lot at one tick is not a whole number of 10\^-2; choose a larger cash_scale$"
    with pytest.raises(ConfigError, match=message):
        spec_of(TRX, 2)
    with pytest.raises(ConfigError, match="settles in USDT, this kernel in EUR"):
        config_of([spec_of(TRX, 12)], lease="a", capital=1, currency="EUR")
    with pytest.raises(ConfigError, match="use up to 20 lower-case letters and digits"):
        config_of([spec_of(TRX, 12)], lease="A-b", capital=1)
    assert cash_units("1.5", 12) == 15 * 10**11
    assert cash_decimal(-15 * 10**11, 12) == Decimal("-1.5")
    assert str(cash_decimal(10**40 + 1, 12)) == "1" + 28 * "0" + ".000000000001"
    assert VenueEvent(ts=1, kind=EventKind.ACK).cum_lots is None
