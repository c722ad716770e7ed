"""The HTML report: one file that explains a run, and that opens anywhere without a network.

The page holds the figures of the summary, the charts of `plots` with Plotly's script inlined, the run's full configuration
and the identity of its tapes. Everything that comes from outside is escaped. The same inputs give the same bytes: the page
names no time of its making. Charts are thinned for display (`downsample`), tables and figures never.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from queuefront.report import html_parts as parts
from queuefront.report.downsample import FILLS_SHOWN_MAX, SAMPLES_SHOWN_MAX, every_nth
from queuefront.report.frames import total_equity_frame
from queuefront.report.html_page import Charts, html_page
from queuefront.report.plots import inventory_figure, profit_figure, run_figure, total_figure
from queuefront.report.summary import AssetSummary, Summary, as_list
from queuefront.report.summary_text import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    import polars as pl

__all__ = ["write_report"]


def write_report(
    path: str | Path,
    *,
    title: str,
    summary: Summary,
    equity: pl.DataFrame | Sequence[pl.DataFrame],
    fills: pl.DataFrame | Sequence[pl.DataFrame],
    config: Mapping[str, Any] | None = None,
    tapes: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write the report of a run and return its path.

    Parameters
    ----------
    path : of the file; its folder must exist.
    title : of the page.
    summary : what `summarize` returned for the same frames.
    equity, fills : the tables of `equity_frame` and `fills_frame`, one an asset, in the summary's order.
    config : the run's configuration: nested mappings, lists and plain values, shown in full.
    tapes : what identifies each tape, such as symbol, venue, start_ts, end_ts, events, checksum. Integers of keys that end
        in `_ts` are shown as times.

    Raises
    ------
    ConfigError
        If the numbers of frames and assets differ.
    """
    count = len(summary.assets)
    equities, fills_list = as_list(equity, count, "equity"), as_list(fills, count, "fills")
    charts = Charts()
    names = [column.name for column in columns_of(summary)]
    sections = [
        _asset_section(i, *inputs, charts)
        for i, inputs in enumerate(zip(summary.assets, equities, fills_list, strict=True))
    ]
    if summary.total is not None and count > 1:
        names.insert(0, names.pop())
        sections.insert(0, _total_section(summary.total, equities, charts))
    body = [
        parts.masthead(title, summary, tapes),
        "<main>",
        parts.notes(summary.notes),
        parts.tabs(names) if len(names) > 1 else "",
        *sections,
        parts.summary_table(summary),
        parts.configuration(config or {}),
        parts.tape_table(tapes),
        parts.reading(summary),
        "</main>",
        parts.FOOTER,
    ]
    target = Path(path)
    target.write_text(html_page(title, "\n".join(body), charts, summary), encoding="utf-8")
    return target


def _asset_section(i: int, asset: AssetSummary, equity: pl.DataFrame, fills: pl.DataFrame, charts: Charts) -> str:
    title = f"{asset.venue}:{asset.name}".strip(":")
    body = [parts.notes(asset.notes), parts.headline(asset)]
    if fills.is_empty():
        body.append(parts.no_fills(asset.orders))
    if equity.is_empty():
        body.append(parts.no_samples())
    else:
        charts.add(f"run-{i}", run_figure(equity, fills, currency=asset.currency))
        body.append(
            parts.chart(f"run-{i}", f"Equity, price with fills, position and drawdown of {title}", _thinning(equity, fills))
        )
        small = [
            _small(f"inventory-{i}", "Inventory", "Share of the time at each position", inventory_figure(equity), charts)
        ]
        if equity["equity"].count():
            profit = profit_figure(equity, currency=asset.currency)
            small.append(_small(f"profit-{i}", "Profit by period", "Net profit of each period", profit, charts))
        body.append(f'<div class="pair">{"".join(small)}</div>')
    return parts.section(i, title, "\n".join(body))


def _total_section(total: AssetSummary, equities: Sequence[pl.DataFrame], charts: Charts) -> str:
    sampled = [frame for frame in equities if not frame.is_empty()]
    body = [parts.headline(total, is_total=True)]
    if sampled:
        frame = total_equity_frame(sampled)
        charts.add("run-total", total_figure(frame, currency=total.currency))
        body.append(parts.chart("run-total", "Equity and drawdown of all assets together", _thinning(frame, None)))
        if frame["equity"].count():
            profit = profit_figure(frame, currency=total.currency)
            body.append(_small("profit-total", "Profit by period", "Net profit of each period, all assets", profit, charts))
    return parts.section(-1, "All assets", "\n".join(body))


def _small(name: str, heading: str, label: str, figure: go.Figure, charts: Charts) -> str:
    charts.add(name, figure)
    return parts.chart(name, label, heading=heading)


def _thinning(frame: pl.DataFrame, fills: pl.DataFrame | None) -> str:
    told = []
    if len(frame) > SAMPLES_SHOWN_MAX:
        told.append(
            f"Drawn from {len(frame):,} samples, thinned to at most {SAMPLES_SHOWN_MAX:,}: of every stretch the first and "
            "last sample and those with the lowest and highest values stay, so extremes are never lost."
        )
    if fills is not None and len(fills) > FILLS_SHOWN_MAX:
        step = every_nth(len(fills))
        told.append(f"{-(-len(fills) // step):,} of {len(fills):,} fills are marked, one in every {step}; all are counted.")
    return " ".join(told)
