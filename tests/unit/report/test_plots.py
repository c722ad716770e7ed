from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

from queuefront.report import downsample, plots
from queuefront.report.frames import equity_frame, fills_frame, total_equity_frame
from queuefront.report.plots import PALETTE, inventory_figure, profit_figure, run_figure, stats_figure, total_figure
from queuefront.report.stats import LinearAssetRecord
from tests.unit.report.records import LINEAR, SECOND, T0, fills, random_samples, samples

HOUR = 3600 * SECOND


def equity(*rows: dict, every_ns: int = SECOND) -> pl.DataFrame:
    return equity_frame(samples(*rows, every_ns=every_ns), LINEAR)


def four_fills() -> pl.DataFrame:
    kinds = [(side, is_maker) for side in (1, -1) for is_maker in (1, 0)]
    rows = [
        {"side": side, "is_maker": is_maker, "arrival_qty_ahead": 2.5 if is_maker else np.nan} for side, is_maker in kinds
    ]
    return fills_frame(fills(*rows), LINEAR, 1, "0.1")


def test_a_run_is_drawn_as_equity_price_fills_position_and_drawdown() -> None:
    figure = run_figure(equity({}, {"balance": 1.0}), four_fills(), title="Run", currency="USDT")
    assert [trace.name for trace in figure.data] == [
        "Mid price, right", "Before fees", "Net of fees",
        "Mid price", "Buy, maker", "Buy, taker", "Sell, maker", "Sell, taker",
        "Position", "Drawdown",
    ]  # fmt: skip
    headings = [annotation.text for annotation in figure.layout.annotations]
    assert headings == ["Equity, USDT", "Price and fills", "Position", "Drawdown, USDT"]
    assert figure.layout.title.text == "Run"


def test_a_fill_tells_quantity_fee_position_and_queue_when_pointed_at() -> None:
    trace = next(t for t in run_figure(equity({}, {}), four_fills()).data if t.name == "Buy, maker")
    assert trace.customdata.tolist() == [[0.01, 0.2, 0.01]]
    assert trace.text == ("2.5<br>order 1",)
    for field in ("%{y", "customdata[0]", "customdata[1]", "customdata[2]", "%{text}", "%{x"):
        assert field in trace.hovertemplate


def test_a_fill_that_never_rested_has_an_unknown_queue() -> None:
    trace = next(t for t in run_figure(equity({}, {}), four_fills()).data if t.name == "Sell, taker")
    assert trace.text == ("–<br>order 1",)


def test_sides_differ_in_shape_and_makers_are_hollow() -> None:
    by_name = {t.name: t.marker for t in run_figure(equity({}, {}), four_fills()).data if t.mode == "markers"}
    assert by_name["Buy, maker"].symbol == by_name["Buy, taker"].symbol == "triangle-up"
    assert by_name["Sell, maker"].symbol == "triangle-down"
    assert by_name["Buy, maker"].color == PALETTE["surface"][0] != by_name["Buy, taker"].color


def test_many_fills_are_drawn_by_webgl() -> None:
    many = fills_frame(fills(*[{}] * 2_001), LINEAR, 1, 1)
    assert {t.type for t in run_figure(equity({}, {}), many).data if t.mode == "markers"} == {"scattergl"}


def test_more_fills_than_can_be_shown_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "FILLS_SHOWN_MAX", 10)
    many = fills_frame(fills(*[{"order_id": i} for i in range(25)]), LINEAR, 1, 1)
    (trace,) = (t for t in run_figure(equity({}, {}), many).data if t.mode == "markers")
    assert [text.rpartition(" ")[2] for text in trace.text] == ["0", "3", "6", "9", "12", "15", "18", "21", "24"]


def test_more_samples_than_can_be_shown_are_thinned_and_keep_the_deepest_drawdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "SAMPLES_SHOWN_MAX", 120)
    frame = equity_frame(random_samples(5_000, 1), LINEAR)
    drawn = next(t for t in run_figure(frame, four_fills()).data if t.name == "Drawdown")
    assert len(drawn.y) <= 120
    assert min(drawn.y) == frame["drawdown"].min()


def test_a_run_of_nothing_is_drawn_empty() -> None:
    figure = run_figure(equity(), fills_frame(fills(), LINEAR, 1, 1))
    assert all(len(trace.x) == 0 for trace in figure.data)


def test_the_total_is_drawn_without_a_price() -> None:
    figure = total_figure(total_equity_frame([equity({}, {"balance": 1.0})]), title="All", currency="USDT")
    assert [trace.name for trace in figure.data] == ["Before fees", "Net of fees", "Drawdown"]


def test_statistics_are_drawn_in_money_or_as_returns_of_the_book() -> None:
    data = samples({"price": np.nan}, {"balance": 5.0}, {"balance": 6.0, "price": 110.0})
    entire = LinearAssetRecord(data).resample(None).prepare()
    money = {t.name: t for t in stats_figure(entire).data}
    assert money["Net of fees"].y.tolist()[1:] == [5.0, 6.0]
    returns = {t.name: t for t in stats_figure(entire, book_size=50.0, has_price_as_return=True).data}
    assert returns["Net of fees"].y.tolist()[1:] == [10.0, 12.0]
    assert returns["Price, % since the start"].y.tolist()[1:] == pytest.approx([0.0, 10.0], rel=1e-12)


def test_the_inventory_is_weighted_by_time() -> None:
    rows = (
        {"position": 1.0},
        {"position": -1.0, "timestamp": T0 + 3 * SECOND},
        {"position": 5.0, "timestamp": T0 + 4 * SECOND},
    )
    (bars,) = inventory_figure(equity(*rows)).data
    assert dict(zip(bars.x.tolist(), bars.y.tolist(), strict=True)) == {-1.0: 25.0, 1.0: 75.0, 5.0: 0.0}


def test_many_positions_share_bars_of_whole_steps() -> None:
    (bars,) = inventory_figure(equity(*({"position": 0.1 * i} for i in range(200)))).data
    assert len(bars.x) <= 61
    assert sum(bars.y) == pytest.approx(100.0)
    assert bars.width / 0.9 == pytest.approx(0.4)


@pytest.mark.parametrize("count", [1, 3])
def test_one_position_is_one_bar_with_room_around_it(count: int) -> None:
    figure = inventory_figure(equity(*[{"position": 2.0}] * count))
    assert (figure.data[0].x.tolist(), figure.data[0].y.tolist()) == ([2.0], [100.0])
    assert figure.layout.xaxis.range == (-3.0, 7.0)


def test_profits_of_periods_add_up_to_the_whole_profit() -> None:
    frame = equity_frame(random_samples(500, 2, every_ns=60 * SECOND), LINEAR)
    (bars,) = profit_figure(frame).data
    assert sum(bars.y) == pytest.approx(frame["equity"][-1] - frame["equity"][0], rel=1e-9)
    assert {(y >= 0, color) for y, color in zip(bars.y, bars.marker.color, strict=True)} == {
        (True, PALETTE["equity"][0]), (False, PALETTE["loss"][0]),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("span_ns", "period"), [(0, "1m"), (HOUR, "5m"), (24 * HOUR, "1h"), (24 * 30 * HOUR, "1d"), (24 * 9999 * HOUR, "30d")]
)
def test_the_period_is_the_shortest_that_needs_few_bars(span_ns: int, period: str) -> None:
    figure = profit_figure(equity({}, {}, every_ns=span_ns))
    assert figure.layout.xaxis.title.text == f"UTC, bars of {period}"


def test_a_currency_is_never_read_as_markup() -> None:
    figure = run_figure(equity({}, {}), four_fills(), currency="<b>X</b>")
    assert figure.layout.annotations[0].text == "Equity, &lt;b&gt;X&lt;/b&gt;"


def test_every_color_of_a_figure_is_one_of_the_palette() -> None:
    light = {pair[0] for pair in PALETTE.values()}
    assert len(light) == len(PALETTE), "two roles share a light color, so the dark ones could not be told apart"
    text = run_figure(equity({}, {"position": 1.0}), four_fills()).to_json()
    used = set(re.findall(r"#[0-9a-f]{6}\b|rgba\([^)]*\)", text)) - {"rgba(0,0,0,0)"}
    assert used <= light


def test_the_shown_maxima_are_the_documented_ones() -> None:
    assert (downsample.SAMPLES_SHOWN_MAX, downsample.FILLS_SHOWN_MAX) == (20_000, 20_000)
