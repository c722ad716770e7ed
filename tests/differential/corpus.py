"""A small corpus that reaches every model, and a digest of all that our engine shows on it.

``python -m tests.differential.corpus`` prints a line a case. Compiled, compiled with bounds checks and interpreted, the
lines are the same (H3.38). The reference is not imported: it cannot be interpreted.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import itertools

from tests.differential.driver import run
from tests.differential.engines import REFERENCE_MODULE, SUBJECT_MODULE, Case, Engine, load
from tests.differential.markets import Synthetic
from tests.differential.storms import EXCHANGES, QUEUES, seeded, strange_case, touch_case

#: Few enough actions and events for an interpreter.
LENGTH = 120
EVENTS = 300


def cases() -> dict[str, Case]:
    """Return the cases by name, always the same: a storm for each pair of models, and quotes that wait."""
    found: dict[str, Case] = {}
    for number, (queue, exchange) in enumerate(itertools.product(QUEUES, EXCHANGES)):
        case = strange_case(seeded(9_000 + number), (queue, exchange), sizes=(EVENTS,), length=LENGTH)
        found[f"storm-{queue[0]}-{exchange}"] = case
    for number, exchange in enumerate(EXCHANGES):
        found[f"touch-{exchange}"] = touch_case(seeded(number), (QUEUES[3], exchange), Synthetic(60 + number, EVENTS))
    first = found["storm-risk_adverse-no_partial_fill"]
    refusing = ("interpolated", _refusing_latencies(first))
    found["refusals"] = dataclasses.replace(
        first, assets=tuple(dataclasses.replace(asset, latency=refusing) for asset in first.assets)
    )
    return found


def digest(engine: Engine, case: Case) -> str:
    """Return the hash of everything that an engine shows on a case."""
    return hashlib.blake2b(run(engine, case).to_bytes(), digest_size=16).hexdigest()


def _refusing_latencies(case: Case) -> tuple[tuple[int, int, int], ...]:
    """Make a latency table in which every fourth request was refused."""
    events = case.assets[0].market.events()
    start, end = int(events["exch_ts"][0]), int(events["exch_ts"][-1])
    step = max(1, (end - start) // 16)
    requests = [start + i * step for i in range(17)]
    return tuple((ts, 0 if i % 4 == 3 else ts + step // 9, ts + step // 5) for i, ts in enumerate(requests))


def main() -> None:
    """Print the name and digest of every case."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--engine", default=SUBJECT_MODULE, choices=[SUBJECT_MODULE, REFERENCE_MODULE])
    engine = load(parser.parse_args().engine)
    for name, case in cases().items():
        print(name, digest(engine, case), flush=True)


if __name__ == "__main__":
    main()
