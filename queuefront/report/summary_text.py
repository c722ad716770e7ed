"""The summary as people read it: numbers as text, rows of a table, and that table for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from queuefront.core import format_duration, format_ts

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from queuefront.report.market_data import MarketData
    from queuefront.report.summary import AssetSummary, Summary

__all__ = ["UNKNOWN", "basis_points", "columns_of", "latency", "number", "percent", "render_summary", "summary_rows"]

#: Stands for what is not known.
UNKNOWN = "–"


def render_summary(summary: Summary) -> Table:
    """Return the summary as a table for the terminal: a row a figure, a column an asset."""
    from rich.markup import escape
    from rich.table import Table

    columns = columns_of(summary)
    notes = [*summary.notes, *(f"{column.name}: {note}" for column in columns for note in column.notes)]
    table = Table(caption=escape("\n".join(notes)) or None, caption_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(escape(column.name), justify="right")
    for _, rows in summary_rows(summary):
        for label, cells in rows:
            table.add_row(label, *(escape(cell) for cell in cells))
        table.add_section()
    return table


def columns_of(summary: Summary) -> list[AssetSummary]:
    """Return the assets, and the total where it adds something."""
    if summary.total is None or len(summary.assets) == 1:
        return list(summary.assets)
    return [*summary.assets, summary.total]


def summary_rows(summary: Summary) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return every figure as text: (group, [(label, [one text a column of `columns_of`])])."""
    columns = columns_of(summary)
    scaled = f"{summary.sharpe_interval}, {summary.trading_days_per_year:g} days"
    groups = _FIGURES if all(column.market_data is None for column in columns) else (*_FIGURES, _MARKET_DATA)
    return [
        (group, [(label.format(scaled=scaled), [text(column) for column in columns]) for label, text in figures])
        for group, figures in groups
    ]


def number(value: float | None) -> str:
    """Write a number for people: about six significant digits, thousands separated."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "0"
    decimals = min(12, max(0, 5 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float | None) -> str:
    """Write a share as a percentage."""
    return UNKNOWN if value is None else f"{value:.2%}"


def basis_points(value: float | None) -> str:
    """Write a share in basis points, hundredths of a percent."""
    return UNKNOWN if value is None else f"{value * 1e4:,.3f} bp"


def latency(ns: float | None) -> str:
    """Write a mean duration."""
    return UNKNOWN if ns is None else format_duration(round(float(f"{ns:.4g}")))


def _time(ns: int | None) -> str:
    return UNKNOWN if ns is None else format_ts(ns)[:23].replace("T", " ")


def _order_count(name: str) -> Callable[[AssetSummary], str]:
    return lambda s: UNKNOWN if s.orders is None else f"{getattr(s.orders, name):,}"


def _data(text: Callable[[MarketData], str]) -> Callable[[AssetSummary], str]:
    return lambda s: UNKNOWN if s.market_data is None else text(s.market_data)


def _profit(profit: float | None, share: float | None) -> str:
    return number(profit) if share is None else f"{number(profit)} ({percent(share)})"


_MARKET_DATA: tuple[str, tuple[tuple[str, Callable[[AssetSummary], str]], ...]] = (
    "Market data",
    (
        ("Verdict of the tape", _data(lambda d: d.verdict)),
        ("Bad time", _data(lambda d: percent(d.bad_time) + (", masked" if d.is_masked else ""))),
        ("Suspect time", _data(lambda d: percent(d.suspect_time))),
        ("Net profit in bad spans", _data(lambda d: _profit(d.bad_profit, d.bad_profit_share))),
        ("Net profit in suspect spans", _data(lambda d: _profit(d.suspect_profit, d.suspect_profit_share))),
        ("Fills in bad, suspect spans", _data(lambda d: f"{d.bad_fills:,}, {d.suspect_fills:,}")),
    ),
)

_FIGURES: tuple[tuple[str, tuple[tuple[str, Callable[[AssetSummary], str]], ...]], ...] = (
    (
        "Run",
        (
            ("Start (UTC)", lambda s: _time(s.start_ts)),
            ("End (UTC)", lambda s: _time(s.end_ts)),
            ("Duration", lambda s: UNKNOWN if s.duration_ns is None else format_duration(s.duration_ns)),
            ("Samples", lambda s: f"{s.samples:,}"),
            ("Currency", lambda s: s.currency or "not stated"),
        ),
    ),
    (
        "Profit",
        (
            ("Net profit", lambda s: number(s.net_profit)),
            ("Gross profit", lambda s: number(s.gross_profit)),
            ("Fees", lambda s: number(s.fees)),
            ("Net profit / value traded", lambda s: basis_points(s.return_over_value)),
            ("Max drawdown", lambda s: number(s.max_drawdown)),
            ("Sharpe ratio ({scaled})", lambda s: number(s.sharpe)),
            ("Sortino ratio ({scaled})", lambda s: number(s.sortino)),
        ),
    ),
    (
        "Trading",
        (
            ("Fills", lambda s: f"{s.fills:,}"),
            ("Maker share of value", lambda s: percent(s.maker_share)),
            ("Volume", lambda s: number(s.volume)),
            ("Value traded", lambda s: number(s.value)),
            ("Queue ahead of filled, mean", lambda s: number(s.mean_queue_ahead)),
            ("Queue ahead of filled, median", lambda s: number(s.median_queue_ahead)),
        ),
    ),
    (
        "Position",
        (
            ("Largest |position|", lambda s: number(s.max_position)),
            ("Mean |position|", lambda s: number(s.mean_position)),
            ("Final position", lambda s: number(s.final_position)),
        ),
    ),
    (
        "Orders",
        (
            ("Submitted", _order_count("submitted")),
            ("Filled", _order_count("filled")),
            ("Partly filled", _order_count("partly_filled")),
            ("Canceled", _order_count("canceled")),
            ("Expired or refused", _order_count("expired")),
            ("Fill rate", lambda s: percent(s.fill_rate)),
            ("Cancel ratio", lambda s: percent(s.cancel_ratio)),
            ("Entry latency, mean", lambda s: latency(s.orders.mean_entry_latency_ns if s.orders else None)),
            ("Response latency, mean", lambda s: latency(s.orders.mean_response_latency_ns if s.orders else None)),
        ),
    ),
)
