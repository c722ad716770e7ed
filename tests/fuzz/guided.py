"""Fuzz one target guided by the coverage of its decoders; `decoders` starts it, and removes the files that it leaves.

The fuzzer ends the process itself. An input that fails is kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import atheris

ROOT = Path(__file__).parents[2]
FEED = "queuefront.feed"
LENGTH_MAX = 1.25  # of the longest seed: long inputs are slow and find little more
HANGS_AFTER_S = 20
MEMORY_MB_MAX = 3000


def compiled_modules() -> list[str]:
    """Return the modules that Numba compiles, from the bytecode that Python made of them."""
    found = (ROOT / "queuefront").rglob("*_compiled.py")
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found]


with atheris.instrument_imports(include=[FEED, "queuefront.venues"], exclude=compiled_modules()):
    from tests.fuzz.targets import TARGETS


class Fuzzer:
    """One target, and what came up in its runs.

    runs : after which the outcomes are printed; the fuzzer ends the process.
    """

    def __init__(self, name: str, runs: int, seed: int) -> None:
        self._name, self._target = name, TARGETS[name]
        self._runs, self._seed = runs, seed
        self._seen: Counter[str] = Counter()
        self._started_s = time.monotonic()

    def run(self, data: bytes) -> None:
        """Run the target once."""
        self._seen[self._target.run(data)] += 1
        if self._seen.total() == self._runs:
            outcomes = ", ".join(f"{count:,} {what}" for what, count in self._seen.most_common())
            took_s = time.monotonic() - self._started_s
            print(f"{self._name}: {self._runs:,} runs, guided, seed {self._seed}, {took_s:,.0f} s: {outcomes}", flush=True)

    def mutate(self, data: bytes, size_max: int, seed: int) -> bytes:
        """Return an input made from another: every third by bytes, the others by what the target's data are made of."""
        rng = Random(seed)
        if not rng.randrange(3):
            return bytes(atheris.Mutate(data, size_max))
        return self._target.damaged(data, rng)[:size_max]


def main() -> None:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=sorted(TARGETS), required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--kept", type=Path, required=True, help="the folder of inputs that fail")
    options = parser.parse_args()
    for data in TARGETS[options.target].seeds:  # compiles, which may take longer than a run may
        TARGETS[options.target].run(data)
    fuzzer = Fuzzer(options.target, options.runs, options.seed)
    corpus = Path(tempfile.mkdtemp())
    for i, data in enumerate(TARGETS[options.target].seeds):
        (corpus / f"{i}").write_bytes(data)
    arguments = {
        "runs": options.runs,
        "seed": options.seed + 1,  # 0 stands for any
        "max_len": int(LENGTH_MAX * max(len(data) for data in TARGETS[options.target].seeds)),
        "timeout": HANGS_AFTER_S,
        "rss_limit_mb": MEMORY_MB_MAX,
        "artifact_prefix": f"{options.kept / options.target}-",
    }
    atheris.Setup(
        [sys.argv[0], *(f"-{name}={value}" for name, value in arguments.items()), str(corpus)],
        fuzzer.run,
        custom_mutator=fuzzer.mutate,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
