"""`qf convert`: a raw feed into a tape, and the account of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from queuefront.feed import Tape, read_events
from tests.unit.cli.runs import qf, raw_feed


def test_a_feed_becomes_a_tape_with_an_account(tmp_path: Path) -> None:
    out = tmp_path / "btc.tape"
    ran = qf("convert", "binance-usdm", raw_feed(tmp_path), "-o", out, "--tick-size", "0.1", "--lot-size", "0.001")
    assert (ran.code, ran.err) == (0, "")
    rows = ran.rows
    assert "instrument binance-usdm BTCUSDT, linear" in rows
    assert "lines read 3" in rows
    assert "lines refused 0" in rows
    assert "depth 4" in rows
    assert "trade 1" in rows
    assert "3 2024-08-08T23:54:17.188309867Z 10 updates" in rows  # the third line begins after 30, the first ended at 20
    tape = Tape.open(out)
    assert (len(tape), str(tape.instrument.tick_size), str(tape.instrument.lot_size)) == (5, "0.1", "0.001")
    assert tape.meta["account"]["lines"] == 3


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_the_suffix_of_the_output_decides_what_it_is(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"btc{suffix}"
    ran = qf("convert", "binance-usdm", raw_feed(tmp_path), "-o", out)
    assert (ran.code, ran.err) == (0, "")
    if suffix == ".npz":
        assert len(read_events(out)) == 5


def test_an_inferred_grid_is_noted(tmp_path: Path) -> None:
    ran = qf("convert", "binance-usdm", raw_feed(tmp_path), "-o", tmp_path / "btc.tape")
    assert any("tick_size was inferred from" in row for row in ran.rows)


def test_what_lies_off_the_grid_is_refused_or_rounded(tmp_path: Path) -> None:
    command = ("convert", "binance-usdm", raw_feed(tmp_path), "-o", tmp_path / "btc.tape", "--lot-size", "7")
    ran = qf(*command)
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.endswith("; give the right --lot-size, or take the nearest with --off-grid round\n")
    assert not (tmp_path / "btc.tape").exists()
    assert qf(*command, "--off-grid", "round").code == 0
    assert Tape.open(tmp_path / "btc.tape").meta["rounded"]["qty"] > 0


def test_the_account_is_written_as_json(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    ran = qf("convert", "binance-usdm", raw_feed(tmp_path), "-o", tmp_path / "btc.tape", "--account", path)
    assert ran.code == 0
    assert json.loads(path.read_text())["lines"] == 3


def test_a_line_that_cannot_be_read_stops_the_conversion(tmp_path: Path) -> None:
    ran = qf("convert", "binance-usdm", raw_feed(tmp_path, "rubbish"), "-o", tmp_path / "btc.tape")
    assert ran.code == 4
    assert ran.err == (
        f"qf convert: {tmp_path}/btcusdt_20240808: line 4, field local_ts: the line does not begin with a receipt time of "
        "19 digits and a space; mend the line or convert with --on-bad skip; it reads 'rubbish'\n"
    )
    assert not (tmp_path / "btc.tape").exists()


def test_a_line_that_cannot_be_read_is_listed_when_skipped(tmp_path: Path) -> None:
    ran = qf("convert", "binance-usdm", raw_feed(tmp_path, "rubbish"), "-o", tmp_path / "a.tape", "--on-bad", "skip")
    assert ran.code == 0
    assert "lines refused 1" in ran.rows
    assert any(row.startswith("4 the line does not begin with") and row.endswith("rubbish") for row in ran.rows)


def test_more_than_the_shown_refusals_are_counted(tmp_path: Path) -> None:
    feed = raw_feed(tmp_path, *["rubbish"] * 25)
    ran = qf("convert", "binance-usdm", feed, "-o", tmp_path / "a.tape", "--on-bad", "skip")
    assert "5 more refused lines: --account FILE.json has more of them" in ran.rows


def test_an_existing_output_is_kept_unless_forced(tmp_path: Path) -> None:
    feed, out = raw_feed(tmp_path), tmp_path / "btc.tape"
    out.write_text("mine")
    ran = qf("convert", "binance-usdm", feed, "-o", out)
    assert (ran.code, ran.err) == (
        2,
        f"qf convert: {out} exists; choose another name, or replace it with --force\n",
    )
    assert out.read_text() == "mine"
    assert qf("convert", "binance-usdm", feed, "-o", out, "--force").code == 0


def test_a_missing_feed_is_one_line(tmp_path: Path) -> None:
    ran = qf("convert", "binance-usdm", tmp_path / "none.gz", "-o", tmp_path / "a.tape")
    assert (ran.code, ran.err) == (2, f"qf convert: {tmp_path}/none.gz: no such file or directory\n")


def test_a_bare_stream_is_said_to_need_its_option(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_text('1723161257030314667 {"e":"trade","E":1,"T":1,"s":"BTCUSDT","p":"1","q":"1","X":"MARKET","m":true}\n')
    ran = qf("convert", "binance-usdm", path, "-o", tmp_path / "a.tape")
    assert ran.code == 4
    assert "convert with --raw-stream" in ran.err


# --- Databento --------------------------------------------------------------------------------------------------------
GRID = ("--tick-size", "0.25", "--lot-size", "1")


def test_market_by_order_becomes_events_with_an_account(tmp_path: Path) -> None:
    from tests.unit.feed.sources.dbn_files import dbn_file, message

    out = tmp_path / "es.npz"
    feed = dbn_file(tmp_path, message(), message("X"), message("C"))
    ran = qf("convert", "databento", feed, "-o", out, "--symbol", "ESM4", *GRID, "--multiplier", 50, "--on-bad", "skip")
    assert (ran.code, ran.err) == (0, "")
    for row in ("instrument databento ESM4, linear", "records read 3", "records refused 1", "add order 1", "multiplier 50"):
        assert row in ran.rows
    assert any(row.startswith("2 action 'X' is no action of market by order") for row in ran.rows)
    assert len(read_events(out)) == 2


def test_several_instruments_need_the_option(tmp_path: Path) -> None:
    from tests.unit.feed.sources.dbn_files import dbn_file, message

    feed = dbn_file(tmp_path, message(), message(instrument_id=8))
    ran = qf("convert", "databento", feed, "-o", tmp_path / "es.npz")
    assert (ran.code, ran.err) == (
        2,
        f"qf convert: {feed}: the file holds 2 instruments; give --symbol, one of 8, ESM4\n",
    )


@pytest.mark.parametrize(
    ("source", "options", "name"),
    [
        ("databento", ("--opt", "t"), "--opt"),
        ("databento", ("--raw-stream",), "--raw-stream"),
        ("binance-usdm", ("--symbol", "BTC"), "--symbol"),
    ],
)
def test_an_option_that_says_nothing_about_the_source_is_refused(
    tmp_path: Path, source: str, options: tuple[str, ...], name: str
) -> None:
    ran = qf("convert", source, raw_feed(tmp_path), "-o", tmp_path / "a.npz", *options)
    assert (ran.code, ran.err) == (2, f"qf convert: {name} says nothing about {source}; leave it out\n")


# --- archives ---------------------------------------------------------------------------------------------------------
def test_several_files_of_an_archive_become_one_tape(tmp_path: Path) -> None:
    from tests.unit.feed.sources.csv_files import tardis_file

    at = 1_700_000_000_000_000
    depth = tardis_file(tmp_path, "incremental_book_L2", f"{at},true,bid,7,1", f"{at + 9},false,ask,9,1")
    trades = tardis_file(tmp_path, "trades", f"{at},1,buy,9,2")
    out = tmp_path / "btc.tape"
    ran = qf("convert", "tardis", depth, trades, "-o", out, "--snapshot-mode", "ignore_sod", "--lot-size", 1)
    assert (ran.code, ran.err) == (0, "")
    for row in ("instrument deribit BTC, linear", "lines read 5", "depth 1", "trade 1"):
        assert row in ran.rows
    assert Tape.open(out).meta["account"]["inputs"][1]["path"] == str(trades)


def test_a_day_that_is_not_known_is_asked_for_by_its_option(tmp_path: Path) -> None:
    path = tmp_path / "messages.csv"
    path.write_text("1.5,1,1,5,10000,1\n")
    ran = qf("convert", "lobster", path, "-o", tmp_path / "a.tape")
    assert (ran.code, ran.err) == (
        2,
        f"qf convert: {path}: times count from midnight and the file's name says no day; give --date\n",
    )
    assert qf("convert", "lobster", path, "-o", tmp_path / "a.tape", "--date", "2012-06-21").code == 0
