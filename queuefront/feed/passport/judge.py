"""From measures to verdicts: what of each span is suspect or bad, and why. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import NS_PER, format_duration
from queuefront.feed.passport.measures import Measures
from queuefront.feed.passport.thresholds import PassportThresholds

__all__ = ["Finding", "Verdict", "findings_of", "tape_findings"]

_MS: Final = NS_PER["ms"]
_MOVES_MULTIPLE: Final = 20
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]


class Verdict(IntEnum):
    """How good data are."""

    GOOD = 0
    SUSPECT = 1
    BAD = 2

    @property
    def word(self) -> str:
        """The verdict as it is printed."""
        return self.name.lower()


class Finding(NamedTuple):
    """One rule and the spans that it speaks of."""

    rule: str
    verdict: Verdict
    is_found: Mask
    text: Callable[[int], str]  # of a span, in words


class _Spans:
    """The columns that rules look at, with shares that are 0 where there is nothing to share."""

    def __init__(self, measures: Measures) -> None:
        self.measures = measures
        self.events = self["events"]
        self.trades = self["trades"]
        self.covered = self["covered_ns"]

    def __getitem__(self, name: str) -> npt.NDArray[np.int64]:
        return self.measures.column(name)

    def share(self, name: str, whole: npt.NDArray[np.int64], least: int = 1) -> npt.NDArray[np.float64]:
        """Return a column over another one; 0 where that is below `least`."""
        return np.divide(self[name], whole, out=np.zeros(len(whole)), where=whole >= max(least, 1))


def findings_of(measures: Measures, limits: PassportThresholds) -> list[Finding]:
    """Return what there is to say against each span, rule by rule."""
    if measures.span_count == 0:
        return []
    spans = _Spans(measures)
    rules = (_time_rules, _book_rules, _clock_rules, _record_rules, _price_rules)
    return [finding for rule in rules for finding in rule(spans, limits) if finding.is_found.any()]


def _graded(
    rule: str, values: Numbers, suspect: Numbers | float, bad: Numbers | float | None, text: Callable[[int], str]
) -> Iterator[Finding]:
    """Yield what lies beyond a limit, and what beyond a further one; a value is told once."""
    is_bad = np.zeros(len(values), np.bool_) if bad is None else values > bad
    yield Finding(rule, Verdict.BAD, is_bad, text)
    yield Finding(rule, Verdict.SUSPECT, (values > suspect) & ~is_bad, text)


def _told(ns: float) -> str:
    """Return a duration to three digits: limits and quantiles are known to no more."""
    return format_duration(round(float(f"{ns:.3g}")) if abs(ns) < NS_PER["s"] else int(ns))


def _time_rules(spans: _Spans, limits: PassportThresholds) -> Iterator[Finding]:
    totals = spans.measures.totals
    usual = totals.interval_ns.get("p99", 0)
    suspect = max(limits.silence_suspect_multiple * usual, limits.silence_suspect_ms * _MS)
    bad = max(limits.silence_bad_multiple * usual, limits.silence_bad_ms * _MS)
    silence = spans["silence_ns"]
    yield from _graded(
        "silence", silence, suspect, bad,
        lambda k: f"silent for {_told(int(silence[k]))}, usually at most {_told(usual)}",
    )  # fmt: skip
    usual_book = totals.book_interval_ns.get("p99", 0)
    frozen, trades = spans["frozen_ns"], spans["frozen_trades"]
    is_traded = trades >= limits.frozen_trades
    yield from _graded(
        "frozen book", np.where(is_traded, frozen, 0),
        max(limits.silence_suspect_multiple * usual_book, limits.silence_suspect_ms * _MS),
        max(limits.silence_bad_multiple * usual_book, limits.silence_bad_ms * _MS),
        lambda k: f"the book stood still for {_told(int(frozen[k]))} while {trades[k]:,} trades went on",
    )  # fmt: skip
    gaps, repeats = spans["sequence_gaps"], spans["sequence_repeats"]
    yield from _graded(
        "sequence gap", gaps, 0, limits.sequence_gaps_bad - 1,
        lambda k: f"numbers of the sequence are missing at {gaps[k]:,} places",
    )  # fmt: skip
    yield from _graded(
        "sequence repeat",
        repeats,
        0,
        None,
        lambda k: f"numbers of the sequence came again at {repeats[k]:,} places",
    )
    yield from _rate_rule(spans, limits)


def _rate_rule(spans: _Spans, limits: PassportThresholds) -> Iterator[Finding]:
    is_whole = spans.covered >= 0.9 * spans.measures.span_ns
    rate = np.divide(spans.events, spans.covered, out=np.zeros(len(spans.covered)), where=spans.covered > 0)
    if not is_whole.any():
        return
    usual = float(np.median(rate[is_whole]))
    share = rate / usual if usual > 0 else np.ones(len(rate))
    is_slow = is_whole & (share < limits.rate_suspect_share)
    yield Finding("low rate", Verdict.SUSPECT, is_slow, lambda k: f"{share[k]:.2%} of the usual rate of messages")


def _book_rules(spans: _Spans, limits: PassportThresholds) -> Iterator[Finding]:
    crossed, levels = spans.share("crossed_ns", spans.covered), spans["hidden_levels"]
    is_deep = levels >= limits.crossed_bad_levels
    is_bad = (crossed > limits.crossed_bad_share) & is_deep
    is_suspect = (crossed > limits.crossed_suspect_share) & ~is_bad

    def tell_crossed(k: int) -> str:
        return f"crossed for {crossed[k]:.1%} of the time, by {levels[k]:,} levels"

    yield Finding("crossed book", Verdict.BAD, is_bad, tell_crossed)
    yield Finding("crossed book", Verdict.SUSPECT, is_suspect, tell_crossed)
    locked = spans.share("locked_ns", spans.covered)
    yield from _graded(
        "locked book", locked, limits.locked_suspect_share, None, lambda k: f"locked for {locked[k]:.1%} of the time"
    )
    empty = spans.share("empty_ns", spans.covered)
    yield from _graded(
        "empty book", empty, limits.empty_suspect_share, limits.empty_bad_share,
        lambda k: f"no bid or no ask for {empty[k]:.1%} of the time",
    )  # fmt: skip
    spread = np.nan_to_num(spans.measures.mean("spread_ticks"))
    usual = float(np.median(spread[spread > 0])) if (spread > 0).any() else 0.0
    yield from _graded(
        "wide spread", spread, max(limits.spread_suspect_multiple * usual, limits.spread_suspect_ticks), None,
        lambda k: f"a mean spread of {spread[k]:,.1f} ticks, usually {usual:,.1f}",
    )  # fmt: skip


def _clock_rules(spans: _Spans, limits: PassportThresholds) -> Iterator[Finding]:
    inversions, latencies = spans["inversions"], spans["latencies"]
    share = spans.share("inversions", latencies)
    yield from _graded(
        "clock inversion",
        share,
        0.0,
        limits.inverted_bad_share,
        lambda k: f"{inversions[k]:,} rows came before they happened",
    )
    usual = spans.measures.totals.latency_ns.get("p50", 0)
    least = np.where(latencies > 0, spans["latency_min_ns"], 0)
    median = np.where(latencies >= limits.rows_min, spans["latency_p50_ns"], 0)
    extra = limits.latency_multiple * usual
    suspect, bad = (usual + max(ms * _MS, extra) for ms in (limits.latency_suspect_ms, limits.latency_bad_ms))
    yield from _graded(
        "clock step", least, suspect, bad,
        lambda k: f"no row took less than {_told(int(least[k]))}, usually half take {_told(usual)}",
    )  # fmt: skip
    ahead = np.where(latencies >= limits.rows_min, usual - spans["latency_p99_ns"], 0)
    yield from _graded(
        "clock step", ahead, limits.latency_suspect_ms * _MS, limits.latency_bad_ms * _MS,
        lambda k: f"nearly all rows took {_told(int(ahead[k]))} less than usually half take at most",
    )  # fmt: skip
    yield from _graded(
        "late feed", median, suspect, None,
        lambda k: f"half the rows took {_told(int(median[k]))} or more, usually {_told(usual)}",
    )  # fmt: skip


def _record_rules(spans: _Spans, limits: PassportThresholds) -> Iterator[Finding]:
    least = limits.rows_min
    duplicates = spans.share("duplicates", spans["book_changes"], least)
    yield from _graded(
        "duplicate rows", duplicates, limits.duplicates_suspect_share, limits.duplicates_bad_share,
        lambda k: f"{duplicates[k]:.1%} of the book's rows repeat another of the same time",
    )  # fmt: skip
    repeated = spans.share("repeated_trades", spans.trades, least)
    yield from _graded(
        "duplicate trades", repeated, limits.repeated_trades_suspect_share, None,
        lambda k: f"{repeated[k]:.1%} of the trades equal the one before",
    )  # fmt: skip
    unordered = spans.share("one_sided_rows", 2 * spans.events, 2 * least)
    yield from _graded(
        "out of order", unordered, limits.unordered_suspect_share, None,
        lambda k: f"{unordered[k]:.1%} of the rows reached us in another order than they happened in",
    )  # fmt: skip
    off, off_share = spans["off_grid"], spans.share("off_grid", spans.events)
    yield from _graded(
        "off the grid", off_share, 0.0, limits.off_grid_bad_share,
        lambda k: f"{off[k]:,} prices or quantities are not whole ticks or lots",
    )  # fmt: skip


def _price_rules(spans: _Spans, limits: PassportThresholds) -> Iterator[Finding]:
    moves = spans.measures.totals.move_half_ticks
    # Of a price that seldom moves a few faults are a percent of all moves; they cannot be half of them.
    usual = min(moves.get("p99", 0), _MOVES_MULTIPLE * moves.get("p50", 0))
    mid = spans.measures.mean("mid_ticks")
    known = np.abs(mid[np.isfinite(mid)])
    price = 2.0 * float(np.median(known)) if len(known) else 0.0  # half ticks

    def limit(multiple: float, basis_points: float) -> float:
        return max(multiple * usual, basis_points * 1e-4 * price, 2.0 * limits.price_floor_ticks)

    spike, jump, outside = spans["spike_half_ticks"], spans["jump_half_ticks"], spans["outside_max_ticks"]
    yield from _graded(
        "price spike", spike, np.inf, limit(limits.spike_bad_multiple, limits.spike_bad_bp),
        lambda k: f"the price went {spike[k] / 2:,.1f} ticks away and came back at once",
    )  # fmt: skip
    yield from _graded(
        "price jump", jump, limit(limits.jump_suspect_multiple, limits.jump_suspect_bp), None,
        lambda k: f"the price jumped {jump[k] / 2:,.1f} ticks, usually at most {usual / 2:,.1f}",
    )  # fmt: skip
    yield from _graded(
        "trade outside", 2 * outside, limit(limits.outside_suspect_multiple, limits.outside_suspect_bp),
        limit(limits.outside_bad_multiple, limits.outside_bad_bp),
        lambda k: f"a trade {outside[k]:,} ticks outside of the best prices",
    )  # fmt: skip
    share = spans.share("outside_trades", spans.trades, limits.rows_min)
    yield from _graded(
        "trades outside", share, limits.outside_suspect_share, None,
        lambda k: f"{share[k]:.1%} of the trades outside of the best prices",
    )  # fmt: skip


def tape_findings(
    measures: Measures, verdicts: npt.NDArray[np.int8], limits: PassportThresholds
) -> list[tuple[Verdict, str]]:
    """Return what there is to say against the tape as a whole, worst first. verdicts : of its spans."""
    account, found = measures.account, []
    covered = measures.column("covered_ns")
    total = int(covered.sum())
    if measures.rows == 0:
        found.append((Verdict.BAD, "it holds no rows"))
    elif total == 0:
        found.append((Verdict.SUSPECT, "it lasts no time, so that little can be judged"))
    for verdict, limit in ((Verdict.BAD, limits.tape_bad_share), (Verdict.SUSPECT, limits.tape_suspect_share)):
        is_found = verdicts == verdict
        share = float(covered[is_found].sum() / total) if total else 0.0
        count = int(is_found.sum())
        if share > limit:
            found.append((verdict, f"{share:.1%} of its time is {verdict.word}, in {count:,} of {len(verdicts):,} spans"))
        elif verdict is Verdict.BAD and count:
            found.append((Verdict.SUSPECT, f"{count:,} of {len(verdicts):,} spans are bad, {share:.2%} of the time"))
    told = (
        (account.damage is not None, f"the source was cut off: {account.damage}"),
        (account.refused > 0, f"{account.refused:,} lines or records of the source were left out"),
        (account.gaps_unlisted > 0, f"{account.gaps_unlisted:,} gaps of the source are counted without their place"),
        (account.gap_rows > 0, f"{account.gap_rows:,} rows named an order that was not there"),
        (
            account.rounded_prices + account.rounded_quantities > 0,
            f"{account.rounded_prices:,} prices and {account.rounded_quantities:,} quantities were rounded to the grid",
        ),
    )
    found += [(Verdict.SUSPECT, text) for is_true, text in told if is_true]
    return sorted(found, key=lambda pair: -pair[0])
