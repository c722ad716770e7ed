"""What was measured of a tape, once: figures of each span of time, and of the whole, without any judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.core.clock import NS_PER
from queuefront.core.enums import (
    OP_AT_EXCH,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_MASK,
    OP_NOTHING,
)
from queuefront.core.errors import ConfigError, DataFormatError
from queuefront.feed.passport.measure_compiled import (
    BUCKETS,
    COUNTS,
    SUMS,
    bucket_top,
    end_measuring,
    measure_rows,
    new_figures,
    new_market,
)
from queuefront.feed.tape_layout import is_priced, opening_book

if TYPE_CHECKING:
    from queuefront.core.instrument import Instrument
    from queuefront.feed.tape import Tape

__all__ = [
    "COLUMNS", "MEANS", "MEASURES_VERSION", "SPANS_MAX", "Account", "Measures", "Measuring", "Silence", "Totals", "measure",
    "span_of",
]  # fmt: skip

#: Of what is measured, and how. Another version in a tape is measured anew.
MEASURES_VERSION: Final = 1
#: The most spans of a passport that chooses its own; their length grows with the tape.
SPANS_MAX: Final = 1_500
_SPANS_LIMIT: Final = 100_000  # where the length is given
_SECOND: Final = NS_PER["s"]
_LENGTHS_S: Final = (10, 30, 60, 300, 900, 3_600, 14_400, 86_400)
_SILENCES_MAX: Final = 100
_FAR: Final = 2**62
_GAPS: Final = ("sequence_gaps", "sequence_repeats", "time_gaps")
_ABSENT: Final = ("latency_min_ns", "spread_min_ticks")  # columns whose 2^62 says that there was none
#: Names of the columns and of the means of each span.
COLUMNS: Final = (*COUNTS, "latency_p50_ns", "latency_p99_ns", "off_grid", *_GAPS)
MEANS: Final = ("spread_ticks", "bid_lots", "ask_lots", "mid_ticks")
_QUANTILES: Final = {"p1": 0.01, "p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}

Column = npt.NDArray[np.int64]

_NO_PRIOR: Final[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = np.zeros(0, np.int32), np.zeros(0, np.int64)
for _none in _NO_PRIOR:
    _none.flags.writeable = False  # of the same types as a tape's


class Silence(msgspec.Struct, frozen=True):
    """A time without a row at the exchange."""

    start_ts: int
    ns: int


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the conversion said of its input, as far as it bears on the tape's quality."""

    sequence_gaps: int = 0  # places where numbers of the venue's sequence were not delivered
    sequence_repeats: int = 0  # places where they came again
    time_gaps: int = 0
    gaps_unlisted: int = 0  # counted by the conversion, but listed without their place
    refused: int = 0  # lines or records that were left out
    damage: str | None = None  # what cut the input off
    local_ts_shift_ns: int = 0
    rounded_prices: int = 0
    rounded_quantities: int = 0
    gap_rows: int = 0  # of a market by order: rows that named no order and were left out


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Distributions over the whole tape: quantiles by name; empty where there was nothing to count."""

    latency_ns: dict[str, int]
    interval_ns: dict[str, int]  # between different times of rows at the exchange
    book_interval_ns: dict[str, int]  # the same, of rows that tell of the book
    move_half_ticks: dict[str, int]  # changes of the mid price


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of a tape.

    Span k is the time from `first_ts + k * span_ns` on, at the exchange. `columns` are those of `COLUMNS`; in those of
    latencies and of the narrowest spread -1 stands for none. `means` are those of `MEANS`, over the time in which both
    sides had a price; None where there was none.
    """

    version: int
    checksum: str  # of the tape that was measured
    first_ts: int
    span_ns: int
    rows: int
    is_by_order: bool
    columns: dict[str, list[int]]
    means: dict[str, list[float | None]]  # spread_ticks, bid_lots, ask_lots, mid_ticks
    totals: Totals
    silences: list[Silence]  # the longest ones, by time
    account: Account

    @property
    def span_count(self) -> int:
        """How many spans there are."""
        return len(self.columns["events"])

    def column(self, name: str) -> Column:
        """Return a column as an array, int64[spans]."""
        return np.array(self.columns[name], np.int64)

    def mean(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column of means as an array, NaN where there was none."""
        return np.array([np.nan if value is None else value for value in self.means[name]], np.float64)


def span_of(first_ts: int, last_ts: int) -> int:
    """Return the length of spans that suits a time: the shortest usual one that makes at most `SPANS_MAX` of them, ns."""
    for seconds in _LENGTHS_S:
        ns = seconds * _SECOND
        if last_ts // ns - first_ts // ns < SPANS_MAX:
            return ns
    days = -(-(last_ts - first_ts) // (_LENGTHS_S[-1] * _SECOND * (SPANS_MAX - 1)))
    return days * _LENGTHS_S[-1] * _SECOND


def measure(tape: Tape, *, span_ns: int | None = None) -> Measures:
    """Measure a tape in one pass.

    Parameters
    ----------
    span_ns : length of the spans; by the tape's duration where it is not given, see `span_of`.

    Raises
    ------
    ConfigError
        If spans of this length would be more than 100,000.
    DataFormatError
        If the tape's metadata do not hold the account of a conversion where they should.
    """
    measuring = Measuring(
        tape.meta, tape.levels, _opening_lots(tape), tape.instrument, is_by_order=tape.is_by_order, span_ns=span_ns
    )
    names = ("op", "exch_ts", "local_ts", "level", "lots", "best_bid_exch", "best_ask_exch")
    measuring.take({name: getattr(tape, name) for name in names} | tape.extra)
    return measuring.finish()


class Measuring:
    """Measures in the making: rows come part by part.

    Parameters
    ----------
    meta : the tape's, with the times of its first and last rows, the account of its conversion, and what was rounded.
    levels : the table of ticks.   opening : int64[2 × levels], lots before the first row.
    span_ns : see `measure`.
    """

    def __init__(
        self,
        meta: dict[str, Any],
        levels: Column,
        opening: Column,
        instrument: Instrument,
        *,
        is_by_order: bool,
        span_ns: int | None = None,
    ) -> None:
        self._meta, self._levels, self._instrument = meta, levels, instrument
        self._is_by_order = is_by_order
        self._told = _told(meta)
        self._spans = _spans(meta, span_ns)
        self._figures = new_figures(self._spans[2])
        self._market = new_market(opening, len(levels), self._spans[0])
        self._off_grid = np.zeros(self._spans[2], np.int64)
        self._silences = _Silences()
        self._row_count = 0

    def take(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Measure rows: columns of a tape, with px and qty where it has them."""
        op = columns["op"]
        prior = _NO_PRIOR
        if self._is_by_order:
            prior = columns["prior_level"], columns["prior_lots"]
        measure_rows(
            op, columns["exch_ts"], columns["local_ts"], columns["level"], columns["lots"], columns["best_bid_exch"],
            columns["best_ask_exch"], self._levels, prior, self._spans, self._figures, self._market,
        )  # fmt: skip
        if self._spans[2] and any(self._told.rounded.values()):
            self._off_grid += _off_grid(columns, self._instrument, *self._spans)
        self._silences.take(columns["exch_ts"][(op & np.uint8(OP_AT_EXCH)) != 0])
        self._row_count += len(op)

    def finish(self) -> Measures:
        """Return the measures of all rows."""
        first_ts, span_ns, count = self._spans
        end_measuring(self._levels, self._spans, self._figures, self._market)
        counts, sums, latencies, intervals, book_intervals, moves = self._figures
        columns = {name: counts[:, i].tolist() for i, name in enumerate(COUNTS)}
        for name in _ABSENT:
            columns[name] = [-1 if value == _FAR else value for value in columns[name]]
        columns["latency_p50_ns"] = _quantile_column(latencies, 0.5)
        columns["latency_p99_ns"] = _quantile_column(latencies, 0.99)
        columns["off_grid"] = self._off_grid.tolist()
        gaps, account = _account(self._told, first_ts, span_ns, count)
        columns |= {name: column.tolist() for name, column in gaps.items()}
        return Measures(
            version=MEASURES_VERSION,
            checksum=str(self._meta.get("checksum", "")),
            first_ts=first_ts,
            span_ns=span_ns,
            rows=self._row_count,
            is_by_order=self._is_by_order,
            columns=columns,
            means=_means(sums),
            totals=Totals(
                latency_ns=_quantiles(latencies.sum(axis=0)),
                interval_ns=_quantiles(intervals),
                book_interval_ns=_quantiles(book_intervals),
                move_half_ticks=_quantiles(moves),
            ),
            silences=self._silences.longest(),
            account=account,
        )


def _spans(meta: dict[str, Any], span_ns: int | None) -> tuple[int, int, int]:
    """Return (beginning of the first span, length, number)."""
    first = meta["first_exch_ts"] if meta["first_exch_ts"] is not None else meta["first_local_ts"]
    last = meta["last_exch_ts"] if meta["last_exch_ts"] is not None else meta["last_local_ts"]
    if first is None:
        return 0, span_ns or _LENGTHS_S[0] * _SECOND, 0
    # Differences of times must fit into int64. Times 73 years before the others are of another unit and count as the first.
    last = min(max(last, first), 2**62)
    first = max(first, last - 2**61, -(2**61))
    if span_ns is None:
        span_ns = span_of(first, last)
    elif span_ns <= 0:
        raise ConfigError(f"the spans are to last {span_ns:,} ns; give a positive length")
    count = last // span_ns - first // span_ns + 1
    if count > _SPANS_LIMIT:
        raise ConfigError(
            f"spans of {span_ns:,} ns would be {count:,} over the tape's {last - first:,} ns; give longer ones, for "
            f"{_SPANS_LIMIT:,} at most"
        )
    return first // span_ns * span_ns, span_ns, count


def _opening_lots(tape: Tape) -> Column:
    bid_lots, ask_lots, _ = opening_book(tape.opening, tape.levels, tape.instrument)
    lots = np.zeros(2 * len(tape.levels), np.int64)
    lots[0::2], lots[1::2] = bid_lots, ask_lots
    return lots


def _means(sums: npt.NDArray[np.float64]) -> dict[str, list[float | None]]:
    total = dict(zip(SUMS, sums.T, strict=True))
    held = total.pop("two_sided_ns")
    means = {}
    scales = {"spread_tick_ns": 1.0, "bid_lot_ns": 1.0, "ask_lot_ns": 1.0, "mid_half_tick_ns": 2.0}
    for (name, scale), new in zip(scales.items(), MEANS, strict=True):
        values = np.divide(total[name], held * scale, out=np.full(len(held), np.nan), where=held > 0)
        means[new] = [None if np.isnan(value) else round(float(value), 3) for value in values]
    return means


def _quantiles(buckets: npt.NDArray[np.int64]) -> dict[str, int]:
    if not buckets.any():
        return {}
    below = np.cumsum(buckets)
    return {name: bucket_top(int(np.searchsorted(below, share * below[-1]))) for name, share in _QUANTILES.items()}


def _quantile_column(buckets: npt.NDArray[np.int32], share: float) -> list[int]:
    below = np.cumsum(buckets, axis=1, dtype=np.int64)
    tops = np.array([bucket_top(k) for k in range(BUCKETS)])
    at = np.argmax(below >= share * below[:, -1:], axis=1)
    return np.where(below[:, -1] > 0, tops[at], -1).tolist()  # type: ignore[no-any-return]


def _span_index(ts: Column, first_ts: int, span_ns: int, count: int) -> Column:
    last_ts = first_ts + span_ns * count - 1
    return (np.clip(ts, first_ts, last_ts) - first_ts) // span_ns


def _off_grid(
    columns: dict[str, npt.NDArray[Any]], instrument: Instrument, first_ts: int, span_ns: int, count: int
) -> Column:
    """Return how many prices and quantities of each span were rounded to the grid; the tape keeps their raw values."""
    op = columns["op"]
    what = op & np.uint8(OP_MASK)
    is_off = np.zeros(len(op), np.bool_)
    if "px" in columns:
        is_clear = (what >= OP_CLEAR_BIDS) & (what <= OP_CLEAR_ASKS)
        rows = np.flatnonzero(is_priced(op) & ~is_clear & (what != OP_CANCEL_ORDER))
        is_off[rows] |= ~instrument.ticks(columns["px"][rows])[1]
    if "qty" in columns:
        is_clear = (what >= OP_CLEAR_BIDS) & (what <= OP_CLEAR_ALL_ASKS)
        rows = np.flatnonzero((what != OP_NOTHING) & (what != OP_CANCEL_ORDER) & ~is_clear)
        is_off[rows] |= ~instrument.lots(columns["qty"][rows])[1]
    return np.bincount(_span_index(columns["exch_ts"][is_off], first_ts, span_ns, count), minlength=count).astype(np.int64)


class _ToldGap(msgspec.Struct):
    kind: str
    local_ts: int
    size: int


class _ToldAccount(msgspec.Struct):
    # What of a `ConversionAccount` bears on quality; a tape's file may hold anything under its name.
    gaps: list[_ToldGap] = []
    gap_count: int = 0
    refused_count: int = 0
    damage: str | None = None
    local_ts_shift_ns: int = 0


class _ToldMeta(msgspec.Struct):
    account: _ToldAccount | None = None
    rounded: dict[str, int] = {}
    gap_rows: int = 0


def _told(meta: dict[str, Any]) -> _ToldMeta:
    try:
        return msgspec.convert(meta, _ToldMeta)
    except msgspec.ValidationError as e:
        raise DataFormatError(
            f"{meta.get('source')}: the tape's account of its conversion: {e}; make it again with `qf convert`"
        ) from e


def _account(meta: _ToldMeta, first_ts: int, span_ns: int, count: int) -> tuple[dict[str, Column], Account]:
    account = meta.account or _ToldAccount()
    columns: dict[str, Column] = {name: np.zeros(count, np.int64) for name in _GAPS}
    totals = dict.fromkeys(_GAPS, 0)
    for gap in account.gaps:
        ts = np.array([min(max(gap.local_ts + account.local_ts_shift_ns, -_FAR), _FAR)], np.int64)
        name = "time_gaps" if gap.kind == "time" else "sequence_gaps" if gap.size > 0 else "sequence_repeats"
        totals[name] += 1
        if count:
            columns[name][_span_index(ts, first_ts, span_ns, count)] += 1
    return columns, Account(
        **totals,
        gaps_unlisted=max(account.gap_count - len(account.gaps), 0),
        refused=account.refused_count,
        damage=account.damage,
        local_ts_shift_ns=account.local_ts_shift_ns,
        rounded_prices=meta.rounded.get("px", 0),
        rounded_quantities=meta.rounded.get("qty", 0),
        gap_rows=meta.gap_rows,
    )


class _Silences:
    """The longest times without a row at the exchange, at most 100 of at least a second."""

    def __init__(self) -> None:
        self._last: Column = np.zeros(0, np.int64)  # the last time, if there was one
        self._start: Column = np.zeros(0, np.int64)  # by time
        self._ns: Column = np.zeros(0, np.int64)

    def take(self, ts: Column) -> None:
        """Look at times of rows at the exchange."""
        ts = np.concatenate([self._last, ts])
        self._last = ts[-1:]
        gaps = np.diff(np.clip(ts, -(2**61), 2**61))
        rows = np.flatnonzero(gaps >= _SECOND)
        if not len(rows):
            return
        start, ns = np.concatenate([self._start, ts[rows]]), np.concatenate([self._ns, gaps[rows]])
        kept = np.sort(np.argsort(-ns, kind="stable")[:_SILENCES_MAX])
        self._start, self._ns = start[kept], ns[kept]

    def longest(self) -> list[Silence]:
        """Return them by time."""
        return [Silence(start, ns) for start, ns in zip(self._start.tolist(), self._ns.tolist(), strict=True)]
