"""The pieces of the HTML report: functions from figures to markup, with every outside text escaped."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

from queuefront.core import format_duration, format_ts
from queuefront.report.summary_text import UNKNOWN, basis_points, columns_of, latency, number, percent, summary_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queuefront.report.outcomes import OrderOutcomes
    from queuefront.report.summary import AssetSummary, Summary

__all__ = [
    "CONTENT_POLICY",
    "FOOTER",
    "chart",
    "configuration",
    "headline",
    "masthead",
    "no_fills",
    "no_samples",
    "notes",
    "reading",
    "section",
    "summary_table",
    "tabs",
    "tape_table",
]

#: The page runs the scripts it contains and can reach no network. Plotly's WebGL markers are compiled at run time, which
#: needs 'unsafe-eval': SVG markers would do without, but 20,000 of them took 3.4 s a zoom where WebGL took 0.03 s.
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
FOOTER: Final = '<footer class="footer">Queuefront backtest report. This file is complete: it loads nothing.</footer>'

_TAPE_COLUMNS: Final = ("symbol", "venue", "start_ts", "end_ts", "events", "checksum")


def masthead(title: str, summary: Summary, tapes: Sequence[Mapping[str, Any]]) -> str:
    """Return the title, what ran, and over which time."""
    starts = [asset.start_ts for asset in summary.assets if asset.start_ts is not None]
    ends = [asset.end_ts for asset in summary.assets if asset.end_ts is not None]
    told = [", ".join(f"{asset.venue}:{asset.name}".strip(":") for asset in summary.assets)]
    if starts:
        told.append(f"{_moment(min(starts))} to {_moment(max(ends))} UTC")
        told.append(format_duration(max(ends) - min(starts)))
    events = [tape["events"] for tape in tapes if isinstance(tape.get("events"), int)]
    if events:
        told.append(f"{sum(events):,} events")
    spans = "".join(f"<span>{escape(text)}</span>" for text in told)
    return (
        f'<header class="masthead"><div><h1>{escape(title)}</h1><p class="subtitle">{spans}</p></div>'
        '<button class="theme" type="button" hidden></button></header>'
        '<noscript><main><div class="note"><p>The charts need JavaScript; figures and tables are below.</p></div></main>'
        "</noscript>"
    )


def notes(texts: Sequence[str]) -> str:
    """Return a box with notes, or nothing."""
    return f'<div class="note" role="note">{"".join(f"<p>{escape(text)}</p>" for text in texts)}</div>' if texts else ""


def tabs(names: Sequence[str]) -> str:
    """Return the selector of sections, the first one selected."""
    buttons = "".join(
        f'<button type="button" role="tab" aria-selected="{"false" if i else "true"}">{escape(name)}</button>'
        for i, name in enumerate(names)
    )
    return f'<div class="tabs" role="tablist" aria-label="Assets">{buttons}</div>'


def section(i: int, title: str, body: str) -> str:
    """Return the part of the page that belongs to one asset (-1: all of them)."""
    return f'<section data-asset="{i}" aria-label="{escape(title)}">\n{body}\n</section>'


def headline(asset: AssetSummary, *, is_total: bool = False) -> str:
    """Return the figures that one looks for first; of the total, only those that add up over assets."""
    orders = asset.orders
    latencies = (
        f"latency in {latency(orders.mean_entry_latency_ns)}, back {latency(orders.mean_response_latency_ns)}"
        if orders and orders.answered
        else ""
    )
    cards = [
        (
            "Net profit",
            _signed(asset.net_profit),
            asset.currency,
            f"gross {number(asset.gross_profit)}, fees {number(asset.fees)}",
        ),
        (
            "Net profit / value traded",
            (basis_points(asset.return_over_value), ""),
            "",
            f"{number(asset.value)} {asset.currency} traded",
        ),
        (
            "Max drawdown",
            (number(asset.max_drawdown), ""),
            asset.currency,
            _multiple(asset.net_profit, asset.max_drawdown, "net profit is {} the drawdown"),
        ),
        ("Sharpe ratio, yearly", (number(_rounded(asset.sharpe)), ""), "", f"Sortino {number(_rounded(asset.sortino))}"),
        ("Fills", (f"{asset.fills:,}", ""), "", f"{percent(asset.maker_share)} of value as maker" if asset.fills else ""),
        (
            "Fill rate",
            (percent(asset.fill_rate), ""),
            "",
            f"{orders.filled:,} of {orders.submitted:,} orders" if orders else "orders were not recorded",
        ),
    ]
    if is_total:
        cards.append(("Value traded", (number(asset.value), ""), asset.currency, "by all assets"))
        cards.append(("Orders", (f"{orders.submitted:,}" if orders else UNKNOWN, ""), "", latencies))
    else:
        held = f"mean {number(asset.mean_position)}, final {number(asset.final_position)}"
        cards.append(("Largest |position|", (number(asset.max_position), ""), "", held))
        cards.append(("Queue ahead of filled, median", (number(asset.median_queue_ahead), ""), "", latencies))
    return f'<dl class="headline">{"".join(_card(*card) for card in cards)}</dl>'


def no_fills(orders: OrderOutcomes | None) -> str:
    """Return why there may be no fills, as far as the order changes tell."""
    if orders is None:
        lead = "Order changes were not recorded, so the reason is not known."
        reasons = [
            "the strategy sent no order",
            "its orders expired on arrival",
            "its orders rested, and the queue never reached them",
        ]
    elif orders.submitted == 0:
        lead = "The strategy sent no order."
        reasons = [
            "its condition to quote was never met",
            "it returned before it came to quoting",
            "it waits for more data than the tape holds",
        ]
    elif orders.answered == 0:
        lead = f"None of {orders.submitted:,} orders was answered by the exchange."
        reasons = ["the data ended before the orders arrived: compare the entry latency with the run's duration"]
    elif orders.expired == orders.submitted:
        lead = f"All {orders.submitted:,} orders expired on arrival."
        reasons = [
            "GTX (post-only) orders would have taken liquidity: quote further from the other side",
            "IOC or FOK orders found nothing at their price",
        ]
    else:
        fates = f"{orders.canceled:,} canceled, {orders.expired:,} expired"
        lead = f"{orders.submitted:,} orders were sent, {fates}; none was reached."
        reasons = [
            "they rested too far from the best price",
            "they were canceled or moved before the queue ahead had traded: an order that changes its price queues again",
            "the queue model is cautious: the risk-averse one advances on trades only",
        ]
    return f'<div class="note" role="note"><p><b>No fills:</b> {escape(lead)} Likely:</p>{_list(reasons)}</div>'


def no_samples() -> str:
    """Return what stands instead of the charts when nothing was recorded."""
    return _box("No charts", '<p class="aside">No samples were recorded, so there is nothing to draw over time.</p>')


def chart(name: str, label: str, aside: str = "", heading: str = "") -> str:
    """Return the place of a chart."""
    tail = f'<p class="aside">{escape(aside)}</p>' if aside else ""
    place = f'<div class="chart" data-figure="{escape(name)}" role="img" aria-label="{escape(label)}"></div>'
    return _box(heading, place + tail)


def summary_table(summary: Summary) -> str:
    """Return every figure of the summary, a column an asset."""
    columns = columns_of(summary)
    groups = summary_rows(summary)
    if len(columns) == 1:
        tables = "".join(f"<table>{_group(*group, width=1)}</table>" for group in groups)
        return _box("Summary", f'<div class="groups">{tables}</div>')
    head = "".join(f'<th scope="col" class="amount">{escape(column.name)}</th>' for column in columns)
    body = "".join(_group(*group, width=len(columns)) for group in groups)
    table = f'<table><thead><tr><th scope="col"></th>{head}</tr></thead>{body}</table>'
    return _box("Summary", f'<div class="scroll">{table}</div>')


def configuration(config: Mapping[str, Any]) -> str:
    """Return the whole configuration: dotted keys with their values, and the same as JSON."""
    if not config:
        return _box("Configuration", '<p class="aside">The run was not given one.</p>')
    rows = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(text)}</dd></div>" for key, text in _flat(config))
    whole = escape(json.dumps(config, indent=2, default=str, ensure_ascii=False))
    details = f"<details><summary>As JSON</summary><pre>{whole}</pre></details>"
    return _box("Configuration", f'<dl class="settings">{rows}</dl>{details}')


def tape_table(tapes: Sequence[Mapping[str, Any]]) -> str:
    """Return what identifies the tapes."""
    if not tapes:
        return _box("Market data", '<p class="aside">The tapes were not named.</p>')
    keys = {key for tape in tapes for key in tape}
    rest = [key for tape in tapes for key in tape if key not in _TAPE_COLUMNS]
    names = [key for key in _TAPE_COLUMNS if key in keys] + list(dict.fromkeys(rest))
    head = "".join(f'<th scope="col">{escape(_heading(name))}</th>' for name in names)
    rows = "".join(f"<tr>{''.join(_tape_cell(name, tape.get(name)) for name in names)}</tr>" for tape in tapes)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _box("Market data", f'<div class="scroll">{table}</div>')


def reading(summary: Summary) -> str:
    """Return how the figures are counted."""
    ratios = f"over {summary.sharpe_interval} and scaled to {summary.trading_days_per_year:g} days"
    texts = (
        "Equity values the open position at the local book's mid price; while a side of the book is empty, there is none.",
        (
            f"Sharpe and Sortino ratios come from equity changes {ratios}. Of a run of hours they are extrapolations: "
            "use them to compare runs over the same data, and for nothing else."
        ),
        "Blue is equity net of fees, light blue before fees; the gray line behind is the mid price, on the right axis.",
        (
            "Maker fills are drawn hollow, taker fills solid; buys point up, sells down. Fills stand at the exchange's "
            "time, samples at ours."
        ),
        "Queue ahead is the quantity that stood before the order when it came to rest, as the queue model estimates it.",
    )
    return _box("How to read this", f'<div class="reading">{"".join(f"<p>{escape(text)}</p>" for text in texts)}</div>')


def _box(heading: str, content: str) -> str:
    head = f"<h2>{escape(heading)}</h2>" if heading else ""
    return f'<div class="card">{head}{content}</div>'


def _group(title: str, rows: Sequence[tuple[str, Sequence[str]]], *, width: int) -> str:
    head = f'<tr><th scope="rowgroup" colspan="{width + 1}">{escape(title)}</th></tr>'
    lines = "".join(f'<tr><th scope="row">{escape(label)}</th>{_amounts(cells)}</tr>' for label, cells in rows)
    return f'<tbody class="group">{head}{lines}</tbody>'


def _amounts(cells: Sequence[str]) -> str:
    return "".join(f'<td class="amount">{_shown(cell)}</td>' for cell in cells)


def _shown(text: str) -> str:
    # A minus sign is as wide as a digit; hyphens inside dates and names stay.
    return re.sub(r"(?<![\w.:-])-(?=\d)", "−", escape(text))


def _card(label: str, value: tuple[str, str], unit: str, detail: str) -> str:
    text, kind = value
    shown_unit = f' <span class="unit">{escape(unit)}</span>' if unit and text != UNKNOWN else ""
    return (
        f'<div><dt>{escape(label)}</dt><dd class="figure {kind}">{_shown(text)}{shown_unit}</dd>'
        f'<dd class="detail">{_shown(detail)}</dd></div>'
    )


def _signed(value: float | None) -> tuple[str, str]:
    if not value:
        return number(value), ""
    return (f"+{number(value)}", "gain") if value > 0 else (number(value), "loss")


def _multiple(part: float | None, whole: float | None, text: str) -> str:
    return text.format(f"{part / whole:.2f}×") if part is not None and whole else ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def _moment(ns: int) -> str:
    return format_ts(ns)[:19].replace("T", " ")


def _flat(value: Any, key: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [row for name, inner in value.items() for row in _flat(inner, f"{key}.{name}" if key else str(name))]
    is_nested = isinstance(value, list | tuple) and any(isinstance(inner, dict | list | tuple) for inner in value)
    if is_nested:
        return [row for i, inner in enumerate(value) for row in _flat(inner, f"{key}[{i}]")]
    if isinstance(value, list | tuple):
        return [(key, ", ".join(_text(inner) for inner in value) or "(none)")]
    return [(key, _text(value))]


def _text(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value) or "(empty)"


def _heading(name: str) -> str:
    return {"start_ts": "Start (UTC)", "end_ts": "End (UTC)"}.get(name, name.replace("_", " ").capitalize())


def _tape_cell(name: str, value: Any) -> str:
    if value is None:
        return f"<td>{UNKNOWN}</td>"
    if name.endswith("_ts") and isinstance(value, int):
        return f"<td>{escape(_moment(value))}</td>"
    kind = ' class="checksum"' if name in ("checksum", "sha256") else ""
    return f"<td{kind}>{escape(_text(value))}</td>"
