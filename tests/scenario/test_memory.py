"""Memory of a run: who owns it, who sees it, and that nothing is read before it is written or after it is gone."""

from __future__ import annotations

import gc
import os
import platform
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import queuefront
from queuefront.core import ConfigError, DataError, Instrument
from queuefront.core.dtypes import SchemaError, register
from queuefront.core.enums import GTC, LIMIT, MARKET_FEED
from queuefront.core.jit import IS_INTERPRETED
from queuefront.feed import Tape
from queuefront.sim import ASSET_COUNT_MAX, Asset, build_backtester, read_results
from tests.differential.markets import Synthetic
from tests.small_market import SECOND, market, running

INSTRUMENT = Instrument("venue", "SYM", "1", "1")


def random_asset(seed: int = 3) -> Asset:
    return Asset(Tape.build(Synthetic(seed, 600).events(), INSTRUMENT, source="random"))


def trade(asset: Asset) -> bytes:
    """Quote a little and return every byte that was recorded."""
    hbt, handles = build_backtester([asset], [asset.load()])
    quote(hbt)
    return recorded(hbt, handles, asset)


def quote(hbt: Any) -> int:
    """Bid at the best price again and again; return how often."""
    order_id = 0
    while hbt.elapse(50) == 0:
        order_id += 1
        tick = hbt.depth(0).best_bid_tick
        if abs(tick) < 10_000:
            hbt.submit_buy_order(0, order_id, float(tick), 1.0, GTC, LIMIT, False)
    return order_id


def recorded(hbt: Any, handles: Any, asset: Asset) -> bytes:
    result = read_results(hbt, handles, [asset], [asset.load()])[0]
    return result.fills.tobytes() + result.changes.tobytes() + result.state.tobytes()


def test_reading_on_after_the_last_row_stays_at_the_end():  # H3.4
    hbt = running()
    while hbt.elapse(SECOND) == 0:
        pass
    now = hbt.current_timestamp
    assert {hbt.elapse(SECOND) for _ in range(1_000)} == {1}
    assert {hbt.wait_next_feed(True, SECOND) for _ in range(1_000)} == {1}
    assert hbt.current_timestamp == now


def test_a_run_keeps_the_market_that_nobody_else_holds():  # H3.6
    expected = trade(random_asset())

    def built() -> tuple[Any, Any]:
        asset = random_asset()
        return build_backtester([asset], [asset.load()])

    hbt, handles = built()
    gc.collect()
    rubbish = [np.full(10**5, 7, np.int64) for _ in range(50)]  # takes the places that were given back
    assert quote(hbt) > 5
    assert len(rubbish) == 50
    asset = random_asset()
    assert recorded(hbt, handles, asset) == expected


def test_the_engine_takes_no_address_of_memory():  # H3.7 H3.21 H3.24
    package = Path(queuefront.__file__).parent
    taboo = ("carray", "farray", ".ctypes", "from_address", "addressof", "as_strided", "memmove", "malloc", "free(")
    lines = [
        (path, line)
        for room in ("core", "book", "bot", "sim")
        for path in (package / room).glob("*.py")
        for line in path.read_text("utf-8").splitlines()
    ]
    found = [f"{path}: {line}" for path, line in lines if any(word in line for word in taboo)]
    assert found == []


@pytest.mark.soak
def test_closing_and_collecting_frees_nothing_twice():  # H3.9
    for _ in range(50):
        hbt = running()
        assert (hbt.close(), hbt.close()) == (0, 0)
        del hbt
        gc.collect()


def test_a_market_is_handed_over_read_only():  # H3.12 H3.30
    tape = market()
    columns = [tape.op, tape.exch_ts, tape.local_ts, tape.level, tape.lots, tape.best_bid_exch, tape.levels]
    assert not any(column.flags.writeable for column in columns)
    with pytest.raises(ValueError, match="read-only"):
        tape.lots[0] = 7


@pytest.mark.parametrize("count", [0, ASSET_COUNT_MAX + 1])
def test_a_backtest_of_no_assets_or_too_many_is_refused(count):  # H3.13 H3.37
    tape = market()
    with pytest.raises(ConfigError) as caught:
        build_backtester([Asset(tape)] * count, [tape] * count)
    assert str(caught.value) == f"a backtest has {count} assets; give between 1 and {ASSET_COUNT_MAX}"


@pytest.mark.slow
def test_what_was_read_stays_when_ten_thousand_messages_follow():  # H3.17
    hbt = running()
    assert hbt.submit_buy_order(0, 1, 90.0, 1.0, GTC, LIMIT, True) == 0
    kept = hbt.orders(0).get(1)
    before = (kept.order_id, kept.price, kept.qty, kept.status, kept.exch_timestamp)
    for order_id in range(2, 10_002):
        hbt.submit_buy_order(0, order_id, 80.0, 1.0, GTC, LIMIT, False)
    hbt.elapse(1)
    assert (kept.order_id, kept.price, kept.qty, kept.status, kept.exch_timestamp) == before
    assert len(hbt.orders(0)) == 10_001


@pytest.mark.slow
def test_two_hundred_backtests_leave_no_memory_behind():  # H3.21
    def play() -> None:
        for _ in range(100):
            running().close()
        gc.collect()

    play()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    play()
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 20_000  # a backtest of its own takes some 200 kB


def test_nothing_is_pending_before_anything_was_sent():  # H3.23 H3.26
    """The first thing that is due is the market's first row; of our own nothing is, ever."""
    asset = random_asset()
    hbt, handles = build_backtester([asset], [asset.load()])
    state = read_results(hbt, handles, [asset], [asset.load()])[0].state[0]
    sentinels = {
        "local_feed_row": -1,
        "range_row": -1,
        "own_best_bid_level": -1,
        "own_best_ask_level": 2**31 - 1,
        "reached_ts": -(2**63),
        "opening_bid_level": -1,
        "opening_ask_level": len(asset.load().levels),
        "sample_count": 1,  # that of read_results itself
    }
    assert {name: int(state[name]) for name in state.dtype.names if state[name] != 0} == sentinels
    first_ts = int(asset.load().meta["first_exch_ts"])
    assert hbt.wait_order_response(0, 1, 0) == 0
    assert hbt.current_timestamp == first_ts
    assert hbt.wait_next_feed(True, 2**62) == MARKET_FEED  # no response comes first, though any would do
    assert (hbt.position(0), len(hbt.orders(0)), hbt.order_latency(0)) == (0.0, 0, None)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc fills memory on demand")
def test_poisoned_memory_changes_nothing():  # H3.2 H3.23 H3.25
    """What the allocator hands out or takes back is filled with 0x5a: no storm's bytes may show it."""

    def printed(poison: str, *command: str) -> str:
        environment = os.environ | {"MALLOC_PERTURB_": poison}
        run = [sys.executable, *command]
        return subprocess.run(run, env=environment, capture_output=True, text=True, check=True, timeout=300).stdout

    shows = "import numpy as np; print({*np.empty(5_000, np.uint8).tolist()})"
    assert printed("165", "-c", shows) == "{90}\n"
    storms = printed("0", "-m", "tests.property.storm")
    assert storms.count("\n") == 4
    assert printed("165", "-m", "tests.property.storm") == storms


def test_there_is_no_half_built_tape(tmp_path: Path):  # H3.29
    with pytest.raises(TypeError):
        Tape()
    empty = tmp_path / "empty.tape"
    empty.write_bytes(b"")
    with pytest.raises(DataError):
        Tape.open(empty)


@pytest.mark.parametrize("kind", ["V128", "O", "S8", "f16", "c16"])
def test_a_record_whose_alignment_or_size_could_vary_is_refused(kind):  # H3.34
    with pytest.raises(SchemaError):
        register("odd", [("field", kind)], itemsize=128)


@pytest.mark.slow
def test_two_runs_in_threads_over_one_market_equal_the_runs_one_by_one():  # H3.36
    asset = random_asset()
    expected = trade(asset)
    seen: list[bytes] = []
    threads = [threading.Thread(target=lambda: seen.append(trade(asset))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 4


def test_a_market_of_one_row_or_one_time_or_one_side_is_a_market():
    for events in (Synthetic(1, 600).events()[:1], Synthetic(1, 600).events()):
        one_time = events.copy()
        one_time["exch_ts"] = one_time["local_ts"] = 1_000
        bids_only = events[(events["ev"] & np.uint64(1 << 29)) != 0]
        for rows in (events, one_time, bids_only):
            asset = Asset(Tape.build(rows, INSTRUMENT, source="odd"))
            hbt, _ = build_backtester([asset], [asset.load()])
            codes = {hbt.submit_buy_order(0, i, 1_000.0, 1.0, GTC, LIMIT, False) for i in range(5)}
            assert codes == {0}
            assert hbt.elapse(10**12) == 1


#: Interpreted, a million would take many minutes.
ORDER_COUNT = 20_000 if IS_INTERPRETED else 1_000_000


def test_a_million_open_orders_are_kept_and_found():
    from numba import njit

    @njit
    def send(hbt, count):
        hbt.elapse(1)
        for i in range(count):
            # Ever better prices below the market, so that each queues at the end of what there is.
            code = hbt.submit_buy_order(0, i, 0.00005 * (i + 1), 0.25, GTC, LIMIT, False)
            if code != 0:
                return code
        return hbt.elapse(1_000)

    instrument = Instrument("venue", "SYM", "0.00005", "0.25")
    asset = Asset(Tape.build(market().to_events(), instrument, source="market"))
    hbt, handles = build_backtester([asset], [asset.load()], records=False)
    assert send(hbt, ORDER_COUNT) == 0
    assert len(hbt.orders(0)) == ORDER_COUNT
    assert read_results(hbt, handles, [asset], [asset.load()])[0].state["resting_bids"][0] == ORDER_COUNT
    assert hbt.queue_ahead(0, 77) == 0.0
    assert hbt.cancel(0, 77, False) == 0
