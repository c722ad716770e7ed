"""Raw streams of Bybit, Hyperliquid and MEXC: our rows beside hftbacktest's."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from queuefront.compat.hftbacktest.data.utils import bybit, hyperliquid, mexc
from queuefront.core.enums import TRADE_EVENT
from tests import venue_data
from tests.differential.recorded import feed
from tests.unit.feed.sources.raw_files import START_MS, raw_file

ROWS = 100_000


def reference(module: str, function: str, path: Path, *arguments: object, **options: object) -> np.ndarray:
    from importlib import import_module

    convert = getattr(import_module(f"hftbacktest.data.utils.{module}"), function)
    with contextlib.redirect_stdout(io.StringIO()):
        return convert(str(path), *arguments, buffer_size=ROWS, **options)


class Venue:
    """A market of one symbol, drawn from a seed, in a venue's words."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.ids = {1: 1, 50: 1, 500: 1}

    def levels(self, side: int, count: int, low: int = 0) -> list[list[str]]:
        ticks = self.rng.choice(np.arange(1, 40), count, replace=False)
        ticks = np.sort(ticks)
        return [[f"{100 + side * int(t) * 0.1:.1f}", f"{int(self.rng.integers(low, 9)) * 0.001:.3f}"] for t in ticks]

    def bybit(self, i: int) -> dict:
        rng, ms = self.rng, START_MS + 10 * i + int(self.rng.integers(-15, 5))
        if rng.random() < 0.3:
            data = [
                {"T": ms - 1, "s": "X", "S": ("Buy", "Sell")[int(rng.integers(2))], "v": "0.003", "p": "100.1", "BT": False}
                for _ in range(int(rng.integers(1, 4)))
            ]
            return {"topic": "publicTrade.X", "type": "snapshot", "ts": ms, "data": data}
        level = int(rng.choice([1, 50, 50, 500]))
        is_whole = level == 1 or self.ids[level] == 1 or rng.random() < 0.05
        self.ids[level] += 1
        count = 1 if level == 1 else int(rng.integers(1, 12))
        data = {
            "s": "X",
            "b": self.levels(-1, count, int(is_whole)),
            "a": self.levels(1, count, int(is_whole)),
            "u": self.ids[level],
        }
        return {"topic": f"orderbook.{level}.X", "type": "snapshot" if is_whole else "delta", "ts": ms, "data": data}

    def mexc(self, i: int) -> dict:
        ms = START_MS + i
        words = self.rng.random()
        if words < 0.3:
            deals = [{"p": "100.1", "v": "0.003", "S": int(self.rng.integers(1, 3)), "t": ms - 3}]
            return {"c": "spot@public.deals.v3.api@X", "d": {"deals": deals}, "s": "X", "t": ms}
        name = "limit.depth" if words < 0.5 else "increase.depth"
        sides = {
            key: [{"p": px, "v": qty} for px, qty in self.levels(side, 5)] for key, side in (("bids", -1), ("asks", 1))
        }
        return {"c": f"spot@public.{name}.v3.api@X", "d": sides | {"r": str(i)}, "s": "X", "t": ms}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_one_level_of_bybit_equals_the_reference_to_the_byte(tmp_path: Path, seed):
    venue = Venue(seed)
    path = raw_file(tmp_path, *(venue.bybit(i) for i in range(600)))
    for level in (1, 50):
        made = bybit.convert_depth(path, base_latency=1000, single_depth_level=level)
        wanted = reference("bybit", "convert_depth", path, base_latency=1000, single_depth_level=level)
        assert len(made) > 300
        assert made.tobytes() == wanted.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_d54_fused_levels_of_bybit_equal_the_reference_but_for_prices_of_removed_levels(tmp_path: Path, seed):
    venue = Venue(seed)
    path = raw_file(tmp_path, *(venue.bybit(i) for i in range(600)))
    made = bybit.convert_fused(path, tick_size=0.1, lot_size=0.001)
    wanted = reference("bybit", "convert_fused", path, tick_size=0.1, lot_size=0.001)
    assert len(made) > 1000
    for name in ("ev", "exch_ts", "local_ts", "qty", "order_id", "ival", "fval"):
        assert np.array_equal(made[name], wanted[name]), name
    np.testing.assert_allclose(made["px"], wanted["px"], rtol=1e-15)


@pytest.mark.slow
@venue_data.needs_data
def test_recorded_messages_of_bybit_equal_the_reference(tmp_path: Path):
    for name in ("recorded_orderbook50_2026", "recorded_orderbook1_spot_2026"):
        messages = [m for m in venue_data.load(f"bybit/ws_public/{name}.json") if "BTCUSDT" in json.dumps(m)]
        trade = {"T": messages[0]["ts"], "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "63705", "BT": False}
        messages.append({"topic": "publicTrade.BTCUSDT", "ts": messages[0]["ts"], "data": [trade]})  # D83
        path = raw_file(tmp_path, *messages)
        for level in (1, 50):
            made = bybit.convert_depth(path, single_depth_level=level)
            assert made.tobytes() == reference("bybit", "convert_depth", path, single_depth_level=level).tobytes()
        made = bybit.convert_fused(path, tick_size=0.1, lot_size=0.000001)
        assert made.tobytes() == reference("bybit", "convert_fused", path, tick_size=0.1, lot_size=0.000001).tobytes()


@pytest.mark.slow
def test_d81_block_trades_of_bybit_make_no_rows(tmp_path: Path):
    data = [{"T": START_MS, "s": "X", "S": "Buy", "v": "1", "p": "100", "BT": is_block} for is_block in (True, False)]
    path = raw_file(tmp_path, {"topic": "publicTrade.X", "type": "snapshot", "ts": START_MS, "data": data})
    assert len(reference("bybit", "convert_depth", path)) == 2
    assert len(bybit.convert_depth(path)) == 1


@pytest.mark.slow
def test_d82_a_trade_of_an_unknown_side_is_no_buyer(tmp_path: Path):
    messages = {
        "bybit": {
            "topic": "publicTrade.X",
            "ts": START_MS,
            "data": [{"T": START_MS, "s": "X", "S": "None", "v": "1", "p": "100"}],
        },
        "hyperliquid": {"channel": "trades", "data": [{"coin": "X", "side": "?", "px": "1", "sz": "1", "time": START_MS}]},
        "mexc": {
            "c": "spot@public.deals.v3.api@X",
            "d": {"deals": [{"p": "1", "v": "1", "S": 3, "t": START_MS}]},
            "t": START_MS,
        },
    }
    ours = {"bybit": bybit.convert_depth, "hyperliquid": hyperliquid.convert, "mexc": mexc.convert}
    buys = (TRADE_EVENT | 1 << 29, TRADE_EVENT)
    for name, message in messages.items():
        path = raw_file(tmp_path, message)
        grid = (1.0, 1.0) if name == "hyperliquid" else ()
        wanted = reference(name, "convert_depth" if name == "bybit" else "convert", path, *grid)
        made = ours[name](path, *grid)
        assert (int(wanted["ev"][0]) & 0x3FFFFFFF, int(made["ev"][0]) & 0x3FFFFFFF) == buys


@pytest.mark.slow
@pytest.mark.parametrize("delete", [True, False])
def test_the_recorded_feed_of_hyperliquid_equals_the_reference(delete):
    path = feed("hyperliquid_btc_20250126.gz")
    made = hyperliquid.convert(path, 1.0, 0.00001, delete_out_of_book=delete)
    wanted = reference("hyperliquid", "convert", path, 1.0, 0.00001, delete_out_of_book=delete)
    assert len(made) > 300
    assert made.tobytes() == wanted.tobytes()


@pytest.mark.slow
def test_d50_a_shorter_book_of_hyperliquid_has_no_rows_of_an_older_one(tmp_path: Path):
    def book(*px: str) -> dict:
        levels = [[{"px": p, "sz": "1", "n": 1} for p in px], []]
        return {"channel": "l2Book", "data": {"coin": "X", "levels": levels, "time": START_MS}}

    path = raw_file(tmp_path, book("3", "2"), book("3", "2"), book("5"))
    made = hyperliquid.convert(path, 1.0, 1.0, 2)
    assert made["px"].tolist() == [3.0, 2.0, 5.0, 3.0, 2.0]
    assert made.tobytes() != reference("hyperliquid", "convert", path, 1.0, 1.0, 2).tobytes()


@pytest.mark.slow
def test_d48_rows_of_mexc_equal_the_reference_but_for_its_times(tmp_path: Path):
    venue = Venue(7)
    path = raw_file(tmp_path, *({"id": 0, "code": 0, "msg": "x"}, *(venue.mexc(i) for i in range(400))))
    made, wanted = mexc.convert(path), reference("mexc", "convert", path)
    assert len(made) > 1000
    for name in ("ev", "px", "qty"):
        assert np.array_equal(made[name], wanted[name]), name
    for name in ("exch_ts", "local_ts"):
        assert 0 < int(np.abs(made[name] - wanted[name]).max()) <= 128
