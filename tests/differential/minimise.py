"""Cuts a failing case down and writes it as a test.

Delta debugging: leave out ever smaller stretches, of the actions first and of the market's rows then, as long as the
case still fails. Rows that are left out mostly leave a valid market, because order is all that rows owe each other.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

from queuefront.core import DataError
from tests.differential.engines import Case
from tests.differential.markets import Rows

#: Work on one case ends after so many seconds; what is small by then is printed.
TIME_LIMIT_S = 20.0


def minimise(case: Case, fails: Callable[[Case], bool], *, time_limit_s: float = TIME_LIMIT_S) -> Case:
    """Return a smaller case that still fails. The first action stays: it starts the clock."""
    deadline = time.monotonic() + time_limit_s

    def still(candidate: Case) -> bool:
        if time.monotonic() >= deadline:
            return False
        try:
            return fails(candidate)
        except DataError:  # rows of a market by order do owe each other something: a cancel needs its order
            return False

    before = None
    while case != before:
        before = case
        head, rest = case.actions[:1], case.actions[1:]
        rest = _reduce(rest, lambda kept: still(dataclasses.replace(case, actions=(*head, *kept))))  # noqa: B023
        case = dataclasses.replace(case, actions=(*head, *rest))
        for number in range(len(case.assets)):
            case = _reduce_market(case, number, still)
    return case


def _reduce_market(case: Case, number: int, still: Callable[[Case], bool]) -> Case:
    asset = case.assets[number]

    def with_rows(rows: Sequence[Any]) -> Case:
        smaller = dataclasses.replace(asset, market=Rows(tuple(rows)), splits=())
        return dataclasses.replace(case, assets=(*case.assets[:number], smaller, *case.assets[number + 1 :]))

    rows = asset.market.rows if isinstance(asset.market, Rows) else Rows.of(asset.market.events()).rows
    if not still(with_rows(rows)):
        return case  # it hangs on how the market is cut into parts
    return with_rows(_reduce(rows, lambda kept: len(kept) > 0 and still(with_rows(kept))))


def _reduce(items: Sequence[Any], fails: Callable[[Sequence[Any]], bool]) -> Sequence[Any]:
    size = max(1, len(items) // 2)
    while items:
        start = 0
        while start < len(items):
            kept = (*items[:start], *items[start + size :])
            if fails(kept):
                items = kept
            else:
                start += size
        if size == 1:
            break
        size = max(1, size // 2)
    return items


def as_test(case: Case) -> str:
    """Write a case as a test; it needs the names of `engines`, `markets` and the `judge` fixture."""
    assets = "".join(f"        {_asset(asset)},\n" for asset in case.assets)
    actions = "".join(f"        {action!r},\n" for action in case.actions)
    return (
        "def test_the_reduced_case(judge):\n"
        f"    case = Case(assets=(\n{assets}    ), actions=(\n{actions}    ))\n"
        "    judge.check(case)\n"
    )


def _asset(asset: Any) -> str:
    fields = [f for f in dataclasses.fields(asset) if f.name == "market" or getattr(asset, f.name) != f.default]
    return f"AssetCase({', '.join(f'{f.name}={getattr(asset, f.name)!r}' for f in fields)})"
