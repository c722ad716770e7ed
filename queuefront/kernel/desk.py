"""Decimals at the edge: instruments into the kernel's integers, and orders in prices and quantities into commands.

A number that does not fit (NaN, a price between two ticks, a leverage of 2.5) is answered with INVALID_INTENT and the name
of its field; nothing is journaled and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from queuefront.core import ConfigError, ContractKind, DataError, Instrument, Number, exact
from queuefront.kernel.driver import Kernel
from queuefront.kernel.enums import Diagnostic, SettleAction
from queuefront.kernel.outcome import KernelOutcome, closed_outcome
from queuefront.kernel.records import Cancel, Config, Enter, Exit, Limits, Modify, Reconcile, Settle, Spec
from queuefront.venues import OrderType, Role, Side, TimeInForce

__all__ = ["Desk", "cash_decimal", "cash_units", "config_of", "spec_of"]


def cash_units(amount: Number, scale: int) -> int:
    """Return an amount of money in units of 10^-scale; raises ConfigError if it is not a whole number of them."""
    units = Fraction(exact(amount, "amount")) * 10**scale
    if units.denominator != 1:
        raise ConfigError(f"{amount} is not a whole number of 10^-{scale}; choose a larger cash_scale")
    return int(units)


def cash_decimal(units: int, scale: int) -> Decimal:
    """Return units of 10^-scale as money, exactly, however many digits that takes."""
    digits = tuple(int(digit) for digit in str(abs(units)))
    return Decimal((int(units < 0), digits, -scale))


def spec_of(
    instrument: Instrument,
    scale: int,
    *,
    maker_rate: Number = 0,
    taker_rate: Number = 0,
    min_lots: int = 1,
    max_leverage: int = 125,
) -> Spec:
    """Return an instrument as the kernel counts it. It settles in `quote`, an inverse one in `base`.

    Raises
    ------
    ConfigError
        For a scale too coarse for tick × lot, or an inverse contract whose base currency is not named.
    """
    is_inverse = instrument.contract is ContractKind.INVERSE
    if is_inverse and not instrument.base:
        raise ConfigError(f"{instrument.symbol} is inverse and settles in its base currency; give base=, for example 'BTC'")
    lot = Fraction(instrument.lot_size * instrument.multiplier)
    tick = Fraction(instrument.tick_size)
    unit = (lot / tick if is_inverse else lot * tick) * 10**scale
    if unit.denominator != 1:
        raise ConfigError(
            f"{instrument.symbol}: one lot at one tick is not a whole number of 10^-{scale}; choose a larger cash_scale"
        )
    rates = [int(Fraction(exact(rate, "fee rate")) * 1_000_000) for rate in (maker_rate, taker_rate)]
    return Spec(
        name=instrument.symbol,
        currency=instrument.base if is_inverse else instrument.quote or "USDT",
        unit=int(unit),
        min_lots=min_lots,
        min_notional=cash_units(instrument.min_notional or 0, scale),
        max_leverage=max_leverage,
        maker_rate_ppm=rates[0],
        taker_rate_ppm=rates[1],
        is_inverse=is_inverse,
    )


def config_of(
    specs: Sequence[Spec],
    *,
    lease: str,
    capital: Number,
    currency: str = "USDT",
    cash_scale: int = 12,
    slot_count: int = 10,
    limits: Limits | None = None,
) -> Config:
    """Return a kernel's configuration.

    Raises
    ------
    ConfigError
        If the lease could not be the head of a client order id, or an instrument settles in another currency.
    """
    if not (lease.isascii() and lease.isalnum() and lease == lease.lower() and len(lease) <= 20):
        raise ConfigError(f"lease {lease!r}; use up to 20 lower-case letters and digits, another for each journal")
    for spec in specs:
        if spec.currency != currency:
            raise ConfigError(
                f"{spec.name} settles in {spec.currency}, this kernel in {currency}; give it a kernel of its own"
            )
    return Config(
        lease=lease,
        currency=currency,
        cash_scale=cash_scale,
        start_capital=cash_units(capital, cash_scale),
        specs=tuple(specs),
        slot_count=slot_count,
        limits=limits or Limits(),
    )


class _Refused(Exception):  # noqa: N818 never leaves this module
    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}")


class Desk:
    """A kernel spoken to in prices and quantities.

    Parameters
    ----------
    kernel : opened.
    instruments : those of its configuration; `symbol` is the name.
    """

    def __init__(self, kernel: Kernel, instruments: Sequence[Instrument]) -> None:
        self.kernel = kernel
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._intents = 0

    def _intent_id(self, given: str) -> str:
        if given:
            return given
        self._intents += 1
        return f"desk-{self.kernel.state.seq}-{self._intents}"

    def _find(self, name: str) -> Instrument:
        if name not in self._instruments:
            raise _Refused("instrument", f"{name!r} is not known; choose one of {', '.join(sorted(self._instruments))}")
        return self._instruments[name]

    async def enter(
        self,
        *,
        slot: int,
        trade_id: str,
        instrument: str,
        side: Side | str,
        qty: Number,
        reference_price: Number,
        limit_price: Number | None = None,
        leverage: Number = 1,
        exit_legs: Sequence[Number | Fraction] = (1,),
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        intent_id: str = "",
        decision_id: str = "",
        reason: str = "",
        account_version: int | None = None,
    ) -> KernelOutcome:
        """Open a trade; without limit price it is a market order."""
        if not self.kernel.is_open:
            return closed_outcome(slot)
        try:
            found = self._find(instrument)
            command = Enter(
                ts=self.kernel.now(),
                intent_id=self._intent_id(intent_id),
                trade_id=trade_id,
                slot_id=slot,
                instrument=instrument,
                side=_side(side),
                lots=_lots(found, qty, "target_size"),
                reference_tick=_tick(found, reference_price, "reference_price"),
                leverage=_whole(leverage, "leverage"),
                order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
                limit_tick=0 if limit_price is None else _tick(found, limit_price, "limit_price"),
                time_in_force=time_in_force,
                post_only=post_only,
                exit_legs=tuple(_leg(leg) for leg in exit_legs),
                decision_id=decision_id,
                reason=reason,
                account_version=account_version,
            )
        except _Refused as e:
            return _invalid(slot, e)
        return await self.kernel.submit(command)

    async def exit(
        self,
        *,
        slot: int,
        reference_price: Number,
        qty: Number | None = None,
        limit_price: Number | None = None,
        intent_id: str = "",
        reason: str = "",
    ) -> KernelOutcome:
        """Close the next leg of a slot's trade."""
        if not self.kernel.is_open:
            return closed_outcome(slot)
        try:
            found = self._instruments.get(self._name(slot))
            if found is None:
                lots, reference, limit = None, 1, 0
            else:
                lots = None if qty is None else _lots(found, qty, "target_size")
                reference = _tick(found, reference_price, "reference_price")
                limit = 0 if limit_price is None else _tick(found, limit_price, "limit_price")
        except _Refused as e:
            return _invalid(slot, e)
        command = Exit(
            ts=self.kernel.now(),
            intent_id=self._intent_id(intent_id),
            slot_id=slot,
            reference_tick=reference,
            lots=lots,
            order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
            limit_tick=limit,
            reason=reason,
        )
        return await self.kernel.submit(command)

    async def cancel(self, *, slot: int, role: Role | None = None, intent_id: str = "") -> KernelOutcome:
        """Cancel a slot's order."""
        if not self.kernel.is_open:
            return closed_outcome(slot)
        return await self.kernel.submit(
            Cancel(ts=self.kernel.now(), intent_id=self._intent_id(intent_id), slot_id=slot, role=role)
        )

    async def modify(
        self, *, slot: int, reference_price: Number, qty: Number | None = None, limit_price: Number | None = None
    ) -> KernelOutcome:
        """Change the whole quantity or the limit of a slot's resting order."""
        if not self.kernel.is_open:
            return closed_outcome(slot)
        try:
            found = self._find(self._name(slot))
            command = Modify(
                ts=self.kernel.now(),
                intent_id=self._intent_id(""),
                slot_id=slot,
                reference_tick=_tick(found, reference_price, "reference_price"),
                lots=None if qty is None else _lots(found, qty, "target_size"),
                limit_tick=None if limit_price is None else _tick(found, limit_price, "limit_price"),
            )
        except _Refused as e:
            return _invalid(slot, e)
        return await self.kernel.submit(command)

    async def reconcile(self, *slots: int, reason: str = "") -> KernelOutcome:
        """Compare slots with the venue; none means all."""
        if not self.kernel.is_open:
            return closed_outcome()
        return await self.kernel.submit(
            Reconcile(ts=self.kernel.now(), intent_id=self._intent_id(""), slot_ids=slots, reason=reason)
        )

    async def settle(
        self,
        *,
        action: SettleAction | str,
        instrument: str,
        side: Side | str,
        qty: Number,
        author: str,
        reason: str,
        price: Number | None = None,
        slot: int = -1,
        trade_id: str = "",
        leverage: Number = 1,
        exit_legs: Sequence[Number | Fraction] = (1,),
        reference_price: Number | None = None,
        limit_price: Number | None = None,
        intent_id: str = "",
    ) -> KernelOutcome:
        """Settle a position at the venue that no slot owns: ADOPT it into a slot, CLOSE it, or BOOK that it is gone.

        Without `price` it is of the kernel's orphans, whose cost is known; with it, of what the kernel never heard of
        (ADOPT, CLOSE), or the price at which orphans were closed elsewhere (BOOK). `reference_price` and `limit_price`
        are for the exit order of CLOSE.
        """
        if not self.kernel.is_open:
            return closed_outcome(slot)
        try:
            found = self._find(instrument)
            command = Settle(
                ts=self.kernel.now(),
                intent_id=self._intent_id(intent_id),
                author=author,
                reason=reason,
                action=_action(action),
                instrument=instrument,
                side=_side(side),
                lots=_lots(found, qty, "target_size"),
                tick=0 if price is None else _tick(found, price, "price"),
                slot_id=slot,
                trade_id=trade_id,
                leverage=_whole(leverage, "leverage"),
                exit_legs=tuple(_leg(leg) for leg in exit_legs),
                reference_tick=0 if reference_price is None else _tick(found, reference_price, "reference_price"),
                order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
                limit_tick=0 if limit_price is None else _tick(found, limit_price, "limit_price"),
            )
        except _Refused as e:
            return _invalid(slot, e)
        return await self.kernel.submit(command)

    def _name(self, slot: int) -> str:
        found = self.kernel.state.slots.get(slot)
        return found.instrument if found else ""

    def money(self, units: int) -> Decimal:
        """Return cash units as money."""
        return cash_decimal(units, self.kernel.state.config.cash_scale)


def _side(side: Side | str) -> Side:
    if isinstance(side, Side):
        return side
    if side not in Side.__members__:
        raise _Refused("side", f"{side!r}; choose LONG or SHORT")
    return Side[side]


def _action(action: SettleAction | str) -> SettleAction:
    if isinstance(action, SettleAction):
        return action
    if action not in SettleAction.__members__:
        raise _Refused("action", f"{action!r}; choose ADOPT, CLOSE or BOOK")
    return SettleAction[action]


def _lots(instrument: Instrument, qty: Number, field: str) -> int:
    """Round down to a lot: what is asked for is an upper bound (spec 11.4)."""
    try:
        return int(Fraction(exact(qty, field)) // Fraction(instrument.lot_size))
    except ConfigError as e:
        raise _Refused(field, str(e)) from e


def _tick(instrument: Instrument, price: Number, field: str) -> int:
    try:
        return instrument.price_to_tick(price)
    except (ConfigError, DataError) as e:
        raise _Refused(field, str(e)) from e


def _whole(value: Number, field: str) -> int:
    try:
        number = exact(value, field)
    except ConfigError as e:
        raise _Refused(field, str(e)) from e
    if number != int(number):
        raise _Refused(field, f"{value}; use a whole number")
    return int(number)


def _leg(ratio: Number | Fraction) -> tuple[int, int]:
    try:
        return (ratio if isinstance(ratio, Fraction) else Fraction(exact(ratio, "exit_leg_ratios"))).as_integer_ratio()
    except ConfigError as e:
        raise _Refused("exit_leg_ratios", str(e)) from e


def _invalid(slot: int, error: _Refused) -> KernelOutcome:
    return KernelOutcome(
        accepted=False,
        diagnostic=Diagnostic.INVALID_INTENT,
        detail=str(error),
        kernel_phase=Diagnostic.INVALID_INTENT,
        slot_id=slot,
    )
