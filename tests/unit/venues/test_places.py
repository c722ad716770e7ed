"""Addresses that keys may be sent to, and the words that let orders leave."""

from __future__ import annotations

import pytest

from queuefront.core import ConfigError
from queuefront.venues.places import HTTP, LIVE_TRADING, WEBSOCKET, checked_address, hosts_of, require_live_trading


def test_an_address_loses_the_slash_at_its_end() -> None:
    assert checked_address("rest", "https://api.example.org/", HTTP) == "https://api.example.org"
    assert checked_address("streams", "ws://127.0.0.1:9", WEBSOCKET) == "ws://127.0.0.1:9"


@pytest.mark.parametrize("value", ["api.example.org", "wss://x", "https://", "https://x:0", "https://a@x", "https://x?a=1"])
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"rest is '.*'; give an address that begins with https://"):
        checked_address("rest", value, HTTP)


def test_nothing_goes_unencrypted_to_another_machine() -> None:
    with pytest.raises(ConfigError, match="keys would go unencrypted; use wss://"):
        checked_address("streams", "ws://example.org", WEBSOCKET)


def test_hosts_are_machines() -> None:
    assert hosts_of("https://a.example.org:1", "wss://b.example.org/v5") == {"a.example.org", "b.example.org"}


def test_only_the_exact_words_let_orders_leave() -> None:
    require_live_trading("v", "https://x", LIVE_TRADING)
    for words in ("", "yes", LIVE_TRADING + " "):
        with pytest.raises(ConfigError, match="https://x is live; to trade there set live_trading"):
            require_live_trading("v", "https://x", words)
