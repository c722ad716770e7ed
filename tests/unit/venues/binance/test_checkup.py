"""A check asks everything, places nothing, and names what must be mended."""

from __future__ import annotations

from typing import Any

import pytest

from queuefront.venues.binance.checkup import check_up
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.checkup import Checkup
from queuefront.venues.errors import VenueError
from tests.unit.venues.binance.fake_rest import FakeRest, client_of, listing_body, refused
from tests.virtual_time import VirtualLoop, run

SPOT, USDM = Market(Product.SPOT), Market(Product.USDM)


def check(market: Market = USDM, *, is_private: bool = False, **answers: Any) -> tuple[Checkup, FakeRest]:
    async def main(loop: VirtualLoop) -> tuple[Checkup, FakeRest]:
        client, rest = client_of(loop, market, is_private=is_private, symbols=("BTCUSDT",))
        rest.on("GET exchangeInfo", listing_body("BTCUSDT"))
        rest.on("GET account", {"canTrade": False, "balances": [{"asset": "BTC", "free": "1", "locked": "0"}]})
        rest.on("GET positionSide/dual", {"dualSidePosition": True})
        rest.on("GET balance", [])
        rates = {"symbol": "BTCUSDT", "makerCommissionRate": "1", "takerCommissionRate": "2"}
        rest.on("GET commissionRate", rates)
        rest.on("GET account/commission", {"symbol": "BTCUSDT", "standardCommission": {"maker": "1", "taker": "2"}})
        rest.offset_ms = answers.pop("offset_ms", 0)
        for name, answer in answers.items():
            rest.on(f"GET {name}", answer)
        return await check_up(client), rest

    return run(main)


def test_without_keys_only_what_is_public_is_asked() -> None:
    found, rest = check()
    assert set(rest.names()) == {"GET time", "GET exchangeInfo"}
    assert ("account", "not asked: no keys") in found.pairs
    assert found.problems == []
    assert found.instruments == [("BTCUSDT", "0.1", "0.001", "0", "yes")]


@pytest.mark.parametrize(("market", "mode"), [(USDM, [("position mode", "hedge")]), (SPOT, [])])
def test_with_keys_the_account_is_asked_and_nothing_is_placed(market: Market, mode: list[tuple[str, str]]) -> None:
    found, rest = check(market, is_private=True)
    assert {name.split()[0] for name in rest.names()} == {"GET"}
    assert ("may trade", "no") in found.pairs
    assert [pair for pair in found.pairs if pair[0] == "position mode"] == mode
    assert ("fees of BTCUSDT", "maker 1, taker 2") in found.pairs


def test_what_is_not_answered_is_a_problem_and_the_rest_is_told() -> None:
    found, _ = check(is_private=True, account=refused(-2015, "Invalid API-key"), balance=(500, b"?"))
    assert found.problems[0] == "account: refused, auth: -2015 Invalid API-key"
    assert found.problems[1].startswith("balances: no answer: status 500")
    assert ("position mode", "hedge") in found.pairs


def test_symbols_that_cannot_be_read_are_a_problem() -> None:
    body = listing_body("BTCUSDT")
    body["symbols"].append({"symbol": "ODD"})
    (problem,) = check(exchangeInfo=body)[0].problems
    assert problem == (
        "1 instruments cannot be read, first ODD: binance-usdm ODD: it lists no PRICE_FILTER and LOT_SIZE, "
        "so that it has no grid"
    )


@pytest.mark.parametrize(("offset_ms", "word"), [(5000, "behind"), (-5000, "ahead")])
def test_a_clock_that_is_off_is_a_problem(offset_ms: int, word: str) -> None:
    (problem,) = check(offset_ms=offset_ms)[0].problems
    assert problem == (
        f"this machine's clock is 00:00:05.000 {word}; times of events are compared with it: "
        "synchronise it, for example with chrony"
    )
    assert check(offset_ms=offset_ms // 10)[0].problems == []


def test_a_venue_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(VenueError, match=r"^binance-usdm at http://127\.0\.0\.1:9000: no answer: "):
        check(time=(500, b"?"))
