from __future__ import annotations

import io

import pytest
from rich.console import Console

from queuefront.report.outcomes import OrderOutcomes
from queuefront.report.summary import AssetSummary, Summary
from queuefront.report.summary_text import basis_points, columns_of, latency, number, percent, render_summary, summary_rows
from tests.unit.report.records import SECOND, T0


def summary_of(*assets: AssetSummary, total: AssetSummary | None = None, **more) -> Summary:
    return Summary(assets=assets, total=total, sharpe_interval="10s", trading_days_per_year=365, **more)


def text_of(summary: Summary) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(render_summary(summary))
    return console.file.getvalue()  # type: ignore[attr-defined]


def cells(summary: Summary) -> dict[str, list[str]]:
    return {label: texts for _, rows in summary_rows(summary) for label, texts in rows}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0.0, "0"), (1234567.891, "1,234,568"), (-21.91277, "-21.9128"), (8.66758e-06, "0.00000866758"),
        (100.0, "100"), (0.5, "0.5"), (1e-30, "0"), (999999.96, "1,000,000"),
    ],
)  # fmt: skip
def test_numbers_have_about_six_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_shares_and_latencies_are_written_in_their_units() -> None:
    assert (percent(0.2439), percent(None)) == ("24.39%", "–")
    assert (basis_points(-0.000123), basis_points(None)) == ("-1.230 bp", "–")
    assert (latency(3_503_746.6), latency(None), latency(12.3)) == ("3.504 ms", "–", "12 ns")


def test_every_figure_of_an_asset_is_in_the_table() -> None:
    orders = OrderOutcomes(submitted=1_000, filled=250, canceled=700, mean_entry_latency_ns=1e6)
    asset = AssetSummary(
        name="BTCUSDT", currency="USDT", start_ts=T0, end_ts=T0 + SECOND, net_profit=-1.5, fills=1234, orders=orders
    )
    shown = cells(summary_of(asset, total=asset))
    assert shown["Start (UTC)"] == ["2023-11-14 22:13:20.000"]
    assert shown["Duration"] == ["00:00:01.000"]
    assert shown["Net profit"] == ["-1.5"]
    assert shown["Fills"] == ["1,234"]
    assert shown["Sharpe ratio (10s, 365 days)"] == ["–"]
    assert (shown["Submitted"], shown["Fill rate"], shown["Cancel ratio"]) == (["1,000"], ["25.00%"], ["70.00%"])
    assert (shown["Entry latency, mean"], shown["Response latency, mean"]) == (["1 ms"], ["–"])


def test_what_is_unknown_is_a_dash() -> None:
    shown = cells(summary_of(AssetSummary(name="X")))
    known = {label: texts for label, texts in shown.items() if texts != ["–"]}
    assert known == {"Samples": ["0"], "Currency": ["not stated"], "Fills": ["0"], "Value traded": ["0"]}


def test_the_total_is_a_column_only_beside_several_assets() -> None:
    one, two, total = (AssetSummary(name=name) for name in ("A", "B", "Total"))
    assert columns_of(summary_of(one, total=one)) == [one]
    assert columns_of(summary_of(one, two, total=total)) == [one, two, total]
    assert columns_of(summary_of(one, two)) == [one, two]


def test_the_terminal_table_shows_names_and_notes_as_they_are() -> None:
    asset = AssetSummary(name="[red]X[/red]", notes=("[b]no price[/b]",))
    text = text_of(summary_of(asset, notes=("no total",)))
    assert "[red]X[/red]" in text
    assert "no total" in text
    assert "[red]X[/red]: [b]no price[/b]" in text
    assert "Maker share of value" in text
