"""The passport as a figure."""

from __future__ import annotations

import numpy as np

from queuefront.feed import passport_of
from queuefront.report import passport_figure
from queuefront.report.plots import light
from tests.passport_market import SPOT, tape_of
from tests.unit.report.test_passport_text import HOLED


def test_bad_stretches_are_shaded() -> None:
    shapes = passport_figure(passport_of(HOLED), SPOT).layout.shapes
    assert [shape.fillcolor for shape in shapes] == [light("loss_area")]
    assert (str(shapes[0].x0)[:19], str(shapes[0].x1)[:19]) == ("2023-11-14T22:13:40", "2023-11-14T22:14:00")


def test_each_panel_shows_what_was_measured() -> None:
    traces = {trace.name: trace.y for trace in passport_figure(passport_of(HOLED), SPOT).data}
    assert traces["All rows"][0] == 20.1
    assert traces["Mean spread"][0] == 2.0
    assert np.isnan(traces["Half within"][3]) == (passport_of(HOLED).measures.columns["latencies"][3] == 0)


def test_a_tape_of_one_row_is_drawn() -> None:
    assert len(passport_figure(passport_of(tape_of((0, "bid", 100, 5))), SPOT).data) == 8
