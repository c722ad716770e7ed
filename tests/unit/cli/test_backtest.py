"""`qf backtest`: results in a folder, and one line for what went wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli.runs import Ran, market, qf

pytestmark = pytest.mark.slow

QUIET = """
def strategy(hbt, wakes=3):
    for _ in range(wakes):
        hbt.elapse(1_000_000_000)
"""

BUYS_ONCE = """
from queuefront.core.enums import GTC, LIMIT

def strategy(hbt, lots=2):
    for asset in range(hbt.num_assets):
        hbt.elapse(1_000_000_000)
        depth = hbt.depth(asset)
        hbt.submit_buy_order(asset, 1, depth.best_ask, lots * depth.lot_size, GTC, LIMIT, True)
    hbt.elapse(1_000_000_000)
"""


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return market(tmp_path_factory.mktemp("market"), events=5_000)


def run(folder: Path, text: str, *arguments: object) -> Ran:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return qf("backtest", path, "--out", folder / "out", *arguments)


def test_the_results_stand_in_the_folder_and_the_figures_on_the_screen(tmp_path: Path, tape: Path) -> None:
    ran = run(tmp_path, BUYS_ONCE, "--tape", tape)
    assert (ran.code, ran.err) == (0, "")
    assert any(row.startswith("│ Fills │ 1 │") for row in ran.rows)
    files = ["equity.parquet", "fills.parquet", "orders.parquet", "report.html", "summary.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == files
    assert pl.read_parquet(tmp_path / "out" / "fills.parquet").height == 1


def test_parameters_and_models_come_from_file_and_options(tmp_path: Path, tape: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        "[strategy]\nlots = 3\n[run]\nsample_every_ns = 500_000_000\n"
        "[asset.latency]\nentry_ns = 1_000_000\nresponse_ns = 2_000_000\n[asset.queue]\nkind = 'power'\nn = 2.0\n"
        "[asset]\nexchange = 'partial-fill'\nfees = {kind = 'flat', maker = 0, taker = '1.5'}\n"
    )
    ran = run(tmp_path, BUYS_ONCE, "--tape", tape, "--config", config, "--set", "strategy.lots=5")
    assert (ran.code, ran.err) == (0, "")
    fills = pl.read_parquet(tmp_path / "out" / "fills.parquet")
    assert fills["qty"].sum() == pytest.approx(0.005, abs=1e-12)
    assert fills["fee"].sum() == pytest.approx(1.5 * fills.height, abs=1e-12)
    orders = pl.read_parquet(tmp_path / "out" / "orders.parquet")
    sent, answered = (orders.filter(pl.col("event") == event).row(0, named=True) for event in ("request", "response"))
    assert (answered["exch_ts"] - sent["local_ts"]) / timedelta(milliseconds=1) == 1
    assert (answered["local_ts"] - answered["exch_ts"]) / timedelta(milliseconds=2) == 1


def test_one_asset_table_is_for_every_tape(tmp_path: Path, tape: Path) -> None:
    ran = run(tmp_path, BUYS_ONCE, "--tape", tape, "--tape", tape, "--set", "queue=log")
    assert (ran.code, ran.err) == (0, "")
    assert pl.read_parquet(tmp_path / "out" / "fills.parquet").height == 2


def test_as_many_asset_tables_as_tapes_are_needed(tmp_path: Path, tape: Path) -> None:
    ran = run(tmp_path, QUIET, "--tape", tape, "--set", "asset.1.queue=log")
    assert (ran.code, ran.err) == (2, "qf backtest: 1 tapes but 2 [[asset]] tables; give one for each, or one for all\n")


def test_another_function_can_be_named(tmp_path: Path, tape: Path) -> None:
    assert run(tmp_path, QUIET.replace("strategy", "other"), "--tape", tape, "--function", "other").code == 0


@pytest.mark.parametrize(
    ("text", "arguments", "code", "message"),
    [
        ("def other(hbt): ...", (), 3, "{path} has no function 'strategy'; name one with --function: other"),
        ("1 / 0", (), 3, "{path}:1: ZeroDivisionError: division by zero; the file must run by itself"),
        ("def strategy(hbt):\n    raise ValueError('I give up')\n", (), 3, "{path}:2: ValueError: I give up"),
        (
            "from numba import njit\n@njit\ndef strategy(hbt):\n    return hbt.dept(0)\n",
            (),
            3,
            (
                "{path}:4: does not compile: Unknown attribute 'dept' of type Backtester; "
                "--traceback shows Numba's whole message"
            ),
        ),
        (QUIET, ("--set", "strategy.wake=1"), 2, "--set: strategy.wake: no such parameter; did you mean wakes?"),
        (
            QUIET,
            ("--set", "latency.entry=1"),
            2,
            "--set latency.entry=1: asset.latency.entry: unknown key; did you mean entry_ns?",
        ),
        (
            QUIET,
            ("--set", "fees.maker=2", "--set", "fees.taker=0"),
            2,
            "the maker fee is 2; give a fraction, for example 0.0002 for two basis points",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    tmp_path: Path, tape: Path, text: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ran = run(tmp_path, text, "--tape", tape, *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err == f"qf backtest: {message.format(path=tmp_path / 'mine.py')}\n"


def test_a_missing_tape_is_one_line(tmp_path: Path) -> None:
    ran = run(tmp_path, QUIET, "--tape", tmp_path / "none.tape")
    assert ran.code == 4
    assert ran.err == (
        f"qf backtest: {tmp_path}/none.tape: there is no such file; make a tape with `qf convert` or `qf synth`\n"
    )


def test_a_missing_strategy_is_one_line(tmp_path: Path, tape: Path) -> None:
    ran = qf("backtest", tmp_path / "none.py", "--tape", tape, "--out", tmp_path / "out")
    assert (ran.code, ran.err) == (2, f"qf backtest: {tmp_path}/none.py: no such file or directory\n")


def test_the_whole_traceback_is_there_when_asked_for(tmp_path: Path, tape: Path) -> None:
    ran = run(tmp_path, "def strategy(hbt):\n    raise ValueError('I give up')\n", "--tape", tape, "--traceback")
    assert ran.code == 1
    assert "Traceback (most recent call last)" in ran.err
    assert "ValueError: I give up" in ran.err


ENDLESS = "from numba import njit\n@njit\ndef strategy(hbt):\n    while True:\n        hbt.elapse(1)\n"


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
@pytest.mark.parametrize(
    ("number", "code", "message"), [(signal.SIGINT, 130, "qf backtest: interrupted\n"), (signal.SIGTERM, 143, "")]
)
def test_a_strategy_that_never_returns_can_be_ended(
    tmp_path: Path, tape: Path, number: signal.Signals, code: int, message: str
) -> None:
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'begun')!r}, 'w').close()\n{ENDLESS}")
    command = [sys.executable, "-c", "from queuefront.cli import main; main()", "backtest", str(tmp_path / "mine.py")]
    command += ["--tape", str(tape), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "begun").exists():  # the worker has loaded the strategy
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(10) == code
        assert process.stderr is not None
        assert process.stderr.read() == message
