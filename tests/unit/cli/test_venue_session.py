"""Which venue, by which address, with which keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.cli.venue_session import client_for, jitter_from, keys_for, session_for
from queuefront.core import ConfigError
from queuefront.venues.binance import LIVE, TESTNET, Product

KEY, SECRET = "k" * 20, "s" * 20


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in ("BINANCE", "BINANCE_TESTNET"):
        monkeypatch.setenv(f"{prefix}_API_KEY", prefix + KEY)
        monkeypatch.setenv(f"{prefix}_API_SECRET", SECRET)


@pytest.mark.parametrize(
    ("venue", "api"),
    [("binance-spot", "/ws-api/v3"), ("binance-usdm", "/ws-fapi/v1"), ("binance-coinm", "/ws-dapi/v1")],
)
def test_an_address_of_ones_own_stands_for_all_three(venue: str, api: str) -> None:
    config = session_for(venue, ("X",), testnet=False, at="http://127.0.0.1:8080/")
    where = config.where
    assert (where.rest, where.streams, where.websocket_api) == (
        "http://127.0.0.1:8080", "ws://127.0.0.1:8080", f"ws://127.0.0.1:8080{api}",
    )  # fmt: skip
    assert not config.is_live


def test_without_one_it_is_live_or_the_testnet() -> None:
    assert session_for("binance-usdm", (), testnet=False, at=None).where == LIVE[Product.USDM]
    assert session_for("binance-usdm", (), testnet=True, at=None).where == TESTNET[Product.USDM]


def test_a_session_that_looks_may_not_trade() -> None:
    with pytest.raises(ConfigError):
        session_for("binance-usdm", (), testnet=False, at=None).require_trading()


@pytest.mark.usefixtures("_keys")
def test_keys_of_the_environment_go_to_the_place_that_they_are_for() -> None:
    live = keys_for(session_for("binance-usdm", (), testnet=False, at=None), None)
    test = keys_for(session_for("binance-usdm", (), testnet=True, at=None), None)
    assert live is not None
    assert test is not None
    assert (live.api_key, test.api_key) == ("BINANCE" + KEY, "BINANCE_TESTNET" + KEY)
    assert keys_for(session_for("binance-usdm", (), testnet=False, at="https://example.org"), None) is None


def test_without_keys_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BINANCE_API_KEY", raising=False)
    assert keys_for(session_for("binance-usdm", (), testnet=False, at=None), None) is None


def test_keys_of_a_file_go_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'api_key = "{KEY}"\napi_secret = "{SECRET}"\n')
    path.chmod(0o600)
    found = keys_for(session_for("binance-usdm", (), testnet=False, at="http://127.0.0.1:1"), path)
    assert found is not None
    assert found.api_key == KEY


def test_jitter_is_between_zero_and_one_and_repeats_by_its_seed() -> None:
    first, second = jitter_from(7), jitter_from(7)
    numbers = [first() for _ in range(100)]
    assert numbers == [second() for _ in range(100)]
    assert all(0.0 <= number < 1.0 for number in numbers)


def test_a_client_is_of_the_sessions_market() -> None:
    assert client_for(session_for("binance-coinm", (), testnet=True, at=None), None).market.is_inverse
