"""Raw streams, tables and records by price that are cut off, damaged or lie end in errors that name the file, or in counts.

H6: nothing but a documented error comes out, and no row that the file does not hold.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from queuefront.core import ConfigError, DataError
from queuefront.feed import (
    Conversion,
    convert_bybit,
    convert_databento,
    convert_hyperliquid,
    convert_mexc,
    convert_table,
    validate_event_order,
)
from tests.unit.feed.sources import test_bybit, test_hyperliquid, test_mexc
from tests.unit.feed.sources.dbn_files import dbn_file, header, level_message
from tests.unit.feed.sources.raw_files import START_MS, raw_file
from tests.unit.feed.sources.test_table_mapping import mapping

GRID = {"tick_size": "0.000001", "lot_size": "0.000001"}


@dataclass(frozen=True)
class Hostile:
    """A source, a small file of it, and values in the last record that are replaced by worse."""

    name: str
    data: Callable[[Path], bytes]
    convert: Callable[[Path, str], Conversion]
    time: bytes = b""
    price: bytes = b""
    qty: bytes = b""
    symbol: bytes = b""
    is_text: bool = True


def _plain(folder: Path, *messages: object) -> bytes:
    return gzip.decompress(raw_file(folder, *messages).read_bytes())


BYBIT_MESSAGES = [
    test_bybit.SNAPSHOT,
    test_bybit.book([["99", "0"]], [], u=2),
    test_bybit.trades(test_bybit.trade("100.25", "7.5", ms=77)),
]
HYPERLIQUID_MESSAGES = [
    test_hyperliquid.FIRST,
    test_hyperliquid.book([("100", "5")], [("102", "1")], ms=1),
    test_hyperliquid.trades(test_hyperliquid.trade("100.25", "7.5", ms=77)),
]
MEXC_MESSAGES = [
    test_mexc.limit(bids=test_mexc.levels(("99", "1"))),
    test_mexc.change("2", bids=test_mexc.levels(("99", "0"))),
    test_mexc.deals({"p": "100.25", "v": "7.5", "S": 1, "t": START_MS + 77}),
]
TIME = str(START_MS + 77).encode()
CSV = b"t,p,q,side,sym\n%d,99,1,b,X\n%s,100.25,7.5,s,X\n" % (START_MS, TIME)
PLAN = mapping(symbol="X", columns={"symbol": "sym"})


def _parquet(folder: Path) -> bytes:
    path = folder / "made.parquet"
    cells = {"t": [START_MS, START_MS + 77], "p": ["99", "100.25"], "q": [1.0, 7.5], "side": ["b", "s"], "sym": ["X"] * 2}
    pq.write_table(pa.table(cells), path)
    return path.read_bytes()


def _by_price(folder: Path, name: str = "made.dbn") -> bytes:
    p = 10**9
    messages = [level_message([(100 * p, i + 1)], [(101 * p, 1)], action="AT"[i % 2], price=100 * p) for i in range(3)]
    return dbn_file(folder, *messages, head=header("mbp-1"), name=name).read_bytes()


def _table(path: Path, on_bad: str) -> Conversion:
    return convert_table(path, PLAN, on_bad=on_bad, **GRID)


def _databento(path: Path, on_bad: str) -> Conversion:
    return convert_databento(path, on_bad=on_bad, **GRID)


SOURCES = [
    Hostile(
        "bybit.txt",
        lambda folder: _plain(folder, *BYBIT_MESSAGES),
        lambda path, on_bad: convert_bybit(path, on_bad=on_bad, **GRID),
        TIME,
        b'"100.25"',
        b'"7.5"',
        b"XYZUSDT",
    ),
    Hostile(
        "bybit50.txt",
        lambda folder: _plain(folder, *BYBIT_MESSAGES),
        lambda path, on_bad: convert_bybit(path, level=50, on_bad=on_bad, **GRID),
        TIME,
        b'"100.25"',
        b'"7.5"',
        b"XYZUSDT",
    ),
    Hostile(
        "hyperliquid.txt",
        lambda folder: _plain(folder, *HYPERLIQUID_MESSAGES),
        lambda path, on_bad: convert_hyperliquid(path, on_bad=on_bad, **GRID),
        TIME,
        b'"100.25"',
        b'"7.5"',
        b"BTC",
    ),
    Hostile(
        "mexc.txt",
        lambda folder: _plain(folder, *MEXC_MESSAGES),
        lambda path, on_bad: convert_mexc(path, on_bad=on_bad, **GRID),
        TIME,
        b'"100.25"',
        b'"7.5"',
        b'"s":"SOLUSDT"',
    ),
    Hostile(
        "bybit.gz",
        lambda folder: raw_file(folder, *BYBIT_MESSAGES).read_bytes(),
        lambda path, on_bad: convert_bybit(path, on_bad=on_bad, **GRID),
        is_text=False,
    ),
    Hostile("table.csv", lambda _: CSV, _table, TIME, b"100.25", b"7.5"),
    Hostile("table.csv.gz", lambda _: gzip.compress(CSV), _table, is_text=False),
    Hostile("table.parquet", _parquet, _table, is_text=False),
    Hostile("mbp.dbn", _by_price, _databento, is_text=False),
    Hostile("mbp.dbn.zst", lambda folder: _by_price(folder, "made.dbn.zst"), _databento, is_text=False),
]


@pytest.fixture(params=SOURCES, ids=lambda source: source.name)
def source(request: pytest.FixtureRequest) -> Hostile:
    return request.param


def outcome(source: Hostile, folder: Path, data: bytes, on_bad: str = "stop") -> Conversion | DataError | ConfigError:
    """Convert; return what came of it. Any other exception is a failure of the test."""
    path = folder / source.name
    path.write_bytes(data)
    try:
        conversion = source.convert(path, on_bad)
    except (DataError, ConfigError) as e:
        # An instrument id that was damaged asks for a choice.
        if str(path) not in str(e) or (isinstance(e, ConfigError) and "instruments; give symbol" not in str(e)):
            raise AssertionError(f"the error does not name the file: {e}") from e
        return e
    validate_event_order(conversion.events)
    return conversion


def test_a_file_cut_off_at_any_byte_has_no_row_that_is_not_in_it(source: Hostile, tmp_path: Path):
    """H6.1, H6.5."""
    data = source.data(tmp_path)
    full = outcome(source, tmp_path, data)
    assert isinstance(full, Conversion)
    assert (full.account.refused_count, full.account.damage) == (0, None)
    for cut in range(len(data)):
        made = outcome(source, tmp_path, data[:cut])
        if isinstance(made, Conversion):
            assert made.account.events <= full.account.events
            assert source.is_text or source.name.startswith("mbp") or not cut, f"cut at {cut} went unnoticed"
        kept = outcome(source, tmp_path, data[:cut], "skip")
        if isinstance(kept, Conversion):
            assert kept.account.events <= full.account.events
            assert kept.account.refused_count or kept.account.damage or isinstance(made, Conversion), f"cut at {cut}"


@pytest.mark.parametrize("on_bad", ["stop", "skip"])
def test_flipped_bits_end_in_an_error_or_in_counts(source: Hostile, tmp_path: Path, on_bad: str):
    data = source.data(tmp_path)
    rng = random.Random(7)
    for _ in range(400):
        flipped = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        outcome(source, tmp_path, bytes(flipped), on_bad)


BAD_NUMBERS = ["nan", "-1", "inf", "-inf", "1e999", "x", "0x10", "", "1_0", " 1"]
BAD_TIMES = [2**63 - 1, -(2**63), 2**63, -1, 0, 10**20, START_MS * 1000_000, "x", "nan", 1.5e300]


@pytest.mark.parametrize("source", [source for source in SOURCES if source.time], ids=lambda source: source.name)
def test_what_no_record_may_hold_is_named_or_counted(source: Hostile, tmp_path: Path):
    """H0.5: times at the limits of int64 and in another unit."""
    data = source.data(tmp_path)
    is_json = source.name.endswith(".txt")
    bad = [(field, json.dumps(n) if is_json else n) for field in (source.price, source.qty) for n in BAD_NUMBERS]
    bad += [(source.time, json.dumps(t) if is_json else str(t)) for t in BAD_TIMES]
    if source.symbol:
        bad += [(source.symbol, source.symbol.decode().replace("BTC", "ETH").replace("USDT", "USDC"))]
    else:
        bad += [(source.qty, '"\udcff\udcfe"')]
    for good, worse in bad:
        place = data.rindex(good)
        hostile = data[:place] + worse.encode("utf-8", "surrogateescape") + data[place + len(good) :]
        stopped = outcome(source, tmp_path, hostile)
        assert isinstance(stopped, DataError), f"{worse} went unnoticed"
        if b"\xff" not in hostile:
            assert "line 3" in str(stopped) or "record 2" in str(stopped)
        skipped = outcome(source, tmp_path, hostile, "skip")
        assert isinstance(skipped, DataError) or skipped.account.refused_count >= 1, f"{worse} was not counted"


@pytest.mark.parametrize("source", [source for source in SOURCES if source.time], ids=lambda source: source.name)
def test_records_out_of_order_and_twice_are_put_in_order(source: Hostile, tmp_path: Path):
    lines = source.data(tmp_path).splitlines(keepends=True)
    head, lines = (lines[:1], lines[1:]) if source.name.endswith(".csv") else ([], lines)
    made = outcome(source, tmp_path, b"".join(head + lines[::-1] + lines))
    assert isinstance(made, Conversion)
    assert len(made.events) > len(lines)


@pytest.mark.parametrize("on_bad", ["stop", "skip"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n" * 1000,
        b"\0" * 1000,
        b"\xff\xfe" * 500,
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"PAR1PAR1",
        b"DBN\x03" + b"\xff" * 64,
    ],
)
def test_a_file_of_something_else_makes_no_events(source: Hostile, tmp_path: Path, data: bytes, on_bad: str):
    made = outcome(source, tmp_path, data, on_bad)
    assert isinstance(made, DataError) or not len(made.events)
