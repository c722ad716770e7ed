"""How much of a run rests on data that are not to be believed: the tape's verdict, and what was earned in its bad spans.

A change of equity between two samples belongs to the worst span that it touches, so that nothing earned in a bad span is
called good. Samples stand at our time, spans at the exchange's: around a border the feed latency decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from queuefront.feed import Passport, Verdict

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MarketData", "market_data"]


class MarketData(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of a tape, and the part of a run that falls into its bad and suspect spans."""

    verdict: str  # good, suspect, bad
    reasons: tuple[str, ...] = ()
    is_masked: bool = False  # nothing was filled in bad spans
    bad_time: float = 0.0  # share of the tape's time
    suspect_time: float = 0.0
    bad_fills: int = 0
    suspect_fills: int = 0
    bad_profit: float | None = None  # net, earned in bad spans; None where the equity is not known
    suspect_profit: float | None = None
    bad_profit_share: float | None = None  # of the net profit; None where that is not positive
    suspect_profit_share: float | None = None


def market_data(passport: Passport, equity: pl.DataFrame, fills: pl.DataFrame, *, is_masked: bool) -> MarketData:
    """Return what a run over a tape of this passport rests on.

    equity, fills : the tables of `equity_frame` and `fills_frame` of the same asset.
    """
    filled_ts = fills["exch_ts"].to_physical().to_numpy()
    fills_by = passport.verdicts_between(filled_ts, filled_ts)
    known = equity.filter(equity["equity"].is_not_null())
    profits: dict[Verdict, float | None] = {Verdict.BAD: None, Verdict.SUSPECT: None}
    shares = profits.copy()
    if not known.is_empty():
        ts, values = known["timestamp"].to_physical().to_numpy(), known["equity"].to_numpy()
        changes, earned_by = np.diff(values), passport.verdicts_between(ts[:-1], ts[1:])
        net = float(values[-1] - values[0])
        for verdict in profits:
            profit = float(np.sum(changes[earned_by == verdict]))
            profits[verdict], shares[verdict] = profit, profit / net if net > 0 else None
    return MarketData(
        verdict=passport.verdict.word,
        reasons=tuple(text for _, text in passport.reasons),
        is_masked=is_masked,
        bad_time=passport.time_shares[Verdict.BAD],
        suspect_time=passport.time_shares[Verdict.SUSPECT],
        bad_fills=int(np.count_nonzero(fills_by == Verdict.BAD)),
        suspect_fills=int(np.count_nonzero(fills_by == Verdict.SUSPECT)),
        bad_profit=profits[Verdict.BAD],
        suspect_profit=profits[Verdict.SUSPECT],
        bad_profit_share=shares[Verdict.BAD],
        suspect_profit_share=shares[Verdict.SUSPECT],
    )
