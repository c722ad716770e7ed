from __future__ import annotations

import pytest

from queuefront.core.errors import ConfigError
from queuefront.paper.rules import RULES, rules_of
from tests.paper_market import COINM, SPOT, USDM


def test_every_venue_is_found_by_its_name() -> None:
    assert [rules_of(str(name)).name for name in RULES] == list(RULES)
    assert (rules_of(SPOT).is_spot, rules_of(COINM).is_inverse, rules_of(USDM).is_spot, rules_of(USDM).is_inverse) == (
        True, True, False, False,
    )  # fmt: skip


def test_an_unknown_venue_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        rules_of("binance")
    expected = "there is no paper venue 'binance'; choose one of binance-spot, binance-usdm, binance-coinm"
    assert str(caught.value) == expected


def test_a_deeper_book_weighs_more() -> None:
    assert [rules_of(SPOT).depth_weight(n) for n in (100, 101, 500, 1000, 5000)] == [5, 25, 25, 50, 250]
    assert [rules_of(USDM).depth_weight(n) for n in (5, 50, 100, 500, 1000)] == [2, 2, 5, 10, 20]


def test_an_order_limit_is_worded_as_refusals_word_it() -> None:
    assert [limit.text for limit in rules_of(USDM).order_limits] == ["10 SECOND", "1 MINUTE"]
