"""The markets that are measured: a recorded feed converted once and tiled to length, or a synthetic one.

Tiling repeats the recording with its times moved on, so that books, spread and event rates stay those of the recording
whatever the length.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.market import Market
from queuefront.core import EVENT, Instrument
from queuefront.core.enums import DEPTH_CLEAR_EVENT, EXCH_EVENT, LOCAL_EVENT
from queuefront.feed import (
    SynthConfig,
    Tape,
    convert_lines,
    synthesize,
    synthesize_orders,
    synthetic_instrument,
    write_npz,
)
from queuefront.feed.tape_layout import TAPE_VERSION

ROOT = Path(__file__).resolve().parents[1]
FEEDS = ROOT.parent / "shared" / "data" / "feeds"
FEED = FEEDS / "binance_usdm_btcusdt_20240808.gz"

#: Silence between two repetitions.
PAUSE_NS = 1_000_000_000


@dataclass(frozen=True)
class Recording:
    """One market at its own length."""

    name: str
    events: npt.NDArray[np.void]
    instrument: Instrument
    feed: Path | None  # the raw lines, where there are some


def recording(*, is_tiny: bool) -> Recording:
    """Return the recorded market, or a synthetic one where the recording is absent or the run is tiny."""
    if FEED.is_file() and not is_tiny:
        conversion = convert_lines("binance-usdm", FEED, tick_size="0.1", lot_size="0.001")
        return Recording("Binance USD-M BTCUSDT, 2024-08-08", conversion.events, conversion.instrument, FEED)
    config = SynthConfig(events=20_000 if is_tiny else 500_000, seed=1)
    return Recording("synthetic, seed 1", synthesize(config), synthetic_instrument(config), None)


def order_recording(*, is_tiny: bool) -> Recording:
    """Return a synthetic market by order, with a clear of the book at its beginning, so that it can be repeated.

    Of the recordings of such markets at hand, one is a single snapshot and the other lasts two seconds.
    """
    config = SynthConfig(events=5_000 if is_tiny else 200_000, seed=1, volatility_ticks=6)
    events = synthesize_orders(config)
    clear = np.zeros(1, EVENT)
    clear["ev"] = EXCH_EVENT | LOCAL_EVENT | DEPTH_CLEAR_EVENT
    clear["exch_ts"], clear["local_ts"] = events["exch_ts"][0] - 2, events["local_ts"][0] - 1
    name = "synthetic market by order, seed 1"
    return Recording(name, np.concatenate([clear, events]), synthetic_instrument(config), None)


def tile(events: npt.NDArray[np.void], count: int) -> npt.NDArray[np.void]:
    """Repeat events until there are `count`, each repetition later than the one before."""
    first = min(int(events["exch_ts"].min()), int(events["local_ts"].min()))
    last = max(int(events["exch_ts"].max()), int(events["local_ts"].max()))
    tiled = np.resize(events, count)
    shift_ns = np.arange(count) // len(events) * (last - first + PAUSE_NS)
    tiled["exch_ts"] += shift_ns
    tiled["local_ts"] += shift_ns
    return tiled


def store(source: Recording, count: int, folder: Path) -> Market:
    """Write the market at the given length for both engines; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    is_by_order = bool(source.events["order_id"].any())
    kind = "orders" if is_by_order else "feed" if source.feed else "synthetic"
    stem = f"{kind}-{len(source.events)}-{count}-v{TAPE_VERSION}"
    tape, npz = folder / f"{stem}.tape", folder / f"{stem}.npz"
    if not (tape.is_file() and npz.is_file()):
        events = tile(source.events, count)
        Tape.build(events, source.instrument, source=source.name).save(tape)
        write_npz(npz, events)
    instrument = source.instrument
    return Market(source.name, count, tape, npz, float(instrument.tick_size), float(instrument.lot_size), is_by_order)
