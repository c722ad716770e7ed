"""`qf passport`: prints, plots and writes how good a tape is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from queuefront.cli.passport import span_ns_of
from queuefront.core import ConfigError
from tests.unit.cli.runs import market, qf, raw_feed
from tests.unit.report.test_passport_text import HOLED


@pytest.fixture
def holed(tmp_path: Path) -> Path:
    HOLED.save(tmp_path / "holed.tape")
    return tmp_path / "holed.tape"


def test_a_good_tape_is_called_good(tmp_path: Path) -> None:
    path = market(tmp_path)
    ran = qf("passport", path)
    assert ran.code == 0
    assert ran.rows[0] == f"{path} is good"
    assert "what is wrong" not in ran.rows


def test_what_is_wrong_stands_with_its_time(holed: Path) -> None:
    rows = qf("passport", holed).rows
    assert rows[0] == f"{holed} is bad: 33.3% of its time is bad, in 2 of 7 spans"
    assert rows[-1] == ("2023-11-14T22:13:40 00:00:20.000 bad silence: silent for 00:00:12.000, usually at most 50.3 ms")


def test_a_hole_in_the_source_is_found_in_the_tape(tmp_path: Path) -> None:
    out = tmp_path / "a.tape"
    assert (
        qf("convert", "binance-usdm", raw_feed(tmp_path), "-o", out, "--tick-size", "0.1", "--lot-size", "0.001").code == 0
    )
    assert qf("passport", out).rows[-1].endswith("bad sequence gap: numbers of the sequence are missing at 1 places")


def test_the_page_and_everything_else_are_written(holed: Path, tmp_path: Path) -> None:
    ran = qf("passport", holed, "--html", tmp_path / "a.html", "--json", tmp_path / "a.json", "--span", "5s")
    assert ran.code == 0
    assert "Passport of holed.tape" in (tmp_path / "a.html").read_text(encoding="utf-8")
    told = json.loads((tmp_path / "a.json").read_text())
    assert (told["verdict"], told["measures"]["span_ns"], len(told["spans"])) == ("bad", 5_000_000_000, 13)


def test_limits_of_ones_own_judge(holed: Path, tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text("silence_bad_ms = 60_000\nsilence_suspect_ms = 60_000\n")
    assert qf("passport", holed, "--thresholds", limits).rows[0] == f"{holed} is good"
    limits.write_text("silence = 1\n")
    ran = qf("passport", holed, "--thresholds", limits)
    assert (ran.code, ran.err.startswith(f"qf passport: {limits}: there is no limit 'silence'")) == (2, True)


def test_many_stretches_are_counted(tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text("silence_suspect_ms = 0\nsilence_suspect_multiple = 1.3\nsilence_bad_ms = 99_000\n")
    ran = qf("passport", market(tmp_path, 60_000), "--span", "1s", "--thresholds", limits)
    assert ran.rows[-1].endswith(" more stretches: --html FILE or --json FILE has them")


@pytest.mark.parametrize(("text", "ns"), [("10s", 10**10), ("1m", 6 * 10**10), ("4h", 144 * 10**11), ("1d", 864 * 10**11)])
def test_a_length_of_time_is_read(text: str, ns: int) -> None:
    assert span_ns_of(text) == ns


@pytest.mark.parametrize("text", ["", "0s", "1", "s", "1 m", "-1s", "1.5m", "9999999s"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no length of time; write it like 10s, 1m, 4h or 1d"):
        span_ns_of(text)
