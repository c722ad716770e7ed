"""The passport of a tape as one figure: rate, price, spread, depth and latency over time, with what is wrong shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.feed import Passport, Verdict
from queuefront.report.plots import dressed, light, panels

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from queuefront.core import Instrument

__all__ = ["STRETCHES_SHOWN_MAX", "passport_figure"]

#: Shaded stretches of one kind; further ones stand in the tables only.
STRETCHES_SHOWN_MAX: Final = 500
_AREA: Final = {Verdict.SUSPECT: "suspect_area", Verdict.BAD: "loss_area"}
_SECOND: Final = 1e9
_MS: Final = 1e6

Values = npt.NDArray[np.float64]


def passport_figure(passport: Passport, instrument: Instrument) -> go.Figure:
    """Draw what was measured in each span; bad spans are shaded red, suspect ones yellow."""
    measures = passport.measures
    figure = panels(
        {
            "Rows a second": 160,
            "Mid price": 180,
            "Spread, ticks": 140,
            "Quantity at the best prices": 140,
            "Feed latency, ms": 160,
        }
    )
    covered = measures.column("covered_ns") / _SECOND
    covered[covered == 0] = np.nan
    tick, lot = float(instrument.tick_size), float(instrument.lot_size)
    latencies = {name: _known(measures.column(f"latency_{name}_ns")) / _MS for name in ("p50", "p99")}
    lines: tuple[tuple[int, str, str, Values], ...] = (
        (1, "All rows", "equity", measures.column("events") / covered),
        (1, "Trades", "sell", measures.column("trades") / covered),
        (2, "Mid price", "price", measures.mean("mid_ticks") * tick),
        (3, "Mean spread", "equity", measures.mean("spread_ticks")),
        (4, "Bid", "buy", measures.mean("bid_lots") * lot),
        (4, "Ask", "sell", measures.mean("ask_lots") * lot),
        (5, "99 % within", "equity_wo_fee", latencies["p99"]),
        (5, "Half within", "equity", latencies["p50"]),
    )
    times = (measures.first_ts + measures.span_ns * np.arange(measures.span_count)).astype("datetime64[ns]")
    for row, name, role, values in lines:
        figure.add_trace(_steps(times, values, name, role, row), row=row, col=1)
    dressed(figure)
    for row in range(1, 6):
        axis = figure.layout["yaxis" if row == 1 else f"yaxis{row + 1}"]
        place = {"orientation": "h", "x": 1, "xanchor": "right", "y": axis.domain[1], "yanchor": "bottom"}
        figure.update_layout({"legend" if row == 1 else f"legend{row}": place | {"bgcolor": "rgba(0,0,0,0)"}})
    figure.update_layout(shapes=_shades(passport), hovermode="closest")
    if len(times) > 1:
        figure.update_xaxes(range=[times[0], times[-1] + np.timedelta64(measures.span_ns, "ns")])
    figure.update_xaxes(title={"text": "UTC", "standoff": 6}, row=5, col=1)
    return figure


def _known(column: npt.NDArray[np.int64]) -> Values:
    return np.where(column < 0, np.nan, column)


def _steps(times: npt.NDArray[np.datetime64], values: Values, name: str, role: str, row: int) -> go.Scatter:
    import plotly.graph_objects as go

    return go.Scatter(
        x=times,
        y=np.asarray(values, np.float64),
        name=name,
        mode="lines",
        line={"color": light(role), "width": 1.4, "shape": "hv"},
        legend=None if row == 1 else f"legend{row}",
        showlegend=row != 2,
        connectgaps=False,
        hovertemplate=f"%{{x|%Y-%m-%d %H:%M:%S}}<br>{name} %{{y:,.6~g}}<extra></extra>",
    )


def _shades(passport: Passport) -> list[dict[str, Any]]:
    return [
        {
            "type": "rect", "layer": "below", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 0},
            "fillcolor": light(_AREA[verdict]), "x0": str(start), "x1": str(end),
        }
        for verdict in (Verdict.SUSPECT, Verdict.BAD)
        for start, end in passport.stretches(verdict)[:STRETCHES_SHOWN_MAX].astype("datetime64[ns]")
    ]  # fmt: skip
