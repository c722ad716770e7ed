"""What the `qf venue` commands share: which venue, by which address, with which keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from queuefront.core import ConfigError, now_ns

if TYPE_CHECKING:
    from queuefront.venues import Credentials
    from queuefront.venues.binance import BinanceClient, SessionConfig

__all__ = ["client_for", "jitter_from", "keys_for", "session_for"]

_KEY_PREFIXES: Final = {"live": "BINANCE", "testnet": "BINANCE_TESTNET"}
_API_PATHS: Final = {"binance-spot": "/ws-api/v3", "binance-usdm": "/ws-fapi/v1", "binance-coinm": "/ws-dapi/v1"}


def session_for(venue: str, symbols: tuple[str, ...], *, testnet: bool, at: str | None) -> SessionConfig:
    """Return the configuration of a session that only looks.

    Raises
    ------
    ConfigError
        For an unknown venue, or for two places at once.
    """
    from queuefront.venues.binance import Addresses, SessionConfig, market_of

    market = market_of(venue)
    if at is None:
        return SessionConfig(venue, "testnet" if testnet else "live", symbols)
    if testnet:
        raise ConfigError("--testnet and --at name two places; give one of them")
    streams = at.replace("http", "ws", 1).rstrip("/")
    addresses = Addresses(at, streams, streams + _API_PATHS[market.product])
    return SessionConfig(venue, "custom", symbols, addresses)


def keys_for(config: SessionConfig, keys: Path | None) -> Credentials | None:
    """Return the keys of a file, or of the environment's variables of that place, or None.

    An address of one's own gets keys from a file only: those of a live account never go astray by a forgotten variable.
    """
    from queuefront.venues import Credentials

    if keys is not None:
        return Credentials.from_file(keys)
    prefix = _KEY_PREFIXES.get(config.environment)
    if prefix is None or f"{prefix}_API_KEY" not in os.environ:
        return None
    return Credentials.from_environment(prefix)


def jitter_from(seed: int) -> Callable[[], float]:
    """Return numbers in [0, 1)."""
    import numpy as np

    return np.random.default_rng(seed).random


def client_for(config: SessionConfig, credentials: Credentials | None) -> BinanceClient:
    """Return a client over HTTP."""
    from queuefront.venues.binance import BinanceClient
    from queuefront.venues.rest import AiohttpTransport

    # Somebody is watching: two more attempts at a venue that does not answer, and no third after a longer wait.
    return BinanceClient(config, AiohttpTransport(), credentials, jitter=jitter_from(now_ns()), deadline_s=6.0)
