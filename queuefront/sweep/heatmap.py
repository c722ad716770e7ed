"""Heat maps of a sweep: two parameters against one figure, as a Plotly figure and as a page that needs nothing else.

Where sets differ in more than the two parameters, a cell shows the best of them.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from queuefront.core import ConfigError
from queuefront.sweep.result import is_better_when_small

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    import polars as pl

__all__ = ["heatmap_figure", "write_heatmap"]

#: More cells than this carry no text: it would not fit.
_TEXT_CELLS_MAX: Final = 24 * 24
_BLUES: Final = ((0.0, "#eef3fb"), (0.35, "#a9c5ee"), (0.7, "#4c85d6"), (1.0, "#123f86"))
_DIVERGING: Final = ((0.0, "#c02b20"), (0.25, "#e79a93"), (0.5, "#f6f6f4"), (0.75, "#7fbfb9"), (1.0, "#00796f"))


def heatmap_figure(frame: pl.DataFrame, parameters: Sequence[str], x: str, y: str | None, metric: str) -> go.Figure:
    """Draw a figure of a sweep's sets against one or two of their parameters.

    Parameters
    ----------
    frame : as `Sweep.frame` returns it.
    parameters : the names of all parameters that vary.
    x, y : the parameters to the right and upward; without `y`, one row.
    metric : a numeric column of the frame.

    Raises
    ------
    ConfigError
        For a column that is not there.
    """
    import plotly.graph_objects as go

    for what, name in (("parameter", x), ("parameter", y), ("metric", metric)):
        if name is not None and name not in frame.columns:
            raise ConfigError(f"{what} {name!r} is no column of the sweep; choose one of {', '.join(frame.columns)}")
    columns, rows, cells = _cells(frame, x, y, metric)
    known = [value for row in cells for value in row if value is not None]
    is_diverging = bool(known) and min(known) < 0 < max(known)
    bound = max((abs(value) for value in known), default=1.0)
    others = [name for name in parameters if name not in (x, y)]
    map_trace = go.Heatmap(
        x=columns,
        y=rows,
        z=cells,
        colorscale=[list(stop) for stop in (_DIVERGING if is_diverging else _BLUES)],
        zmin=-bound if is_diverging else None,
        zmax=bound if is_diverging else None,
        text=[[_short(value) for value in row] for row in cells] if len(columns) * len(rows) <= _TEXT_CELLS_MAX else None,
        texttemplate="%{text}",
        reversescale=is_better_when_small(metric) and not is_diverging,  # dark is good
        xgap=1,
        ygap=1,
        hoverongaps=False,
        colorbar={"title": {"text": _words(metric)}, "thickness": 14, "outlinewidth": 0},
        hovertemplate=f"{x} %{{x}}<br>{y or ''} %{{y}}<br>{_words(metric)} %{{z:,.6~g}}<extra></extra>",
    )
    figure = go.Figure(map_trace)
    figure.update_layout(
        height=max(260, min(900, 170 + 44 * len(rows))),
        margin={"l": 70, "r": 20, "t": 16, "b": 60},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13},
        meta={"others": others},
    )
    figure.update_xaxes(type="category", title_text=x, showgrid=False, ticks="", ticklabelstandoff=6)
    figure.update_yaxes(type="category", title_text=y or "", showgrid=False, ticks="", ticklabelstandoff=6)
    return figure


def write_heatmap(
    path: str | Path, frame: pl.DataFrame, parameters: Sequence[str], x: str, y: str | None, metric: str, *, title: str
) -> Path:
    """Write the heat map with the table of the best sets as one file that loads nothing, and return its path."""
    from importlib import resources

    from plotly.offline import get_plotlyjs
    from plotly.utils import PlotlyJSONEncoder

    from queuefront.report import CONTENT_POLICY

    figure = heatmap_figure(frame, parameters, x, y, metric)
    others = figure.layout.meta["others"]
    best = "smallest" if is_better_when_small(metric) else "largest"
    told = f"{len(frame):,} sets · {_words(metric)} by {x}{f' and {y}' if y else ''}"
    aside = f"Each cell shows the {best} {_words(metric)} over all values of {', '.join(others)}." if others else ""
    failed = frame["error"].count()
    note = f'<div class="note" role="note"><p>{failed:,} sets failed; their cells are empty.</p></div>' if failed else ""
    css = (resources.files("queuefront.report") / "page" / "report.css").read_text(encoding="utf-8")
    data = json.dumps(figure.to_dict(), cls=PlotlyJSONEncoder, separators=(",", ":"))
    target = Path(path)
    text = f"""<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">
<title>{escape(title)}</title>
<style>{css}</style>
</head>
<body>
<header class="masthead"><div><h1>{escape(title)}</h1><p class="subtitle"><span>{escape(told)}</span></p></div></header>
<noscript><main><div class="note"><p>The chart needs JavaScript; the table is below.</p></div></main></noscript>
<main>
{note}
<div class="card"><div class="chart" id="heatmap" role="img" aria-label="{escape(told)}"></div>
<p class="aside">{escape(aside)}</p></div>
{_table(frame, parameters, metric)}
</main>
<footer class="footer">Queuefront parameter sweep. This file is complete: it loads nothing.</footer>
<script type="application/json" id="figure">{_script_safe(data)}</script>
<script>{get_plotlyjs()}</script>
<script>
const figure = JSON.parse(document.getElementById("figure").textContent);
Plotly.newPlot("heatmap", figure.data, figure.layout, {{responsive: true, displayModeBar: false}});
</script>
</body>
</html>
"""
    target.write_text(text, encoding="utf-8")
    return target


def _cells(frame: pl.DataFrame, x: str, y: str | None, metric: str) -> tuple[list[str], list[str], list[list[Any]]]:
    """Return the labels of columns and rows, and the best value of each cell, None where there is none."""
    import polars as pl

    rows = frame.select(
        pl.col(x).alias("x"), (pl.lit("") if y is None else pl.col(y)).alias("y"), pl.col(metric).alias("z")
    ).rows()
    best: dict[tuple[Any, Any], Any] = {}
    for column, row, value in rows:
        before = best.get((column, row))
        if value is None or before is None:
            best[column, row] = before if value is None else value
        else:
            best[column, row] = min(before, value) if is_better_when_small(metric) else max(before, value)
    columns, lines = sorted({column for column, _ in best}), sorted({row for _, row in best})
    cells = [[best.get((column, row)) for column in columns] for row in lines]
    return [_label(value) for value in columns], [_label(value) for value in lines], cells


def _table(frame: pl.DataFrame, parameters: Sequence[str], metric: str, count: int = 20) -> str:
    ordered = frame.drop_nulls(metric).sort(metric, descending=not is_better_when_small(metric), maintain_order=True)
    figures = [name for name in ("net_profit", "sharpe", "max_drawdown", "fills", "fill_rate") if name in frame.columns]
    names = list(dict.fromkeys([*parameters, metric, *figures]))
    head = "".join(f'<th scope="col" class="amount">{escape(n if n in parameters else _words(n))}</th>' for n in names)
    body = "".join(
        "<tr>" + "".join(f'<td class="amount">{escape(_label(value))}</td>' for value in row) + "</tr>"
        for row in ordered.select(names).head(count).rows()
    )
    heading = "The best sets" if len(ordered) > count else "All sets, the best first"
    return (
        f'<div class="card"><h2>{heading}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></div>"
    )


def _label(value: Any) -> str:
    from queuefront.report import number

    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, int | float) or value is None else str(value)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _script_safe(text: str) -> str:
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
