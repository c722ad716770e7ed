"""The shell of an HTML report: complete, and deaf to what stands in its texts."""

from __future__ import annotations

import json
import re

import numpy as np
import plotly.graph_objects as go

from queuefront.report.html_page import Charts, html_page


def figure() -> go.Figure:
    times = np.array([0, 10**9], "datetime64[ns]")
    return go.Figure([go.Scatter(x=times, y=np.array([1.0, 2.0])), go.Scatter(x=times, y=np.array([3.0, 4.0]))])


def test_columns_of_times_are_stored_once() -> None:
    charts = Charts()
    charts.add("one", figure())
    charts.add("two", figure())
    told = json.loads(charts.to_json())
    assert len(told["times"]) == 1
    assert [trace["x"] for name in ("one", "two") for trace in told["figures"][name]["data"]] == [{"times": 0}] * 4


def test_a_page_loads_nothing_and_escapes_its_title() -> None:
    page = html_page("<b>", "<main></main>", Charts(), {"name": "</script><b>"})
    assert "<title>&lt;b&gt;</title>" in page
    assert "</script><b>" not in page
    assert not re.search(r'(?:src|href)="', page)


def test_plotly_comes_along_only_where_there_is_a_figure() -> None:
    charts = Charts()
    empty = html_page("x", "", charts, {})
    charts.add("one", figure())
    assert len(html_page("x", "", charts, {})) > len(empty) + 1_000_000
