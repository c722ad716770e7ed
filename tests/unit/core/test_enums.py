"""Codes: those of hftbacktest where they share a file or a strategy, and none used twice."""

from __future__ import annotations

import pytest

from queuefront.core import enums


def test_codes_that_strategies_and_files_share_are_hftbacktests() -> None:
    oracle = pytest.importorskip("hftbacktest.types", reason="the oracle is not installed")
    shared = [name for name in dir(enums) if name.isupper() and hasattr(oracle, name)]
    assert len(shared) > 10
    assert {name: int(getattr(enums, name)) for name in shared} == {name: int(getattr(oracle, name)) for name in shared}


@pytest.mark.parametrize(
    "prefix",
    ["OP_SET_", "LATENCY_", "QUEUE_", "EXCHANGE_", "FEE_", "CONTRACT_"],
    ids=lambda prefix: prefix.strip("_").lower(),
)
def test_no_code_is_used_twice(prefix: str) -> None:
    codes = [getattr(enums, name) for name in dir(enums) if name.startswith(prefix)]
    assert len(codes) == len(set(codes)) > 1


@pytest.mark.parametrize(
    "names", ["KIND_NAMES", "STATUS_NAMES", "ORDER_TYPE_NAMES", "TIME_IN_FORCE_NAMES", "CODE_NAMES"], ids=str.lower
)
def test_every_code_has_a_name_of_its_own(names: str) -> None:
    table = getattr(enums, names)
    assert len(set(table.values())) == len(table)


def test_flags_are_single_bits_apart_from_the_kind() -> None:
    flags = (enums.EXCH_EVENT, enums.LOCAL_EVENT, enums.BUY_EVENT, enums.SELL_EVENT)
    assert all(flag.bit_count() == 1 for flag in flags)
    assert sum(flags) & enums.KIND_MASK == 0
    assert len(set(flags)) == 4


def test_codes_are_plain_integers_that_numba_freezes() -> None:
    assert all(type(getattr(enums, name)) is int for name in ("BUY_EVENT", "GTX", "LIMIT", "NO_BID_TICK"))
