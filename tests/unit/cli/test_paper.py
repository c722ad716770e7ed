from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.paper_market import USDM, story
from tests.unit.cli.runs import qf


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    story(USDM).save(tmp_path / "market.tape")
    return tmp_path / "market.tape"


def test_a_tape_is_served_until_its_end(tape: Path) -> None:
    ran = qf("paper", "serve", "--venue", USDM, "--tape", tape, "--port", "0", "--speed", "1000", "--exit-at-end")
    assert ran.code == 0
    assert ran.err.startswith("binance-usdm on http://127.0.0.1:")
    assert "BTCUSDT" in ran.err
    assert ["rows", "12", "of", "12"] in [line.split() for line in ran.out.splitlines()]
    assert ["faults", "none"] in [line.split() for line in ran.out.splitlines()]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--speed", "fast"], "--speed is 'fast'; give a number, for example 10, or step"),
        (["--speed", "1/0"], "--speed is '1/0'; give a number, for example 10, or step"),
        (["--connection-age", "0"], "connection_age_s is 0; give the seconds that a WebSocket may stand"),
        (["--balance", "USDT"], "--balance is 'USDT'; give it like USDT=10000"),
        (["--symbol", "BTCUSDT", "--symbol", "ETHUSDT"],
         "there are 1 tapes and 2 symbols; give --symbol once for each tape"),
    ],
)  # fmt: skip
def test_an_option_that_does_not_do_is_refused(tape: Path, options: list[str], message: str) -> None:
    ran = qf("paper", "serve", "--venue", USDM, "--tape", tape, "--port", "0", *options)
    assert (ran.code, ran.err) == (2, f"qf paper serve: {message}\n")


@pytest.mark.slow
def test_it_is_traded_with_moved_by_hand_and_closed_by_a_signal(tape: Path, tmp_path: Path) -> None:
    (tmp_path / "faults.toml").write_text("[[fault]]\nkind='timeout'\ntarget='GET */ping'\n", encoding="utf-8")
    start = "from queuefront.cli import main; main()"
    command = [sys.executable, "-c", start, "paper", "serve", "--venue", USDM, "--tape", str(tape)]
    command += ["--port", "0", "--speed", "step", "--balance", "USDT=1000", "--faults", str(tmp_path / "faults.toml")]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[2]
        with urllib.request.urlopen(f"{address}/paper/step?ms=1000", timeout=30) as answer:
            assert json.load(answer)["rows"] == 4
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{address}/fapi/v1/ping", timeout=30)
        assert caught.value.code == 408
        caught.value.close()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert ["faults", "1", "timeout"] in [line.split() for line in out.splitlines()]
