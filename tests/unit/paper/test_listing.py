from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from queuefront.core.errors import ConfigError
from queuefront.paper import Listing
from queuefront.paper.listing import list_market
from queuefront.paper.rules import rules_of
from tests.paper_market import COINM, SPOT, USDM, story


def test_a_tape_is_listed_by_the_names_of_its_instrument(tmp_path: Path) -> None:
    story(USDM).save(tmp_path / "market.tape")
    market, tape = list_market(Listing(tmp_path / "market.tape"), rules_of(USDM))
    assert (market.symbol, market.pair, market.base, market.quote, market.asset) == (
        "BTCUSDT",
        "BTCUSDT",
        "BTC",
        "USDT",
        "USDT",
    )
    assert (market.tick_text(201), market.lots_text(3), len(tape)) == ("100.5", "0.75", 12)
    assert market.notional(Decimal(100), Decimal(2)) == 200


def test_an_inverse_contract_is_worth_its_face_in_base_currency() -> None:
    market, _ = list_market(Listing(story(COINM)), rules_of(COINM))
    assert (market.symbol, market.pair, market.asset) == ("BTCUSD_PERP", "BTCUSD", "BTC")
    assert market.notional(Decimal(50), Decimal(3)) == 6


def test_spot_writes_eight_decimals() -> None:
    market, _ = list_market(Listing(story(SPOT)), rules_of(SPOT))
    assert (market.tick_text(201), market.lots_text(3), market.asset) == ("100.50000000", "0.75000000", "")


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        (Listing(story(USDM), "ethusdc"), ("ETHUSDC", "ETH", "USDC")),
        (Listing(story(USDM), "XYZ", "X", "YZ"), ("XYZ", "X", "YZ")),
        (Listing(story(USDM), "FOOUSDT", base="BAR"), ("FOOUSDT", "BAR", "USDT")),
    ],
)
def test_a_listing_may_name_a_tape_otherwise(listing: Listing, expected: tuple[str, str, str]) -> None:
    market, _ = list_market(listing, rules_of(USDM))
    assert (market.symbol, market.base, market.quote) == expected


def test_a_symbol_that_does_not_say_its_currencies_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        list_market(Listing(story(USDM), "USDT"), rules_of(USDM))
    expected = "the symbol 'USDT' does not say its currencies; name it like BTCUSDT, or give base and quote"
    assert str(caught.value) == expected


def test_a_contract_of_another_venue_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        list_market(Listing(story(COINM)), rules_of(USDM))
    text = (
        "<Tape binance-coinm:BTCUSD_PERP, 12 events, 6 price levels> holds an inverse contract, which binance-usdm does "
        "not trade; give a tape of a linear one, or another --venue"
    )
    assert str(caught.value) == text
    with pytest.raises(ConfigError, match="give a tape of an inverse one"):
        list_market(Listing(story(USDM)), rules_of(COINM))


def test_the_instruments_least_notional_stands_before_the_venues() -> None:
    tape = story(USDM).with_instrument(story(USDM).instrument.override(min_notional="7"))
    assert list_market(Listing(tape), rules_of(USDM))[0].min_notional == 7
    assert list_market(Listing(story(USDM)), rules_of(USDM))[0].min_notional == 5
