"""Is everything as it must be to trade there? Asked without placing an order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from queuefront.core import format_duration, to_ns
from queuefront.venues.binance.client import BinanceClient, value_of
from queuefront.venues.errors import VenueError
from queuefront.venues.outcome import Done, Outcome

__all__ = ["Checkup", "check_up"]

T = TypeVar("T")

#: A clock that is further off than this makes the venue refuse requests ahead of its time.
OFFSET_MAX_NS = to_ns(1, "s")


@dataclass(slots=True)
class Checkup:
    """What was found: (what, finding) pairs, and what must be mended."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    instruments: list[tuple[str, str, str, str, str]] = field(default_factory=list)  # symbol, tick, lot, notional, trading


async def check_up(client: BinanceClient, samples: int = 4) -> Checkup:
    """Ask for time, instruments, limits, and with credentials for the account; place nothing.

    Raises
    ------
    VenueError
        If the venue does not answer at all.
    """
    found = Checkup()
    where = client.config.where
    found.pairs += [("REST", where.rest), ("streams", where.streams), ("WebSocket API", where.websocket_api)]
    found.pairs.append(("money", "real" if client.config.is_live else "not real"))
    for _ in range(samples):
        value_of(await client.server_time(), f"{client.config.venue} at {where.rest}")
    _clock(client, found)
    await _instruments(client, found)
    if client.credentials is None:
        found.pairs.append(("account", "not asked: no keys"))
    else:
        await _account(client, found)
    for limit, used in client.limiter.used(client.clock()):
        window = format_duration(limit.length_ns)
        found.pairs.append((f"limit: {limit.counted} in {window}", f"{used:,} of {limit.limit:,} used"))
    return found


def _clock(client: BinanceClient, found: Checkup) -> None:
    offset, uncertainty = client.server_clock.offset_ns, client.server_clock.uncertainty_ns or 0
    found.pairs.append(("clock, venue minus ours", f"{offset / 1e6:+.1f} ms ± {uncertainty / 1e6:.1f} ms"))
    if abs(offset) - uncertainty > OFFSET_MAX_NS:
        found.problems.append(
            f"this machine's clock is {format_duration(abs(offset))} {'behind' if offset > 0 else 'ahead'}; "
            "times of events are compared with it: synchronise it, for example with chrony"
        )


async def _instruments(client: BinanceClient, found: Checkup) -> None:
    listing = await client.listing()
    trading = sum(listed.is_trading for listed in listing.listed.values())
    found.pairs.append(("instruments", f"{len(listing.listed):,} listed, {trading:,} trading"))
    if listing.unreadable:
        name, why = next(iter(sorted(listing.unreadable.items())))
        found.problems.append(f"{len(listing.unreadable):,} instruments cannot be read, first {name}: {why}")
    for symbol in client.config.symbols:
        try:
            listed = listing[symbol]
        except VenueError as e:
            found.problems.append(str(e))
            continue
        fields = listed.instrument.to_dict()
        state = "yes" if listed.is_trading else "no"
        found.instruments.append(
            (symbol, str(fields["tick_size"]), str(fields["lot_size"]), f"{listed.min_notional.normalize():f}", state)
        )


async def _account(client: BinanceClient, found: Checkup) -> None:
    account = await client.account()
    if _noted(found, "account", account) and isinstance(account, Done):
        found.pairs.append(("may trade", "yes" if account.value.can_trade else "no"))
    if not client.market.is_spot:
        mode = await client.is_hedge_mode()
        if _noted(found, "position mode", mode) and isinstance(mode, Done):
            found.pairs.append(("position mode", "hedge" if mode.value else "one-way"))
    balances = await client.balances()
    if _noted(found, "balances", balances) and isinstance(balances, Done):
        held = sum(bool(asset.total) for asset in balances.value)
        found.pairs.append(("balances", f"{held:,} assets"))
    for symbol in client.config.symbols:
        rates = await client.commission(symbol)
        if _noted(found, f"fees of {symbol}", rates) and isinstance(rates, Done):
            told = rates.value.rates
            found.pairs.append((f"fees of {symbol}", f"maker {told.maker}, taker {told.taker}"))


def _noted(found: Checkup, what: str, outcome: Outcome[T]) -> bool:
    """Note what was not answered; return whether it was."""
    try:
        value_of(outcome, what)
    except VenueError as e:
        found.problems.append(str(e))
        return False
    return True
