"""How much of a run rests on bad data."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from queuefront.feed import passport_of
from queuefront.report import market_data
from tests.passport_market import SECOND, T0, tape_of

#: Silent from 21 to 28 s; the span from 20 to 30 s is bad.
TAPE = tape_of((0, "ask", 102, 7), *((k / 20, "bid", 100, 5 + k % 2) for k in range(1_201) if not 420 < k < 560))


def equity(*points: tuple[int, float | None]) -> pl.DataFrame:
    ts = pl.Series([T0 + at * SECOND for at, _ in points], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"timestamp": ts, "equity": pl.Series([value for _, value in points], dtype=pl.Float64)})


def fills(*seconds: float) -> pl.DataFrame:
    ts = pl.Series([T0 + round(at * SECOND) for at in seconds], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"exch_ts": ts})


def test_profit_and_fills_of_bad_spans_are_told_apart() -> None:
    earned = equity((0, 0.0), (10, 4.0), (19, 5.0), (25, 8.0), (29, 7.0), (40, 10.0))
    found = market_data(passport_of(TAPE), earned, fills(5, 22, 29.9), is_masked=False)
    # From 19 to 25, to 29, and to 40 s each touches the bad span: 3 - 1 + 3 of 10.
    assert (found.bad_profit, found.bad_profit_share) == (5.0, 0.5)
    assert (found.suspect_profit, found.suspect_profit_share) == (0.0, 0.0)
    assert (found.bad_fills, found.suspect_fills) == (2, 0)
    assert (found.verdict, found.is_masked) == ("bad", False)
    assert found.bad_time == pytest.approx(1 / 6)


def test_a_loss_has_no_share() -> None:
    found = market_data(passport_of(TAPE), equity((0, 0.0), (25, -3.0)), fills(), is_masked=True)
    assert (found.bad_profit, found.bad_profit_share, found.is_masked) == (-3.0, None, True)


@pytest.mark.parametrize("table", [equity(), equity((0, None), (25, None))])
def test_without_a_known_equity_no_profit_is_told(table: pl.DataFrame) -> None:
    found = market_data(passport_of(TAPE), table, fills(), is_masked=False)
    assert (found.bad_profit, found.suspect_profit) == (None, None)


def test_shares_of_all_verdicts_and_of_good_time_make_the_whole() -> None:
    spread = np.linspace(0, 60, 601)
    found = market_data(passport_of(TAPE), equity(*((int(s), float(s)) for s in spread[::10])), fills(), is_masked=False)
    assert found.bad_profit == 11.0  # ten seconds and the one that reaches in
