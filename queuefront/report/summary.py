"""What a run came to: one record of figures an asset, and one for the whole where the currencies are the same.

How the figures are counted:

- Money comes from the samples: the change from the first sample with a known equity to the last one. Counts, volume and
  queue positions come from the fills; fates and latencies of orders from the order changes. A recorder that starts late
  therefore misses profit but no fill, and a note says so.
- Sharpe and Sortino ratios use the equity at the end of every interval (`sharpe_interval`), an interval without a sample
  repeating the last known equity, and are scaled to a year of `trading_days_per_year` days of 24 hours. Of a run of hours
  they are an extrapolation, not an estimate.
- An order is counted once a submission, although its id may be used again later. Queue positions are those of the fills of
  orders that had rested: orders that were never reached are not in the mean.
- What cannot be known is None. Nothing here is NaN, so that the record survives JSON.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from queuefront.core import ConfigError, Instrument, format_ts
from queuefront.report.frames import currency_of, total_equity_frame
from queuefront.report.market_data import MarketData
from queuefront.report.outcomes import OrderOutcomes, count_outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import polars as pl

    Records = npt.NDArray[Any]

__all__ = ["AssetSummary", "Summary", "as_list", "summarize"]

_DAY_NS = 86_400_000_000_000


class AssetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one asset, or of all of them together."""

    name: str
    venue: str = ""
    contract: str = ""
    currency: str = ""  # of every amount of money below; empty if the instrument does not say
    start_ts: int | None = None  # first and last sample, ns UTC
    end_ts: int | None = None
    samples: int = 0

    fills: int = 0
    maker_share: float | None = None  # of the value traded
    volume: float | None = None
    value: float = 0.0

    gross_profit: float | None = None  # before fees
    fees: float | None = None
    net_profit: float | None = None
    return_over_value: float | None = None  # net profit over value traded
    sharpe: float | None = None
    sortino: float | None = None
    max_drawdown: float | None = None  # positive

    max_position: float | None = None  # of |position|, between samples too
    mean_position: float | None = None  # of |position|, weighted by time
    final_position: float | None = None

    orders: OrderOutcomes | None = None
    mean_queue_ahead: float | None = None
    median_queue_ahead: float | None = None
    market_data: MarketData | None = None  # None: nobody asked; of a total, too
    notes: tuple[str, ...] = ()

    @property
    def duration_ns(self) -> int | None:
        """Time from the first to the last sample."""
        return None if self.start_ts is None or self.end_ts is None else self.end_ts - self.start_ts

    @property
    def fill_rate(self) -> float | None:
        """Filled orders over submitted ones."""
        return _share(self.orders.filled, self.orders.submitted) if self.orders else None

    @property
    def cancel_ratio(self) -> float | None:
        """Canceled orders over submitted ones."""
        return _share(self.orders.canceled, self.orders.submitted) if self.orders else None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run; `msgspec.json.encode` writes them."""

    assets: tuple[AssetSummary, ...]
    total: AssetSummary | None  # the asset itself if there is one; None if the currencies differ or are not stated
    sharpe_interval: str
    trading_days_per_year: float
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the table of `render_summary` as text."""
        from io import StringIO

        from rich.console import Console

        from queuefront.report.summary_text import render_summary

        text = StringIO()
        Console(file=text, width=100, color_system=None).print(render_summary(self))
        return text.getvalue().rstrip()


def summarize(
    equity: pl.DataFrame | Sequence[pl.DataFrame],
    fills: pl.DataFrame | Sequence[pl.DataFrame],
    instruments: Instrument | Sequence[Instrument],
    orders: Records | Sequence[Records] | None = None,
    *,
    market: Sequence[MarketData] | None = None,
    sharpe_interval: str = "10s",
    trading_days_per_year: float = 365,
) -> Summary:
    """Sum up a run.

    Parameters
    ----------
    equity, fills : the tables of `equity_frame` and `fills_frame`, one an asset, in one order.
    instruments : what the assets are, in the same order.
    orders : ORDER_CHANGE records, one array an asset, in the same order. Without them, what depends on them is None.
    market : what `market_data` says of the tapes, in the same order; left out of the summary where not given.
    sharpe_interval : spacing of the equity changes behind the Sharpe and Sortino ratios, as Polars writes durations.
    trading_days_per_year : 365 for markets that never close, 252 for exchanges with business days.

    Raises
    ------
    ConfigError
        If the numbers of frames and instruments differ, or the interval is not a duration.
    """
    assets = [instruments] if isinstance(instruments, Instrument) else list(instruments)
    equities, fills_list = as_list(equity, len(assets), "equity"), as_list(fills, len(assets), "fills")
    orders_list = [None] * len(assets) if orders is None else _arrays(orders, len(assets))
    scale = _Scale(sharpe_interval, _duration_ns(sharpe_interval), trading_days_per_year)
    market_list = [None] * len(assets) if market is None else list(market)
    rows = tuple(
        _asset(*inputs, scale) for inputs in zip(assets, equities, fills_list, orders_list, market_list, strict=True)
    )
    total, notes = _total(equities, rows, scale)
    return Summary(
        assets=rows, total=total, sharpe_interval=sharpe_interval, trading_days_per_year=trading_days_per_year, notes=notes
    )


def as_list(frames: pl.DataFrame | Sequence[pl.DataFrame], count: int, name: str) -> list[pl.DataFrame]:
    """Return one frame an asset; raise ConfigError for any other number of them."""
    import polars as pl

    listed = [frames] if isinstance(frames, pl.DataFrame) else list(frames)
    if len(listed) != count:
        raise ConfigError(f"{name}: {len(listed)} frames for {count} instruments; pass one for each, in the same order")
    return listed


def _arrays(orders: Records | Sequence[Records], count: int) -> list[Records]:
    listed = [orders] if isinstance(orders, np.ndarray) else list(orders)
    if len(listed) != count:
        raise ConfigError(f"orders: {len(listed)} arrays for {count} instruments; pass one for each, in the same order")
    return listed


class _Scale(msgspec.Struct, frozen=True):
    interval: str
    interval_ns: int
    trading_days_per_year: float


class _Positions(msgspec.Struct, frozen=True):
    max_position: float | None = None
    mean_position: float | None = None
    final_position: float | None = None


class _Money(msgspec.Struct, frozen=True):
    # What the samples say; the same for one asset and for the total.
    start_ts: int | None = None
    end_ts: int | None = None
    samples: int = 0
    gross_profit: float | None = None
    fees: float | None = None
    net_profit: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    max_drawdown: float | None = None


def _asset(
    instrument: Instrument,
    equity: pl.DataFrame,
    fills: pl.DataFrame,
    orders: Records | None,
    market: MarketData | None,
    scale: _Scale,
) -> AssetSummary:
    money = _money(equity, scale)
    amounts, is_maker = (fills[name].to_numpy() for name in ("amount", "is_maker"))
    value = math.fsum(amounts.tolist())
    queue_ahead = fills["queue_ahead_at_arrival"].drop_nulls().to_numpy()
    return AssetSummary(
        name=instrument.symbol,
        venue=instrument.venue,
        contract=str(instrument.contract),
        currency=currency_of(instrument),
        fills=len(fills),
        maker_share=_share(math.fsum(amounts[is_maker].tolist()), value),
        volume=_volume(fills, instrument),
        value=value,
        return_over_value=None if money.net_profit is None else _share(money.net_profit, value),
        **msgspec.structs.asdict(_positions(equity, fills)),
        orders=None if orders is None else count_outcomes(orders),
        mean_queue_ahead=float(np.mean(queue_ahead)) if len(queue_ahead) else None,
        median_queue_ahead=float(np.median(queue_ahead)) if len(queue_ahead) else None,
        market_data=market,
        notes=_notes(equity, fills),
        **msgspec.structs.asdict(money),
    )


def _volume(fills: pl.DataFrame, instrument: Instrument) -> float:
    # Added up in lots, where nothing is rounded.
    lots, _ = instrument.lots(fills["qty"].to_numpy())
    return float(instrument.lots_to_qty(int(lots.sum())))


def _money(equity: pl.DataFrame, scale: _Scale) -> _Money:
    if equity.is_empty():
        return _Money()
    times = equity["timestamp"].to_physical()
    known = equity.filter(equity["equity"].is_not_null())
    if known.is_empty():
        return _Money(times[0], times[-1], len(equity))
    change = {name: known[name][-1] - known[name][0] for name in ("equity_wo_fee", "fee", "equity")}
    sharpe, sortino = _ratios(known, scale)
    curve = known["equity"].to_numpy()
    return _Money(
        start_ts=times[0],
        end_ts=times[-1],
        samples=len(equity),
        gross_profit=change["equity_wo_fee"],
        fees=change["fee"],
        net_profit=change["equity"],
        sharpe=sharpe,
        sortino=sortino,
        max_drawdown=float(np.max(np.maximum.accumulate(curve) - curve)),
    )


def _ratios(known: pl.DataFrame, scale: _Scale) -> tuple[float | None, float | None]:
    import polars as pl

    windows = known.group_by_dynamic("timestamp", every=scale.interval).agg(pl.col("equity").last())
    labels = windows["timestamp"].to_physical().to_numpy()
    changes = np.diff(windows["equity"].to_numpy())
    # Intervals without a sample are changes of zero; they are counted here rather than written out.
    count = round((labels[-1] - labels[0]) / scale.interval_ns)
    if count < 2:
        return None, None
    mean = float(np.sum(changes)) / count
    variance = (float(np.sum((changes - mean) ** 2)) + (count - len(changes)) * mean**2) / (count - 1)
    losses = float(np.sum(np.minimum(0.0, changes) ** 2)) / count
    yearly = math.sqrt(_DAY_NS / scale.interval_ns * scale.trading_days_per_year)
    return (
        mean / math.sqrt(variance) * yearly if variance else None,
        mean / math.sqrt(losses) * yearly if losses else None,
    )


def _positions(equity: pl.DataFrame, fills: pl.DataFrame) -> _Positions:
    seen = np.abs(np.concatenate([equity["position"].to_numpy(), fills["position_after"].to_numpy()]))
    largest = float(np.max(seen)) if len(seen) else None
    if equity.is_empty():
        return _Positions(largest)
    held = np.diff(equity["timestamp"].to_physical().to_numpy()).astype(np.float64)
    at_samples = np.abs(equity["position"].to_numpy())
    mean = float(np.average(at_samples[:-1], weights=held)) if np.sum(held) else float(at_samples[-1])
    return _Positions(largest, mean, float(equity["position"][-1]))


def _notes(equity: pl.DataFrame, fills: pl.DataFrame) -> tuple[str, ...]:
    if equity.is_empty():
        return ("No samples were recorded, so profit and position over time are unknown.",)
    notes = []
    known = equity.filter(equity["equity"].is_not_null())
    first, last = (equity["timestamp"][i] for i in (0, -1))
    if known.is_empty():
        notes.append("No sample has a price while a position is open, so profit is unknown.")
    elif (stale := int((equity["timestamp"] > known["timestamp"][-1]).sum())) > 0:
        until = format_ts(known["timestamp"].to_physical()[-1])
        notes.append(f"Of the last {_counted(stale, 'sample')} the price is unknown: profit is as of {until}.")
    times = fills["local_ts"]
    for is_outside, when in ((times < first, "before the first"), (times > last, "after the last")):
        if count := int(is_outside.sum()):
            notes.append(f"{_counted(count, 'fill')} happened {when} sample: not all that was earned is in the profit.")
    return tuple(notes)


def _total(
    equities: Sequence[pl.DataFrame], rows: tuple[AssetSummary, ...], scale: _Scale
) -> tuple[AssetSummary | None, tuple[str, ...]]:
    if len(rows) == 1:
        return rows[0], ()
    currencies = sorted({row.currency for row in rows})
    if len(currencies) > 1 or currencies == [""]:
        named = ", ".join(f"{row.name}: {row.currency or 'not stated'}" for row in rows)
        return None, (f"No total: the assets' profits are in different or unstated currencies ({named}).",)
    sampled = [frame for frame in equities if not frame.is_empty()]
    money = _money(total_equity_frame(sampled), scale) if sampled else _Money()
    value = sum(row.value for row in rows)
    total = AssetSummary(
        name="Total",
        currency=currencies[0],
        fills=sum(row.fills for row in rows),
        maker_share=_share(sum((row.maker_share or 0.0) * row.value for row in rows), value),
        value=value,
        return_over_value=None if money.net_profit is None else _share(money.net_profit, value),
        orders=_pooled([row.orders for row in rows]),
        **msgspec.structs.asdict(money),
    )
    return total, ()


def _pooled(parts: Sequence[OrderOutcomes | None]) -> OrderOutcomes | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    answered = sum(part.answered for part in known)
    counts = {
        name: sum(getattr(part, name) for part in known)
        for name in ("submitted", "filled", "partly_filled", "canceled", "expired")
    }
    means = {
        name: _share(sum((getattr(part, name) or 0.0) * part.answered for part in known), answered)
        for name in ("mean_entry_latency_ns", "mean_response_latency_ns")
    }
    return OrderOutcomes(answered=answered, **counts, **means)  # type: ignore[arg-type]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _duration_ns(interval: str) -> int:
    import polars as pl

    epoch = pl.Series([0]).cast(pl.Datetime("ns"))
    try:
        duration = epoch.dt.offset_by(interval).to_physical()[0]
    except pl.exceptions.PolarsError as e:
        raise ConfigError(
            f"sharpe_interval {interval!r}: {str(e).splitlines()[0]}; give a duration such as '10s', '5m' or '1h'"
        ) from e
    if duration <= 0:
        raise ConfigError(f"sharpe_interval {interval!r} is not positive; give a duration such as '10s', '5m' or '1h'")
    return int(duration)
