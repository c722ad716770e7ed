"""The passport of a tape: its measures, and what they come to by a set of limits."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.feed.passport.judge import Finding, Verdict, findings_of, tape_findings
from queuefront.feed.passport.measures import COLUMNS, MEANS, MEASURES_VERSION, Measures, measure
from queuefront.feed.passport.thresholds import PassportThresholds

if TYPE_CHECKING:
    from queuefront.feed.tape import Tape

__all__ = ["Passport", "measures_from_text", "measures_text", "passport_of"]


class Passport:
    """How good a tape is: `measures`, `thresholds`, and the verdicts that follow from both.

    Verdicts are made anew from the measures; other thresholds measure nothing again.
    """

    def __init__(self, measures: Measures, thresholds: PassportThresholds | None = None) -> None:
        self.measures = measures
        self.thresholds = thresholds or PassportThresholds()

    def __repr__(self) -> str:
        counts = self.span_counts
        told = ", ".join(f"{counts[verdict]:,} {verdict.word}" for verdict in Verdict)
        return f"<Passport {self.verdict.word}: {told} spans>"

    @cached_property
    def findings(self) -> list[Finding]:
        """What there is to say against the spans, rule by rule."""
        return findings_of(self.measures, self.thresholds)

    @cached_property
    def verdicts(self) -> npt.NDArray[np.int8]:
        """The verdict of each span, values of `Verdict`."""
        verdicts = np.zeros(self.measures.span_count, np.int8)
        for finding in self.findings:
            verdicts[finding.is_found] = np.maximum(verdicts[finding.is_found], finding.verdict)
        return verdicts

    @cached_property
    def reasons(self) -> list[tuple[Verdict, str]]:
        """What there is to say against the tape as a whole, worst first."""
        return tape_findings(self.measures, self.verdicts, self.thresholds)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the tape."""
        return self.reasons[0][0] if self.reasons else Verdict.GOOD

    @cached_property
    def span_counts(self) -> dict[Verdict, int]:
        """How many spans have each verdict."""
        return {verdict: int(np.count_nonzero(self.verdicts == verdict)) for verdict in Verdict}

    @cached_property
    def time_shares(self) -> dict[Verdict, float]:
        """Which share of the tape's time has each verdict; all 0 of a tape that lasts no time."""
        covered = self.measures.column("covered_ns")
        total = max(int(covered.sum()), 1)
        return {verdict: int(covered[self.verdicts == verdict].sum()) / total for verdict in Verdict}

    def span(self, k: int) -> tuple[int, int]:
        """Return when span k begins and when the next one does, ns."""
        start = self.measures.first_ts + k * self.measures.span_ns
        return start, start + self.measures.span_ns

    def reasons_of(self, k: int) -> list[tuple[Verdict, str, str]]:
        """Return what there is to say against span k: (verdict, rule, in words), worst first."""
        found = [(f.verdict, f.rule, f.text(k)) for f in self.findings if f.is_found[k]]
        return sorted(found, key=lambda reason: -reason[0])

    def stretches(self, verdict: Verdict) -> npt.NDArray[np.int64]:
        """Return the times with a verdict, neighbouring spans joined: int64[n, 2], from the first to before the second."""
        is_it = np.concatenate([[False], self.verdicts == verdict, [False]])
        edges = np.flatnonzero(is_it[1:] != is_it[:-1]).reshape(-1, 2)
        return self.measures.first_ts + edges.astype(np.int64) * self.measures.span_ns

    def verdicts_between(self, start_ts: npt.NDArray[np.int64], end_ts: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        """Return the worst verdict of each stretch of time, both ends included; outside of the tape nothing is wrong."""
        count, first, span_ns = self.measures.span_count, self.measures.first_ts, self.measures.span_ns
        if count == 0:
            return np.zeros(len(start_ts), np.int8)
        low, high = ((np.clip(ts, first - 1, first + count * span_ns) - first) // span_ns + 1 for ts in (start_ts, end_ts))
        worst = np.zeros(len(start_ts), np.int8)
        for verdict in (Verdict.SUSPECT, Verdict.BAD):
            before = np.concatenate([[0, 0], np.cumsum(self.verdicts == verdict), [0]])
            before[-1] = before[-2]
            worst[before[high + 1] - before[low] > 0] = verdict
        return worst

    def to_dict(self) -> dict[str, Any]:
        """Return verdicts and measures as JSON-able data."""
        rows = [
            {
                "start_ts": self.span(k)[0],
                "verdict": Verdict(int(self.verdicts[k])).word,
                "reasons": [{"verdict": v.word, "rule": rule, "text": text} for v, rule, text in self.reasons_of(k)],
            }
            for k in range(self.measures.span_count)
        ]
        return {
            "verdict": self.verdict.word,
            "reasons": [{"verdict": verdict.word, "text": text} for verdict, text in self.reasons],
            "spans": rows,
            "time_shares": {verdict.word: share for verdict, share in self.time_shares.items()},
            "thresholds": {name: getattr(self.thresholds, name) for name in PassportThresholds.__dataclass_fields__},
            "measures": msgspec.to_builtins(self.measures),
        }


def passport_of(tape: Tape, thresholds: PassportThresholds | None = None, *, span_ns: int | None = None) -> Passport:
    """Return the passport of a tape: from what the tape carries, or measured now.

    Parameters
    ----------
    thresholds : the default ones where not given.
    span_ns : length of the spans; another than the tape's own measures it again.

    Raises
    ------
    ConfigError
        If spans of this length would be more than 100,000.
    """
    measures = tape.measures
    if span_ns is not None and span_ns != measures.span_ns:
        measures = measure(tape, span_ns=span_ns)
    return Passport(measures, thresholds)


def measures_text(measures: Measures) -> bytes:
    """Return measures as a tape carries them, JSON."""
    return msgspec.json.encode(measures)


def measures_from_text(text: bytes, checksum: str) -> Measures | None:
    """Return the measures that a tape carries, or None where they are of another version or of other columns."""
    try:
        measures = msgspec.json.decode(text, type=Measures)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # it is measured again, which costs less than to refuse a good tape
    lengths = {len(column) for column in measures.columns.values()} | {len(column) for column in measures.means.values()}
    is_known = (
        measures.version == MEASURES_VERSION and tuple(measures.columns) == COLUMNS and tuple(measures.means) == MEANS
    )
    is_whole = len(lengths) == 1 and measures.span_ns > 0
    return measures if is_known and is_whole and measures.checksum == checksum else None
