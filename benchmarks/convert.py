"""Measure the converters of archive files beside hftbacktest's: `python -m benchmarks.convert [--rows N]`.

The files are made up, of one seed, and the same for both. Each converter runs once without counting, which compiles, and
then alternating; the median counts. Sizes are those of the text, unpacked. Both must make equally many rows.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import importlib
import io
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from queuefront.feed import convert_binance_history, convert_bybit_history, convert_lobster, convert_tardis

GRID = {"tick_size": "0.1", "lot_size": "0.001"}
HEAD = "exchange,symbol,timestamp,local_timestamp,"


class Load(NamedTuple):
    """A source: what the files hold in all, and what converts them; each returns a number of rows."""

    name: str
    text_bytes: int
    ours: Callable[[], int]
    theirs: Callable[[], int] | None


def reference(module: str, *arguments: object, **named: object) -> int:
    """Run a converter of hftbacktest without its talk."""
    with contextlib.redirect_stdout(io.StringIO()):
        return len(importlib.import_module(f"hftbacktest.data.utils.{module}").convert(*arguments, **named))


def tardis(folder: Path, rows: int) -> Load:
    """Depth with a snapshot at its beginning, and trades; gzip, as Tardis delivers."""
    rng = np.random.default_rng(1)
    ts = (1_700_000_000_000_000 + np.cumsum(rng.integers(0, 900, rows) * (np.arange(rows) >= 2000))).tolist()
    px, qty = (rng.integers(300_000, 301_000, rows) / 10).tolist(), (rng.integers(0, 90_000, rows) / 1000).tolist()
    side = rng.choice(["bid", "ask"], rows).tolist()
    depth = [HEAD + "is_snapshot,side,price,amount"]
    depth += [
        f"binance-futures,BTCUSDT,{t},{t + 4321},{str(i < 2000).lower()},{s},{p},{q}"
        for i, (t, s, p, q) in enumerate(zip(ts, side, px, qty, strict=True))
    ]
    trades = [HEAD + "id,side,price,amount"]
    trades += [f"binance-futures,BTCUSDT,{t},{t + 4321},{i},{'buysell'[:3]},{px[i]},1.5" for i, t in enumerate(ts[::10])]
    paths, text_bytes = [], 0
    for name, lines in (("trades", trades), ("incremental_book_L2", depth)):
        text = ("\n".join(lines) + "\n").encode()
        path = folder / f"{name}.csv.gz"
        path.write_bytes(gzip.compress(text, 1))
        paths.append(str(path))
        text_bytes += len(text)
    room = {"buffer_size": 2 * rows, "ss_buffer_size": 10_000}
    return Load(
        "tardis (csv.gz)",
        text_bytes,
        lambda: len(convert_tardis(paths, **GRID).events),
        lambda: reference("tardis", paths, **room),
    )


def binance(folder: Path, rows: int) -> Load:
    """Depth updates and trades, csv; hftbacktest reads no zip."""
    rng = np.random.default_rng(2)
    ts = (1_700_000_000_000 + np.cumsum(rng.integers(0, 2, rows))).tolist()
    px, qty = (rng.integers(300_000, 301_000, rows) / 10).tolist(), (rng.integers(0, 90_000, rows) / 1000).tolist()
    depth, trades = folder / "depth.csv", folder / "trades.csv"
    depth.write_text(
        "".join(f"BTCUSDT,{t},1,{i},{i},{'ab'[i % 2]},set,{px[i]},{qty[i]}\n" for i, t in enumerate(ts)), newline="\n"
    )
    trades.write_text("".join(f"{i},{px[i]},{qty[i]},1.5,{t},true\n" for i, t in enumerate(ts[::10])), newline="\n")
    return Load(
        "binance-history (csv)",
        depth.stat().st_size + trades.stat().st_size,
        lambda: len(convert_binance_history([depth, trades], **GRID).events),
        lambda: reference("binancehistmktdata", str(depth), str(trades), buffer_size=2 * rows),
    )


def bybit(folder: Path, rows: int) -> Load:
    """Books of 20 changes a message, zip, and trades, csv.gz."""
    rng = np.random.default_rng(3)
    messages = []
    for i in range(rows // 20):
        levels = [
            f'["{p / 10}","{q}"]' for p, q in zip(rng.integers(9_000, 9_900, 20), rng.integers(0, 99, 20), strict=True)
        ]
        sides = f'"b":[{",".join(levels[:10])}],"a":[{",".join(levels[10:])}]'
        kind = "delta" if i else "snapshot"
        messages.append(
            f'{{"topic":"orderbook.500.XRPUSDT","type":"{kind}","ts":{1_700_000_000_000 + 100 * i},'
            f'"data":{{"s":"XRPUSDT",{sides},"u":{i + 1},"seq":{i}}},"cts":{1_700_000_000_000 + 100 * i}}}\n'
        )
    head = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"
    trades = head + "".join(f"{1_700_000_000 + i}.1234,XRPUSDT,Buy,5,950.5,PlusTick,m,1,1,1\n" for i in range(rows // 100))
    books = "".join(messages)
    depth_path, trades_path = folder / "ob500.data.zip", folder / "bybit.csv.gz"
    with zipfile.ZipFile(depth_path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("ob500.data", books)
    trades_path.write_bytes(gzip.compress(trades.encode(), 1))
    return Load(
        "bybit-history (zip, csv.gz)",
        len(books) + len(trades),
        lambda: len(convert_bybit_history([depth_path, trades_path], **GRID).events),
        lambda: reference("bybithistmktdata", str(depth_path), str(trades_path), buffer_size=2 * rows),
    )


def lobster(folder: Path, rows: int) -> Load:
    """Orders that are entered, filled in part and deleted; hftbacktest has no such converter."""
    path = folder / "AAPL_2012-06-21_34200000_57600000_message_10.csv"
    kinds = ((1, 18), (4, 7), (3, 11))
    path.write_text(
        "".join(
            f"{34200 + i // 1000}.{i % 1000:03d}456789,{kind},{i // 3 + 1},{size},{5853300 + i % 7 * 100},1\n"
            for i, (kind, size) in enumerate(islice(cycle(kinds), rows))
        ),
        newline="\n",
    )
    return Load("lobster (csv)", path.stat().st_size, lambda: len(convert_lobster(path).events), None)


def seconds(run: Callable[[], int]) -> tuple[float, int]:
    """Return how long a run takes, and how many rows it makes."""
    begin = time.perf_counter()
    rows = run()
    return time.perf_counter() - begin, rows


def table(rows: int, runs: int) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [
        "| source | text, MB | rows, millions | ours, GB/min | hftbacktest, GB/min | ratio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for make in (tardis, binance, bybit, lobster):
            load = make(Path(folder), rows)
            ours, theirs = [], []
            count = other_count = 0
            for run in range(runs + 1):
                took, count = seconds(load.ours)
                ours += [took] * (run > 0)
                if load.theirs is not None:
                    took, other_count = seconds(load.theirs)
                    theirs += [took] * (run > 0)
                    assert abs(count - other_count) <= 2, (load.name, count, other_count)
            speed = load.text_bytes / 1e9 * 60 / statistics.median(ours)
            cells = [load.name, f"{load.text_bytes / 1e6:.0f}", f"{count / 1e6:.1f}", f"{speed:.1f}"]
            if theirs:
                other = load.text_bytes / 1e9 * 60 / statistics.median(theirs)
                cells += [f"{other:.1f}", f"{speed / other:.1f}×"]
            else:
                cells += ["none", ""]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    for line in table(arguments.rows, arguments.runs):
        print(line)
