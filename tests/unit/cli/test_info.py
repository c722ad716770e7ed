"""`qf info`: what a file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.runs import market, qf, raw_feed


def test_a_tape_shows_instrument_span_counts_and_conversion(tmp_path: Path) -> None:
    tape = tmp_path / "btc.tape"
    assert qf("convert", "binance-usdm", raw_feed(tmp_path), "-o", tape, "--tick-size", "0.1").code == 0
    rows = qf("info", tape).rows
    assert rows[0] == f"{tape} (tape, version 2)"
    assert "instrument binance-usdm BTCUSDT, linear" in rows
    assert f"source {tmp_path}/btcusdt_20240808" in rows
    assert "events 5" in rows
    assert "first exchange time 2024-08-08T23:54:16.298000000Z" in rows
    assert "trade 1" in rows
    assert "gaps 1" in rows


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_event_files_show_span_and_counts(tmp_path: Path, suffix: str) -> None:
    path = market(tmp_path, suffix=suffix)
    rows = qf("info", path).rows
    assert rows[0] == f"{path} (events)"
    assert "events 2,000" in rows
    assert "first exchange time 2023-11-14T22:13:20.000000000Z" in rows
    assert "snapshot 60" in rows


@pytest.mark.parametrize("suffix", [".tape", ".npz", ".parquet"])
def test_a_missing_file_is_one_line(tmp_path: Path, suffix: str) -> None:
    ran = qf("info", tmp_path / f"none{suffix}")
    assert (ran.code, ran.out, ran.err) == (2, "", f"qf info: {tmp_path}/none{suffix}: no such file or directory\n")


def test_a_file_that_is_no_tape_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    path.write_text("no")
    ran = qf("info", path)
    assert ran.code == 4
    assert ran.err.startswith(f"qf info: {path}: ")
    assert ran.err.count("\n") == 1
