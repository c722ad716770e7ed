"""Is everything as it must be to trade there? Asked without placing an order."""

from __future__ import annotations

from queuefront.core import format_duration
from queuefront.venues.binance.client import BinanceClient
from queuefront.venues.checkup import Checkup, note_clock, noted
from queuefront.venues.errors import VenueError
from queuefront.venues.outcome import Done, value_of

__all__ = ["check_up"]


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
    note_clock(found, client.server_clock)
    await _instruments(client, found)
    if client.credentials is None:
        found.pairs.append(("account", "not asked: no keys"))
    else:
        await _account(client, found)
    for limit, used in client.limiter.used(client.clock()):
        window = format_duration(limit.length_ns)
        found.pairs.append((f"limit: {limit.counted} in {window}", f"{used:,} of {limit.limit:,} used"))
    return found


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
    if noted(found, "account", account) and isinstance(account, Done):
        found.pairs.append(("may trade", "yes" if account.value.can_trade else "no"))
    if not client.market.is_spot:
        mode = await client.is_hedge_mode()
        if noted(found, "position mode", mode) and isinstance(mode, Done):
            found.pairs.append(("position mode", "hedge" if mode.value else "one-way"))
    balances = await client.balances()
    if noted(found, "balances", balances) and isinstance(balances, Done):
        held = sum(bool(asset.total) for asset in balances.value)
        found.pairs.append(("balances", f"{held:,} assets"))
    for symbol in client.config.symbols:
        rates = await client.commission(symbol)
        if noted(found, f"fees of {symbol}", rates) and isinstance(rates, Done):
            told = rates.value.rates
            found.pairs.append((f"fees of {symbol}", f"maker {told.maker}, taker {told.taker}"))
