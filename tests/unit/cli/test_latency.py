"""`qf latency`: order latencies made up from a feed."""

from __future__ import annotations

from pathlib import Path

from queuefront.feed import Tape, generate_order_latency, read_latencies
from tests.unit.cli.runs import market, qf


def test_latencies_are_written_and_summed_up(tmp_path: Path) -> None:
    tape, out = market(tmp_path), tmp_path / "latency.npz"
    ran = qf("latency", tape, "-o", out, "--mul-entry", "1.5", "--offset-resp", "250", "--resampling", 10**8)
    assert (ran.code, ran.err) == (0, "")
    rows = read_latencies(out)
    wanted = generate_order_latency(Tape.open(tape).to_events(), None, "1.5", 0, 1, 250, 10**8)
    assert rows.tobytes() == wanted.tobytes()
    assert f"rows {len(rows)}" in ran.rows
    assert any(row.startswith("longest response latency") for row in ran.rows)


def test_a_factor_that_is_no_number_is_one_line(tmp_path: Path) -> None:
    ran = qf("latency", market(tmp_path), "-o", tmp_path / "a.npz", "--mul-entry", "fast")
    assert (ran.code, ran.err) == (
        2,
        "qf latency: mul_entry is 'fast'; give a decimal number, for example '0.01'\n",
    )


def test_an_output_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    assert qf("latency", market(tmp_path), "-o", tmp_path / "a.tape").code == 2


def test_a_sessions_log_is_resampled(tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "a.npz"
    log.write_text("req_ts,exch_ts,resp_ts\n10,15,20\n12,13,14\n30,31,32\n")
    ran = qf("latency", log, "--log", "-o", out, "--resampling", 10)
    assert (ran.code, ran.err) == (0, "")
    assert read_latencies(out)["req_ts"].tolist() == [12, 30]
    ran = qf("latency", log, "--log", "-o", out, "-f", "--mul-entry", "2")
    assert ran.err == ("qf latency: factors and offsets say nothing about measured latencies; leave them out, or --log\n")
