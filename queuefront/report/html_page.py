"""The shell of an HTML report: one file with styles, scripts and figures inside, which opens anywhere without a network."""

from __future__ import annotations

import base64
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from queuefront.report.html_parts import CONTENT_POLICY
from queuefront.report.plots import PALETTE

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Charts", "html_page"]


class Charts:
    """The figures of a page, as Plotly's JSON, with every distinct column of times stored once."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self.times: dict[bytes, int] = {}

    def add(self, name: str, figure: go.Figure) -> None:
        """Take a figure under a name that `html_parts.chart` places."""
        spec = figure.to_dict()
        for trace, drawn in zip(spec["data"], figure.data, strict=True):
            if isinstance(drawn.x, np.ndarray) and drawn.x.dtype.kind == "M":
                raw = drawn.x.astype("datetime64[ns]").astype("<i8").tobytes()
                trace["x"] = {"times": self.times.setdefault(raw, len(self.times))}
        self.figures[name] = spec

    def to_json(self) -> str:
        """Return all figures, safe inside a script element."""
        import json

        from plotly.utils import PlotlyJSONEncoder

        times = [base64.b64encode(raw).decode() for raw in self.times]
        page = {"figures": self.figures, "times": times, "palette": list(PALETTE.values())}
        return _script_safe(json.dumps(page, cls=PlotlyJSONEncoder, separators=(",", ":")))


def html_page(title: str, body: str, charts: Charts, facts: Any) -> str:
    """Return a whole page that loads nothing.

    body : markup, with everything from outside escaped.   facts : figures for programs that read the page, JSON-able.
    """
    from plotly.offline import get_plotlyjs

    folder = resources.files("queuefront.report") / "page"
    css, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    plotly = get_plotlyjs() if charts.figures else ""
    numbers = _script_safe(msgspec.json.encode(facts).decode())
    return f"""<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">
<title>{escape(title)}</title>
<style>{css}</style>
</head>
<body>
{body}
<script type="application/json" id="summary">{numbers}</script>
<script type="application/json" id="figures">{charts.to_json()}</script>
<script>{plotly}</script>
<script>{script}</script>
</body>
</html>
"""


def _script_safe(text: str) -> str:
    # Inside a script element nothing is unescaped, so no "<" may stand there at all; JSON can say it otherwise.
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
