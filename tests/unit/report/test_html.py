from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from plotly.offline import get_plotlyjs

from queuefront.core import ConfigError
from queuefront.report import html
from queuefront.report.frames import equity_frame, fills_frame
from queuefront.report.html import write_report
from queuefront.report.summary import summarize
from tests.unit.report.records import INVERSE, LINEAR, OTHER, T0, changes, fills, random_samples, samples

EQUITY = equity_frame(samples({}, {"balance": 2.0}), LINEAR)
FILLS = fills_frame(fills({}, {"side": -1}), LINEAR, "0.01", "0.01")
NO_EQUITY = equity_frame(samples(), LINEAR)
NO_FILLS = fills_frame(fills(), LINEAR, 1, 1)


class Reader(HTMLParser):
    """Collect what a browser would see: elements, the JSON of scripts, text outside scripts, addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.data: dict[str, Any] = {}
        self.figures: list[str] = []
        self.addresses: list[str] = []
        self.scripts = 0
        self.text = ""
        self._id: str | None = None
        self.feed(text)
        assert self.open == [], f"unclosed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.addresses += [v for name in ("src", "href") if (v := values.get(name))]
        if tag == "script":
            self.scripts += 1
        if "data-figure" in values:
            self.figures.append(values["data-figure"] or "")
        self._id = values.get("id")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"] and self._id:
            self.data[self._id] = json.loads(data)
        elif self.open[-1:] not in (["script"], ["style"]):
            self.text += data


def page(
    path: Path, equity: Any = EQUITY, fills_: Any = FILLS, instruments: Any = LINEAR, orders: Any = None, **more: Any
) -> Reader:
    summary = summarize(equity, fills_, instruments, orders)
    arguments = {"title": "Run"} | more
    target = write_report(path / "r.html", summary=summary, equity=equity, fills=fills_, **arguments)
    return Reader(target.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def short_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plotly's script is 5 MB of constant text; one test below looks at it."""
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "/* plotly */")


def test_the_page_contains_plotlys_whole_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    page(tmp_path)
    assert get_plotlyjs() in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_page_holds_every_chart_it_has_a_place_for(tmp_path: Path) -> None:
    reader = page(tmp_path)
    assert reader.figures == ["run-0", "inventory-0", "profit-0"] == list(reader.data["figures"]["figures"])


def test_a_page_asks_no_network_for_anything(tmp_path: Path) -> None:
    reader = page(tmp_path, config={"url": "https://example.org"}, tapes=[{"symbol": "X"}])
    assert reader.addresses == []
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "@import" not in text


def test_outside_text_cannot_add_a_script(tmp_path: Path) -> None:
    evil = '</script><script>alert(1)</script>"><img src=x onerror=alert(1)>'
    scripts = page(tmp_path).scripts
    odd = LINEAR.override(symbol=evil, venue=evil, quote=evil)
    reader = page(tmp_path, instruments=odd, title=evil, config={evil: evil}, tapes=[{evil: evil}])
    assert reader.scripts == scripts
    assert reader.addresses == []
    assert reader.text.count(evil) >= 6


def test_the_summary_can_be_read_back_from_the_page(tmp_path: Path) -> None:
    reader = page(tmp_path)
    assert reader.data["summary"]["assets"][0]["net_profit"] == 2.0


def test_times_are_stored_once_a_column_and_to_the_nanosecond(tmp_path: Path) -> None:
    figures = page(tmp_path).data["figures"]
    columns = [np.frombuffer(base64.b64decode(raw), "<i8").tolist() for raw in figures["times"]]
    assert columns[0] == [T0, T0 + 1_000_000_000]
    lines = [trace for trace in figures["figures"]["run-0"]["data"] if trace["mode"] == "lines"]
    assert [trace["x"] for trace in lines] == [{"times": 0}] * 6


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    page(tmp_path)
    first = (tmp_path / "r.html").read_bytes()
    page(tmp_path)
    assert (tmp_path / "r.html").read_bytes() == first


def test_a_run_without_fills_says_why(tmp_path: Path) -> None:
    reader = page(tmp_path, fills_=NO_FILLS, orders=changes())
    assert "No fills: The strategy sent no order." in reader.text
    assert reader.figures == ["run-0", "inventory-0", "profit-0"]


def test_a_run_without_samples_has_no_charts_and_no_chart_library(tmp_path: Path) -> None:
    reader = page(tmp_path, equity=NO_EQUITY, fills_=NO_FILLS)
    assert reader.figures == []
    assert "No samples were recorded" in reader.text
    assert "/* plotly */" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_run_without_any_price_has_no_profit_chart(tmp_path: Path) -> None:
    unknown = equity_frame(samples({"position": 1.0, "price": np.nan}), LINEAR)
    reader = page(tmp_path, equity=unknown)
    assert reader.figures == ["run-0", "inventory-0"]


def test_two_assets_of_one_currency_have_a_section_each_and_one_together(tmp_path: Path) -> None:
    reader = page(tmp_path, [EQUITY, EQUITY], [FILLS, FILLS], [LINEAR, OTHER])
    assert reader.figures[:2] == ["run-total", "profit-total"]
    assert reader.figures[2:] == ["run-0", "inventory-0", "profit-0", "run-1", "inventory-1", "profit-1"]
    assert reader.open == []
    assert "TotalBTCUSDTETHUSDT" in reader.text.replace("\n", "")


def test_two_assets_of_different_currencies_have_no_total(tmp_path: Path) -> None:
    reader = page(tmp_path, [EQUITY, EQUITY], [FILLS, FILLS], [LINEAR, INVERSE])
    assert reader.figures[0] == "run-0"
    assert "No total: the assets' profits are in different or unstated currencies" in reader.text


@pytest.mark.parametrize(("frame", "figures"), [(NO_EQUITY, []), (None, ["run-total"])])
def test_a_total_shows_the_charts_that_it_can(tmp_path: Path, frame: pl.DataFrame | None, figures: list[str]) -> None:
    unknown = equity_frame(samples({"position": 1.0, "price": np.nan}), LINEAR) if frame is None else frame
    reader = page(tmp_path, [unknown, unknown], [NO_FILLS, NO_FILLS], [LINEAR, OTHER])
    assert [name for name in reader.figures if name.endswith("total")] == figures


def test_thinned_charts_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "SAMPLES_SHOWN_MAX", 100)
    monkeypatch.setattr(html, "FILLS_SHOWN_MAX", 1)
    monkeypatch.setattr(html, "every_nth", lambda count: 2)
    reader = page(tmp_path, equity_frame(random_samples(200, 1), LINEAR))
    assert "Drawn from 200 samples, thinned to at most 100: of every stretch the first" in reader.text
    assert "1 of 2 fills are marked, one in every 2; all are counted." in reader.text


def test_another_number_of_frames_than_assets_is_refused(tmp_path: Path) -> None:
    summary = summarize(EQUITY, FILLS, LINEAR)
    with pytest.raises(ConfigError, match=r"^equity: 2 frames for 1 instruments"):
        write_report(tmp_path / "r.html", title="", summary=summary, equity=[EQUITY, EQUITY], fills=FILLS)


def test_the_pages_scripts_are_plain_and_balanced() -> None:
    folder = Path(html.__file__).with_name("page")
    script, css = ((folder / name).read_text(encoding="utf-8") for name in ("report.js", "report.css"))
    assert "fetch(" not in script
    assert "innerHTML" not in script
    assert not re.search(r"url\(", css)
    assert css.count("{") == css.count("}")
