"""Converting takes as much memory for a month as for an hour: a child process is watched.

By hand, with other lengths: `QF_CONVERSION_ROWS=30000000 pytest -m soak -s tests/scenario/test_conversion_memory.py`.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.process_memory import watch_memory
from queuefront.feed import Tape

LIMIT_BYTES = 500_000_000
CHUNK_ROWS = 250_000
ROWS = int(os.environ.get("QF_CONVERSION_ROWS", "10000000"))

COMMAND = (sys.executable, "-c", "from queuefront.cli import main; main()", "convert", "tardis")


def write_depth(path: Path, rows: int) -> None:
    """Write a day's depth as Tardis delivers it: a snapshot, then changes that come late by up to 5 ms, out of order."""
    rng = np.random.default_rng(1)
    ts, mid = 1_700_000_000_000_000, 300_500
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n")
        for first in range(0, rows, CHUNK_ROWS):
            count = min(CHUNK_ROWS, rows - first)
            steps = rng.integers(0, 900, count) * (np.arange(first, first + count) >= 2000)
            local = ts + 6_000 + np.cumsum(steps)
            exch = local - rng.integers(1_000, 6_000, count) * (np.arange(first, first + count) >= 2000)
            walk = mid + np.cumsum(rng.integers(-1, 2, count))
            is_bid = rng.random(count) < 0.5
            price = walk + np.where(is_bid, -1, 1) * rng.integers(1, 300, count)
            lots = rng.integers(0, 90_000, count)
            ts, mid = int(local[-1]) - 6_000, int(walk[-1])
            rest = zip(exch.tolist(), local.tolist(), is_bid.tolist(), price.tolist(), lots.tolist(), strict=True)
            file.write(
                "".join(
                    f"binance-futures,BTCUSDT,{e},{t},{'true' if first + i < 2000 else 'false'},"
                    f"{'bid' if b else 'ask'},{p // 10}.{p % 10},{q / 1000}\n"
                    for i, (e, t, b, p, q) in enumerate(rest)
                ).encode()
            )


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_ten_million_rows_are_converted_in_half_a_gigabyte(tmp_path: Path) -> None:
    feed, tape = tmp_path / "incremental_book_L2.csv.gz", tmp_path / "a.tape"
    write_depth(feed, ROWS)
    spills = tmp_path / "spills"
    spills.mkdir()
    command = [*COMMAND, str(feed), "-o", str(tape), "--tick-size", "0.1", "--lot-size", "0.001"]
    with (tmp_path / "said").open("w+") as said:
        process = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(spills)}, stdout=said, stderr=said, text=True)
        private_bytes, resident_bytes = watch_memory(process)
        said.seek(0)
        assert process.returncode == 0, said.read()[-2000:]
    print(f"{ROWS:,} rows: at most {private_bytes:,} bytes private, {resident_bytes:,} resident")
    assert 0 < private_bytes <= resident_bytes < LIMIT_BYTES
    assert len(Tape.open(tape)) >= ROWS
    assert not list(spills.iterdir())
