"""`qf fuse`: several files in, one market out."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.feed import Tape, read_events
from tests.unit.cli.runs import market, qf, raw_feed

TICKER = (
    '1723161257288176367 {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":50,"E":1723161256400,'
    '"T":1723161256400,"s":"BTCUSDT","b":"61800.00","B":"7.000","a":"61800.20","A":"1.000"}}'
)


def feed_with_ticker(folder: Path) -> Path:
    path = folder / "btc.npz"
    ran = qf("convert", "binance-usdm", raw_feed(folder, TICKER), "-o", path, "--opt", "t")
    assert ran.code == 0, ran.err
    return path


@pytest.mark.parametrize("suffix", [".tape", ".npz", ".parquet"])
def test_a_feed_with_best_prices_becomes_one_of_depth(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"fused{suffix}"
    ran = qf("fuse", feed_with_ticker(tmp_path), "-o", out, "--tick-size", "0.1", "--lot-size", "0.001")
    assert (ran.code, ran.err) == (0, "")
    for row in ("rows read 7", "depth rows made 6", "depth 4", "bbo 2", "trade 1", "instrument fused FUSED, linear"):
        assert row in ran.rows
    if suffix == ".npz":
        assert len(read_events(out)) == 7


def test_a_tape_needs_no_grid_and_keeps_the_account(tmp_path: Path) -> None:
    out = tmp_path / "fused.tape"
    assert qf("fuse", market(tmp_path), "-o", out).code == 0
    tape = Tape.open(out)
    assert tape.instrument.symbol == "SYN"
    assert tape.meta["account"]["rows_made"] > 0


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    ran = qf("fuse", tmp_path / "none.npz", "-o", tmp_path / "a.npz", "--tick-size", "1", "--lot-size", "1")
    assert (ran.code, ran.err) == (2, f"qf fuse: {tmp_path}/none.npz: no such file or directory\n")


def test_an_existing_output_is_kept_unless_forced(tmp_path: Path) -> None:
    source, out = market(tmp_path), tmp_path / "a.npz"
    out.touch()
    assert qf("fuse", source, "-o", out).code == 2
    assert qf("fuse", source, "-o", out, "-f").code == 0
