"""The heat map: the right cells, and a page that loads nothing."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from queuefront.core import ConfigError
from queuefront.sweep import heatmap_figure, write_heatmap


def frame(**columns: list[object]) -> pl.DataFrame:
    usual = {
        "a": [1, 1, 2, 2],
        "b": [0.5, 1.5, 0.5, 1.5],
        "net_profit": [1.0, -2.0, 3.0, None],
        "fees": [4.0, 3.0, 2.0, None],
    }
    return pl.DataFrame({**usual, "error": [None, None, None, "it broke"], **columns})


def test_cells_stand_at_their_parameters_and_a_failed_set_is_empty() -> None:
    (trace,) = heatmap_figure(frame(), ["a", "b"], "a", "b", "net_profit").data
    assert (list(trace.x), list(trace.y)) == (["1", "2"], ["0.5", "1.5"])
    assert [list(row) for row in trace.z] == [[1.0, 3.0], [-2.0, None]]
    assert [list(row) for row in trace.text] == [["1", "3"], ["-2", ""]]


@pytest.mark.parametrize(("metric", "cells"), [("net_profit", [1.0, 3.0]), ("fees", [3.0, 2.0])])
def test_a_cell_shows_the_best_over_the_other_parameters(metric: str, cells: list[float]) -> None:
    (trace,) = heatmap_figure(frame(), ["a", "b"], "a", None, metric).data
    assert [list(row) for row in trace.z] == [cells]


def test_gains_and_losses_have_colors_around_zero() -> None:
    (trace,) = heatmap_figure(frame(), ["a", "b"], "a", "b", "net_profit").data
    assert (trace.zmin, trace.zmax) == (-3.0, 3.0)
    (trace,) = heatmap_figure(frame(), ["a", "b"], "a", "b", "fees").data
    assert (trace.zmin, trace.reversescale) == (None, True)


def test_many_cells_carry_no_text() -> None:
    many = pl.DataFrame({"a": range(1000), "net_profit": range(1000)})
    (trace,) = heatmap_figure(many, ["a"], "a", None, "net_profit").data
    assert trace.text is None


@pytest.mark.parametrize(
    ("x", "metric", "message"),
    [
        ("c", "fees", "parameter 'c' is no column of the sweep; choose one of a, b, net_profit, fees, error"),
        ("a", "fee", "metric 'fee' is no column of the sweep; choose one of a, b, net_profit, fees, error"),
    ],
)
def test_a_column_that_is_not_there_is_refused(x: str, metric: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        heatmap_figure(frame(), ["a", "b"], x, None, metric)
    assert str(caught.value) == message


def test_the_page_is_complete_and_escapes_what_comes_from_outside(tmp_path: Path) -> None:
    path = write_heatmap(tmp_path / "h.html", frame(), ["a", "b"], "a", None, "fees", title="<script>x</script>")
    text = path.read_text(encoding="utf-8")
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "<script>x" not in text
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in text
    assert "1 sets failed; their cells are empty." in text
    assert "Each cell shows the smallest fees over all values of b." in text
    assert write_heatmap(tmp_path / "i.html", frame(), ["a", "b"], "a", None, "fees", title="x").read_bytes() != b""


def test_equal_sweeps_give_equal_bytes(tmp_path: Path) -> None:
    pages = [write_heatmap(tmp_path / n, frame(), ["a", "b"], "a", "b", "fees", title="x").read_bytes() for n in "xy"]
    assert pages[0] == pages[1]
