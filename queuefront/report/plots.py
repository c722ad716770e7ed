"""The figures of a run, as Plotly figures: for `run.plot()`, for notebooks, and for the HTML report.

Colors come from PALETTE by role. A figure is drawn in the light colors; the report exchanges them for the dark ones when
the reader's system asks for them, which works because every color is one of these texts and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.report.downsample import FILLS_SHOWN_MAX, SAMPLES_SHOWN_MAX, every_nth, rows_with_extremes
from queuefront.report.summary_text import UNKNOWN, number

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

__all__ = [
    "PALETTE",
    "dressed",
    "inventory_figure",
    "light",
    "panels",
    "profit_figure",
    "run_figure",
    "stats_figure",
    "total_figure",
]

#: Role of a color, with its text in light and dark surroundings.
PALETTE: Final[dict[str, tuple[str, str]]] = {
    "ink": ("#1b2430", "#e6e9ee"),
    "muted": ("#5d6878", "#9aa5b4"),
    "grid": ("#e7eaf0", "#29303a"),
    "zero": ("#b9c1cd", "#475160"),
    "surface": ("#fefefe", "#161b22"),
    "equity": ("#1d5fc4", "#6ba6ff"),
    "equity_wo_fee": ("#86aee6", "#3e6cab"),
    "price_behind": ("#c2c8d1", "#4a5462"),
    "price": ("#7b8694", "#8793a3"),
    "position": ("#6d4bc3", "#a98bf5"),
    "position_area": ("rgba(109,75,195,0.14)", "rgba(169,139,245,0.18)"),
    "loss": ("#c02b20", "#ff7a6b"),
    "loss_area": ("rgba(192,43,32,0.14)", "rgba(255,122,107,0.18)"),
    "suspect_area": ("rgba(226,184,91,0.22)", "rgba(226,184,91,0.20)"),
    "buy": ("#00796f", "#2fd0bd"),
    "sell": ("#c4490a", "#ff9a4d"),
}

_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
_MANY_FILLS: Final = 2_000  # beyond this SVG markers get slow, and WebGL draws them
_PERIODS: Final = ("1m", "5m", "15m", "1h", "4h", "1d", "7d", "30d")
_BARS_MAX: Final = 60
_GAP_PX, _TOP_PX, _BOTTOM_PX = 54, 62, 48
_NS: Final = {"m": 60_000_000_000, "h": 3_600_000_000_000, "d": 86_400_000_000_000}


def run_figure(equity: pl.DataFrame, fills: pl.DataFrame, *, title: str = "", currency: str = "") -> go.Figure:
    """Draw one asset's run on one time axis: equity and price, price and our fills, position, drawdown.

    Parameters
    ----------
    equity, fills : the tables of `equity_frame` and `fills_frame`; either may be empty.
    title : above the figure; none unless given.
    currency : of the equity, for its axis.

    Samples are thinned to SAMPLES_SHOWN_MAX by `rows_with_extremes`, fills to FILLS_SHOWN_MAX by taking every n-th.
    """
    names = ("equity", "equity_wo_fee", "price", "position", "drawdown")
    shown = _thinned(equity, names)
    times = shown["timestamp"].to_numpy()
    figure = panels(
        {f"Equity{_in(currency)}": 260, "Price and fills": 340, "Position": 120, f"Drawdown{_in(currency)}": 120}
    )
    _add_equity(figure, shown)
    figure.add_trace(_line(times, shown["price"], "Mid price", "price", legend="legend2", width=1), row=2, col=1)
    for trace in _fill_traces(fills):
        figure.add_trace(trace, row=2, col=1)
    _add_position(figure, shown, row=3)
    _add_drawdown(figure, shown, row=4)
    return _finished(figure, shown, title=title)


def total_figure(total: pl.DataFrame, *, title: str = "", currency: str = "") -> go.Figure:
    """Draw the equity and drawdown of `total_equity_frame`."""
    shown = _thinned(total, ("equity", "equity_wo_fee", "drawdown"))
    figure = panels({f"Equity{_in(currency)}": 320, f"Drawdown{_in(currency)}": 140})
    _add_equity(figure, shown)
    _add_drawdown(figure, shown, row=2)
    return _finished(figure, shown, title=title)


def stats_figure(entire: pl.DataFrame, *, book_size: float | None = None, has_price_as_return: bool = False) -> go.Figure:
    """Draw the prepared samples of `Stats`: equity against the price, and the position.

    With `book_size` equity is a return in percent of it; with `has_price_as_return` the price is its return since the first
    known one.
    """
    import polars as pl

    scale = 1.0 if book_size is None else 100.0 / book_size
    price = pl.col("price").fill_nan(None)
    shown_price = (price / price.drop_nulls().first() - 1) * 100 if has_price_as_return else price
    frame = entire.with_columns(
        price=shown_price,
        equity=(pl.col("equity_wo_fee") - pl.col("fee")) * scale,
        equity_wo_fee=pl.col("equity_wo_fee") * scale,
    )
    shown = _thinned(frame, ("equity", "equity_wo_fee", "price", "position"))
    figure = panels({"Equity" if book_size is None else "Cumulative return, %": 360, "Position": 150})
    _add_equity(figure, shown, price_name="Price, % since the start" if has_price_as_return else "Mid price")
    _add_position(figure, shown, row=2)
    return _finished(figure, shown)


def inventory_figure(equity: pl.DataFrame) -> go.Figure:
    """Draw how much of the time each position was held."""
    import plotly.graph_objects as go

    # Positions are whole lots; rounding takes away what summing them as floats has left.
    position = np.round(equity["position"].to_numpy(), 12)
    times = equity["timestamp"].to_physical().to_numpy()
    held = np.diff(times, append=times[-1:]).astype(np.float64)
    weights = held / held.sum() * 100 if held.sum() else np.full(len(held), 100.0 / max(1, len(held)))
    centers, rows = np.unique(position, return_inverse=True)
    width = np.min(np.diff(centers), initial=np.inf) if len(centers) > 1 else 1.0
    if len(centers) > _BARS_MAX:
        width *= np.ceil(np.ptp(position) / width / _BARS_MAX)
        whole = np.round((position - centers[0]) / width)
        centers, rows = np.unique(centers[0] + whole * width, return_inverse=True)
    shares = np.bincount(rows, weights=weights)
    bars = go.Bar(
        x=centers, y=shares, width=0.9 * width, marker={"color": light("position"), "line": {"width": 0}},
        hovertemplate="position %{x:,.8~f}<br>%{y:.2f} % of the time<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(bars)
    if len(centers) == 1:
        figure.update_xaxes(range=[centers[0] - 5 * width, centers[0] + 5 * width])
    return _finished_small(figure, x_title="position", y_title="share of the time, %")


def profit_figure(equity: pl.DataFrame, *, currency: str = "") -> go.Figure:
    """Draw the net profit of each period: minutes to months, the shortest that needs at most 60 bars."""
    import plotly.graph_objects as go
    import polars as pl

    known = equity.filter(pl.col("equity").is_not_null())
    period = _period(known)
    closing = known.group_by_dynamic("timestamp", every=period).agg(pl.col("equity").last())
    opening = closing["equity"].shift(1, fill_value=known["equity"].first())
    profits = (closing["equity"] - opening).to_numpy()
    middle = closing["timestamp"].to_numpy() + np.timedelta64(_period_ns(period) // 2, "ns")
    colors = [light("equity") if profit >= 0 else light("loss") for profit in profits]
    bars = go.Bar(
        x=middle, y=profits, width=0.86 * _period_ns(period) / 1e6, marker={"color": colors, "line": {"width": 0}},
        customdata=np.datetime_as_string(closing["timestamp"].to_numpy(), unit="m"),
        hovertemplate=f"{period} from %{{customdata}}<br>%{{y:+,.6~g}}<extra></extra>",
    )  # fmt: skip
    return _finished_small(go.Figure(bars), x_title=f"UTC, bars of {period}", y_title=f"net profit{_in(currency)}")


def _thinned(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    if frame.is_empty():
        return frame
    return frame[rows_with_extremes([frame[name].cast(float).to_numpy() for name in names], SAMPLES_SHOWN_MAX)]


def panels(heights_px: dict[str, int]) -> go.Figure:
    """Return an empty figure of panels on one time axis, by title and height."""
    from plotly.subplots import make_subplots

    height = sum(heights_px.values()) + _GAP_PX * (len(heights_px) - 1)
    figure = make_subplots(
        rows=len(heights_px), cols=1, shared_xaxes=True, row_heights=list(heights_px.values()),
        subplot_titles=list(heights_px), specs=[[{"secondary_y": row == 0}] for row in range(len(heights_px))],
        vertical_spacing=_GAP_PX / height,
    )  # fmt: skip
    figure.update_layout(height=height + _TOP_PX + _BOTTOM_PX, margin={"l": 70, "r": 24, "t": _TOP_PX, "b": _BOTTOM_PX})
    for annotation in figure.layout.annotations:
        annotation.update(x=0, xanchor="left", yshift=5, font={"size": 13, "color": light("ink")})
    return figure


def _add_equity(figure: go.Figure, shown: pl.DataFrame, price_name: str = "Mid price, right") -> None:
    times = shown["timestamp"].to_numpy()
    if "price" in shown.columns:
        price = _line(times, shown["price"], price_name, "price_behind", width=1)
        figure.add_trace(price, row=1, col=1, secondary_y=True)
        figure.update_yaxes(showgrid=False, tickfont={"color": light("muted")}, row=1, col=1, secondary_y=True)
        # Equity is drawn over the price, so the two axes trade who lies on whom.
        behind = {"overlaying": None, "side": "right", "domain": figure.layout.yaxis.domain}
        figure.update_layout(yaxis={"overlaying": "y2", "tickmode": "auto"}, yaxis2=behind)
    before_fees = _line(times, shown["equity_wo_fee"], "Before fees", "equity_wo_fee", width=1.2)
    figure.add_trace(before_fees, row=1, col=1, secondary_y=False)
    figure.add_trace(_line(times, shown["equity"], "Net of fees", "equity", width=1.8), row=1, col=1, secondary_y=False)


def _add_position(figure: go.Figure, shown: pl.DataFrame, row: int) -> None:
    line = _line(shown["timestamp"].to_numpy(), shown["position"], "Position", "position", width=1.2, area="position_area")
    figure.add_trace(line.update(line={"shape": "hv"}), row=row, col=1)


def _add_drawdown(figure: go.Figure, shown: pl.DataFrame, row: int) -> None:
    line = _line(shown["timestamp"].to_numpy(), shown["drawdown"], "Drawdown", "loss", width=1.2, area="loss_area")
    figure.add_trace(line, row=row, col=1)


def _line(
    times: npt.NDArray[np.datetime64], column: pl.Series, name: str, role: str, *, width: float, **more: str
) -> go.Scatter:
    import plotly.graph_objects as go

    area = more.get("area")
    return go.Scatter(
        x=times,
        y=column.cast(float).to_numpy(),
        name=name,
        mode="lines",
        line={"color": light(role), "width": width},
        fill="tozeroy" if area else None,
        fillcolor=light(area) if area else None,
        legend=more.get("legend"),
        showlegend=area is None,
        connectgaps=False,
        hovertemplate=f"%{{x|%Y-%m-%d %H:%M:%S.%6f}}<br>{name.removesuffix(', right')} %{{y:,.8~f}}<extra></extra>",
    )


def _fill_traces(fills: pl.DataFrame) -> list[go.Scatter]:
    shown = fills.gather_every(every_nth(len(fills), FILLS_SHOWN_MAX))
    kinds = [(side, is_maker) for side in ("buy", "sell") for is_maker in (True, False)]
    groups = [(kind, shown.filter((shown["side"] == kind[0]) & (shown["is_maker"] == kind[1]))) for kind in kinds]
    return [_fill_trace(*kind, rows, is_many=len(shown) > _MANY_FILLS) for kind, rows in groups if len(rows)]


def _fill_trace(side: str, is_maker: bool, rows: pl.DataFrame, *, is_many: bool) -> go.Scatter:
    import plotly.graph_objects as go

    role = "maker" if is_maker else "taker"
    symbol = "triangle-up" if side == "buy" else "triangle-down"
    queue = [UNKNOWN if ahead is None else number(ahead) for ahead in rows["queue_ahead_at_arrival"]]
    text = [f"{ahead}<br>order {order_id}" for ahead, order_id in zip(queue, rows["order_id"], strict=True)]
    return (go.Scattergl if is_many else go.Scatter)(
        x=rows["exch_ts"].to_numpy(),
        y=rows["price"].to_numpy(),
        name=f"{side.capitalize()}, {role}",
        mode="markers",
        legend="legend2",
        marker={
            "symbol": symbol,
            "size": 5 if is_many else 8,
            "opacity": 0.6 if is_many else 1,
            # Makers are light with a strong outline, takers solid: readable without color.
            "color": light("surface" if is_maker else side),
            "line": {"width": 1 if is_many else 1.3, "color": light(side)},
        },
        customdata=rows.select("qty", "fee", "position_after").to_numpy(),
        text=text,
        hovertemplate=(
            f"<b>{side} as {role}</b><br>%{{x|%Y-%m-%d %H:%M:%S.%6f}}<br>price %{{y:,.10~f}}"
            "<br>qty %{customdata[0]:,.8~f}<br>fee %{customdata[1]:,.8~f}<br>position after %{customdata[2]:,.8~f}"
            "<br>queue ahead at arrival %{text}<extra></extra>"
        ),
    )


def _finished(figure: go.Figure, shown: pl.DataFrame, *, title: str = "") -> go.Figure:
    dressed(figure)
    figure.update_layout(hovermode="closest")
    if title:
        head = {"text": title, "x": 0, "xref": "paper", "y": 1, "yanchor": "top", "pad": {"t": 14}, "font": {"size": 16}}
        figure.update_layout(title=head, height=figure.layout.height + 40, margin={"t": _TOP_PX + 40})
    axis_count = len(figure.layout.annotations)
    times = shown["timestamp"].to_numpy()
    if len(times) and times[0] < times[-1]:
        figure.update_xaxes(range=[times[0], times[-1]])
    figure.update_xaxes(showspikes=True, spikemode="across", spikethickness=1, spikedash="dot", spikecolor=light("muted"))
    figure.update_xaxes(title={"text": "UTC", "standoff": 6}, row=axis_count, col=1)
    for name, axis in (("legend", figure.layout.yaxis), ("legend2", figure.layout.yaxis3)):
        place = {"orientation": "h", "x": 1, "xanchor": "right", "y": axis.domain[1], "yanchor": "bottom"}
        figure.update_layout({name: place | {"font": {"size": 12}, "bgcolor": "rgba(0,0,0,0)", "itemsizing": "constant"}})
    return figure


def _finished_small(figure: go.Figure, *, x_title: str, y_title: str) -> go.Figure:
    dressed(figure)
    figure.update_layout(height=320, margin={"l": 64, "r": 20, "t": 16, "b": 52}, showlegend=False, bargap=0.05)
    figure.update_xaxes(title={"text": x_title, "standoff": 8})
    figure.update_yaxes(title={"text": y_title, "standoff": 8})
    return figure


def dressed(figure: go.Figure) -> None:
    """Give a figure the report's font, lines and colors."""
    import plotly.graph_objects as go

    figure.update_layout(
        template=go.layout.Template(),
        paper_bgcolor=light("surface"),
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": _FONT, "size": 12, "color": light("muted")},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": light("zero"), "activecolor": light("ink")},
        hoverlabel={
            "bgcolor": light("surface"),
            "bordercolor": light("zero"),
            "font": {"family": _FONT, "color": light("ink")},
            "align": "left",
        },
    )
    lines: dict[str, Any] = {"gridcolor": light("grid"), "zerolinecolor": light("zero"), "linecolor": light("zero")}
    figure.update_xaxes(**lines, showgrid=True, zeroline=False, ticks="", automargin=True)
    figure.update_yaxes(**lines, zeroline=True, ticks="", automargin=True, exponentformat="none", separatethousands=True)


def _period(known: pl.DataFrame) -> str:
    times = known["timestamp"].to_physical()
    span = times[-1] - times[0]
    return next((period for period in _PERIODS if span < (_BARS_MAX - 1) * _period_ns(period)), _PERIODS[-1])


def _period_ns(period: str) -> int:
    return int(period[:-1]) * _NS[period[-1]]


def _in(currency: str) -> str:
    from html import escape

    # Plotly reads its texts as a small HTML.
    return f", {escape(currency)}" if currency else ""


def light(role: str) -> str:
    """Return the color of a role, as figures are drawn in."""
    return PALETTE[role][0]
