"""`qf download`."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

from tests.unit.cli.runs import qf
from tests.unit.feed.file_server import serving
from tests.unit.feed.test_public_archives import DAILY, NAME, TARDIS, TRADES


def test_a_file_of_binance_is_fetched(tmp_path: Path) -> None:
    with serving() as server:
        server.files = {DAILY: TRADES, f"{DAILY}.CHECKSUM": sha256(TRADES).hexdigest().encode()}
        command = ("download", "binance", "BTCUSDT", "2023-11-14", "-o", tmp_path, "--base", server.base)
        ran = qf(*command)
        assert (ran.code, ran.err) == (0, "")
        assert f"bytes {len(TRADES)}" in ran.rows
        assert (tmp_path / NAME).read_bytes() == TRADES
        assert "was there already yes" in qf(*command).rows


def test_a_file_that_there_is_not_is_one_line(tmp_path: Path) -> None:
    with serving() as server:
        ran = qf("download", "tardis", "deribit", "BTC", "2024-08-01", "-o", tmp_path, "--base", server.base)
    assert ran.code == 2
    assert ran.err.endswith(": the server has no such file (HTTP 404); check symbol, kind and day\n")
    assert ran.err.startswith("qf download tardis: ")


def test_a_first_day_of_tardis_is_fetched(tmp_path: Path) -> None:
    with serving() as server:
        server.files = {TARDIS: gzip.compress(b"a,b\n")}
        ran = qf(
            *("download", "tardis", "deribit", "BTC-PERPETUAL", "2024-08-01"),
            *("-o", tmp_path, "--kind", "trades", "--base", server.base),
        )
    assert (ran.code, ran.err) == (0, "")
