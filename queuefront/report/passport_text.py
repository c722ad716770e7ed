"""The passport as people read it: figures and findings as text, for the terminal and for the HTML page."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core import Instrument, format_duration, format_ts
from queuefront.feed import Passport, Verdict
from queuefront.report.summary_text import UNKNOWN, latency, number, percent

__all__ = ["Stretch", "figures_of", "rate_of", "stretches_of", "verdict_text"]

_LATENCIES: Final = ("p1", "p50", "p99", "p999", "max")


class Stretch(NamedTuple):
    """Neighbouring spans of one verdict, and what there is to say against them."""

    start_ts: int
    end_ts: int
    verdict: Verdict
    reasons: tuple[str, ...]


def verdict_text(passport: Passport) -> str:
    """Return the verdict with the reasons: `suspect: 1 of 30 spans are bad, 2.1% of the time`."""
    told = "; ".join(text for _, text in passport.reasons)
    return f"{passport.verdict.word}: {told}" if told else passport.verdict.word


def stretches_of(passport: Passport) -> list[Stretch]:
    """Return all stretches that are not good, by time; of each rule the first span's words."""
    found = []
    measures = passport.measures
    for verdict in (Verdict.BAD, Verdict.SUSPECT):
        for start, end in passport.stretches(verdict).tolist():
            spans = slice((start - measures.first_ts) // measures.span_ns, (end - measures.first_ts) // measures.span_ns)
            told: dict[str, str] = {}
            for finding in sorted(passport.findings, key=lambda f: -f.verdict):
                hits = np.flatnonzero(finding.is_found[spans])
                if len(hits):
                    told.setdefault(finding.rule, finding.text(spans.start + int(hits[0])))
            found.append(Stretch(start, end, verdict, tuple(f"{rule}: {text}" for rule, text in told.items())))
    return sorted(found)


def figures_of(passport: Passport, instrument: Instrument) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what was measured of the whole tape as text: (group, [(label, text)])."""
    measures = passport.measures
    total = {name: sum(column) for name, column in measures.columns.items()}
    covered = max(total["covered_ns"], 1)
    account = measures.account
    lot = float(instrument.lot_size)
    return [
        (
            "Time",
            [
                (
                    "First span (UTC)",
                    format_ts(measures.first_ts)[:19].replace("T", " ") if measures.span_count else UNKNOWN,
                ),
                ("Covered", format_duration(total["covered_ns"])),
                ("Spans", f"{measures.span_count:,} of {format_duration(measures.span_ns)}"),
                *(
                    (
                        f"{verdict.word.capitalize()} spans",
                        f"{count:,}, {percent(passport.time_shares[verdict])} of the time",
                    )
                    for verdict, count in passport.span_counts.items()
                ),
                ("Longest silence", _longest(measures.columns["silence_ns"])),
                ("Silences of 1 s or more", f"{len(measures.silences):,}{'+' if len(measures.silences) == 100 else ''}"),
            ],
        ),
        (
            "Rows",
            [
                ("Rows at the exchange", f"{total['events']:,}"),
                ("Trades", f"{total['trades']:,}"),
                ("Rows a second, mean", number(rate_of(passport))),
                ("Duplicate rows of the book", f"{total['duplicates']:,}"),
                ("Trades equal to the one before", f"{total['repeated_trades']:,}"),
                ("Seen in another order by us", f"{total['one_sided_rows'] // 2:,}"),
                ("Sequence gaps, repeats", f"{account.sequence_gaps:,}, {account.sequence_repeats:,}"),
                ("Left out by the conversion", f"{account.refused:,}"),
                ("Rounded prices, quantities", f"{account.rounded_prices:,}, {account.rounded_quantities:,}"),
            ],
        ),
        (
            "Book",
            [
                ("Crossed", percent(total["crossed_ns"] / covered)),
                ("Locked", percent(total["locked_ns"] / covered)),
                ("Without a bid or an ask", percent(total["empty_ns"] / covered)),
                ("Spread, mean, ticks", number(_mean(measures.mean("spread_ticks")))),
                ("Quantity at the best bid, mean", number(_mean(measures.mean("bid_lots") * lot))),
                ("Quantity at the best ask, mean", number(_mean(measures.mean("ask_lots") * lot))),
                ("Trades outside of the best prices", f"{total['outside_trades']:,}"),
                ("Largest jump, ticks", number(max(measures.columns["jump_half_ticks"], default=0) / 2)),
            ],
        ),
        (
            "Feed latency",
            [
                *((_quantile(name), latency(measures.totals.latency_ns.get(name))) for name in _LATENCIES),
                ("Rows that came before they happened", f"{total['inversions']:,}"),
                ("Our clock was moved by", latency(account.local_ts_shift_ns)),
            ],
        ),
    ]


def rate_of(passport: Passport) -> float | None:
    """Return the mean number of rows a second; None of a tape that lasts no time."""
    covered = sum(passport.measures.columns["covered_ns"])
    return sum(passport.measures.columns["events"]) / covered * 1e9 if covered else None


def _quantile(name: str) -> str:
    return "All within" if name == "max" else f"{ {'p1': '1', 'p50': '50', 'p99': '99', 'p999': '99.9'}[name] } % within"


def _longest(column: list[int]) -> str:
    return format_duration(max(column, default=0))


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
