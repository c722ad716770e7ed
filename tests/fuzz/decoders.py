"""Feed decoders with damaged data: `python -m tests.fuzz.decoders --runs 100000 --seed 0`.

A run takes a good message or file, damages it as its seed says, and decodes it. Only documented errors may come out, and
rows that hold what rows may hold. The target and the seed that are printed repeat a failure.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from queuefront.core import ConfigError, DataError
from queuefront.feed import validate_event_order, validate_events
from queuefront.feed.sources.bybit import BybitDecoder
from queuefront.feed.sources.hyperliquid import HyperliquidDecoder
from queuefront.feed.sources.message_lines import Decoder
from queuefront.feed.sources.mexc import MexcDecoder
from queuefront.feed.sources.refusal import LineRefused
from tests.property import test_hostile_messages as files

Outcome = str
SPLICES = (
    b"null",
    b"nan",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b'"',
    b"{",
    b"[",
    b"]]",
    b"\xff",
    b"0",
    b"\\u0000",
    b"true",
)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip, cut, repeat or replace pieces of the data."""
    made = bytearray(data)
    for _ in range(int(rng.integers(1, 3))):
        place = int(rng.integers(0, max(len(made), 1)))
        length = int(rng.integers(0, 12))
        what = int(rng.integers(0, 6))
        if what == 0 and made:
            made[place] ^= 1 << int(rng.integers(0, 8))
        elif what == 1:
            del made[place : place + length]
        elif what == 2:
            made[place:place] = made[int(rng.integers(0, max(len(made), 1))) :][:length]
        elif what == 3:
            made[place : place + length] = SPLICES[int(rng.integers(0, len(SPLICES)))]
        elif what == 4:
            made[place : place + length] = rng.bytes(length)
        else:
            del made[place:]
    return bytes(made)


def of_messages(decoder: Callable[[], Decoder], messages: list[object]) -> Callable[[np.random.Generator], Outcome]:
    """Return a target that decodes a good message and then a damaged one."""
    good = [json.dumps(message).encode() for message in messages]

    def run(rng: np.random.Generator) -> Outcome:
        used = decoder()
        used.decode(good[int(rng.integers(0, len(good)))])
        try:
            message = used.decode(damaged(good[int(rng.integers(0, len(good)))], rng))
        except (LineRefused, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return "refused"
        for ev, exch_ts, levels in message.runs:
            is_good = all(0.0 < px < np.inf and 0.0 <= qty < np.inf for px, qty in levels)
            if not (is_good and 0 < ev < 2**32 and 0 < exch_ts < 2**63):
                raise AssertionError(f"rows of {ev}, {exch_ts}, {levels}")
        return "decoded"

    return run


def of_files(name: str) -> Callable[[np.random.Generator], Outcome]:
    """Return a target that converts a damaged file of the hostile corpus."""
    source = next(source for source in files.SOURCES if source.name == name)
    with tempfile.TemporaryDirectory() as folder:
        good = source.data(Path(folder))

    def run(rng: np.random.Generator) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(damaged(good, rng))
            try:
                conversion = source.convert(path, "skip" if rng.random() < 0.5 else "stop")
            except (DataError, ConfigError):
                return "refused"
        try:
            validate_events(conversion.events, name)
            validate_event_order(conversion.events)
        except DataError as e:
            raise AssertionError(f"rows that cannot be used: {e}") from e
        return "decoded"

    return run


TARGETS: dict[str, Callable[[np.random.Generator], Outcome]] = {
    "bybit": of_messages(lambda: BybitDecoder(None), files.BYBIT_MESSAGES),
    "bybit-50": of_messages(lambda: BybitDecoder(50), files.BYBIT_MESSAGES),
    "hyperliquid": of_messages(
        lambda: HyperliquidDecoder(20, 1_000_000, delete_out_of_book=False), files.HYPERLIQUID_MESSAGES
    ),
    "mexc": of_messages(lambda: MexcDecoder(1_000_000), files.MEXC_MESSAGES),
    "table": of_files("table.csv"),
    "parquet": of_files("table.parquet"),
    "mbp": of_files("mbp.dbn"),
}


def play(target: str, seed: int) -> Outcome:
    """Run one target once."""
    return TARGETS[target](np.random.default_rng([seed, sorted(TARGETS).index(target)]))


def main() -> None:
    """Run each target so many times and print what came up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed; one run, one seed")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="one or several; all if not given")
    options = parser.parse_args()
    for target in options.target or sorted(TARGETS):
        seen: Counter[str] = Counter()
        for seed in range(options.seed, options.seed + options.runs):
            try:
                seen[play(target, seed)] += 1
            except Exception:
                sys.stderr.write(f"python -m tests.fuzz.decoders --target {target} --runs 1 --seed {seed}\n")
                raise
        print(f"{target}: {options.runs:,} runs: " + ", ".join(f"{count:,} {what}" for what, count in seen.most_common()))


if __name__ == "__main__":
    main()
