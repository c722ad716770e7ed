"""The benchmark of other engines: what they are given, what strategies want, and the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.data import ROOT, recording, store
from benchmarks.peer_table import PEERS_PYTHON, PeerRun, installed, measure_peers, peer_table
from benchmarks.peers import ENGINES, LOADS, SNAPSHOT, TRADE, Feed, wanted
from benchmarks.run import main


def feed_of(folder: Path) -> Feed:
    market = store(recording(is_tiny=True), 3_000, folder)
    return Feed({"npz": str(market.npz), "tick_size": market.tick_size, "lot_size": market.lot_size})


def test_messages_hold_every_row_once_and_levels_of_one_time_together(tmp_path: Path) -> None:
    feed = feed_of(tmp_path)
    assert feed.rows == 3_000
    assert (feed.starts[1:] == feed.ends[:-1]).all()
    assert feed.ends[-1] == len(feed.ts)
    for begin, end in zip(feed.starts, feed.ends, strict=True):
        assert len(set(feed.ts[begin:end])) == 1
        assert len(set(feed.kind[begin:end])) == 1
        assert end - begin == 1 or feed.kind[begin] != TRADE
    assert (feed.kind == SNAPSHOT).any()


def test_what_a_strategy_wants_is_what_the_benchmark_strategies_want() -> None:
    assert wanted("idle", 100.0, 101.0, 0.0, 1.0) == (set(), set())
    assert wanted("pair", 100.0, 103.0, 0.0, 1.0) == ({100}, {103})
    assert wanted("pair", 100.0, 103.0, 10.0, 1.0) == (set(), {103})
    bids, asks = wanted("grid", 1000.0, 1001.0, -100.0, 1.0)
    assert (max(bids), min(bids), len(bids)) == (980, 890, 10)
    assert asks == set()


def test_the_table_has_a_column_an_engine() -> None:
    runs = [PeerRun("lrvx", "0.11", "idle", 1_000_000, 0.25, 50_000_000, 0), PeerRun("other", "2", "pair", 10, 1.0, 1, 3)]
    lines = peer_table(runs, {"idle": "no orders", "pair": "a pair"}).splitlines()
    assert lines[2] == "| load | lrvx 0.11 | other 2 |"
    assert lines[4:] == [
        "| no orders | 4 M events/s, 50 MB, 0 fills |  |",
        "| a pair |  | 1e-05 M events/s, 0 MB, 3 fills |",
    ]


def test_an_environment_without_engines_makes_no_table(tmp_path: Path) -> None:
    assert installed(tmp_path / "python") == []
    assert not set(installed(Path(sys.executable))) - set(ENGINES)
    assert peer_table([], {"idle": "no orders"}) == ""


def test_an_engine_that_fails_ends_the_measurement(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nif [ "$1" = "-c" ]; then echo lrvx; else exit 3; fi\n')
    python.chmod(0o755)
    market = store(recording(is_tiny=True), 3_000, tmp_path)
    with pytest.raises(RuntimeError, match=r"benchmarks\.peers lrvx idle .* ended with 3$"):
        measure_peers(python, market, market, tmp_path, 1)


def test_only_the_others_are_measured_if_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    python = tmp_path / "python"
    result = json.dumps({"engine": "lrvx", "version": "1", "events": 1000, "seconds": 0.5, "preparing": 0.001, "fills": 2})
    python.write_text(f'#!/bin/sh\nif [ "$1" = "-c" ]; then echo lrvx; else echo \'{result}\'; fi\n')
    python.chmod(0o755)
    main(["--tiny", "--peers-only", "--peers", str(python), "--repeats", "1", "--folder", str(tmp_path / "markets")])
    table = capsys.readouterr().out
    assert table.count("0.002 M events/s") == len(LOADS)
    assert "lrvx 1" in table


@pytest.mark.soak
@pytest.mark.skipif(not PEERS_PYTHON.is_file(), reason="there is no .venv-peers; `make bench-peers` makes it")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("load", LOADS)
def test_a_load_runs_on_another_engine(engine: str, load: str, tmp_path: Path) -> None:
    if engine not in installed(PEERS_PYTHON):
        pytest.skip(f"{engine} is not in .venv-peers")
    market = store(recording(is_tiny=True), 20_000, tmp_path)
    text = json.dumps({"npz": str(market.npz), "tick_size": market.tick_size, "lot_size": market.lot_size})
    command = [str(PEERS_PYTHON), "-m", "benchmarks.peers", engine, load, text, str(tmp_path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=dict(os.environ))
    result = json.loads(found.stdout.splitlines()[-1])
    assert result["events"] == 20_000 * (2 if load == "two_grids" else 1)
    assert np.isfinite(result["seconds"])
    assert (result["fills"] > 0) == (load == "pair") or load in ("grid", "two_grids")
