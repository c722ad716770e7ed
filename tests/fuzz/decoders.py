"""Fuzz every decoder of `targets`: `python -m tests.fuzz.decoders --runs 100000 --seed 0`.

Where atheris is installed (`pip install 'queuefront[fuzz]'`), coverage guides the damage, in a process for each target
(`guided`); elsewhere, or with `--unguided`, seeds draw it, one a run. What is handed in, and what must hold, is the same.
A failure prints the command that repeats it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

from tests.fuzz.memory_lines import memory_folder
from tests.fuzz.targets import TARGETS, Outcome

__all__ = ["IS_GUIDED", "made", "play", "play_guided"]

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "out" / "fuzz"
IS_GUIDED = importlib.util.find_spec("atheris") is not None
"""Whether atheris is there; it has wheels for Linux on x86-64."""


def made(target: str, seed: int) -> bytes:
    """Return the input that a seed makes."""
    rng = Random(f"{target} {seed}")
    return TARGETS[target].damaged(rng.choice(TARGETS[target].seeds), rng)


def play(target: str, seed: int) -> Outcome:
    """Run one target once."""
    return TARGETS[target].run(made(target, seed))


def _unguided(target: str, runs: int, seed: int) -> int:
    seen: Counter[str] = Counter()
    for i in range(seed, seed + runs):
        try:
            seen[play(target, i)] += 1
        except Exception:
            print(f"python -m tests.fuzz.decoders --unguided --target {target} --runs 1 --seed {i}", file=sys.stderr)
            raise
    print(f"{target}: {runs:,} runs: " + ", ".join(f"{count:,} {what}" for what, count in seen.most_common()), flush=True)
    return 0


def play_guided(target: str, runs: int, seed: int) -> tuple[str, bool]:
    """Let coverage guide so many runs of a target, in a process; return what it tells, and whether all went well."""
    KEPT.mkdir(parents=True, exist_ok=True)
    module = [sys.executable, "-m", "tests.fuzz.guided", "--target", target, "--kept", str(KEPT)]
    with tempfile.TemporaryDirectory(prefix="queuefront-fuzz-", dir=memory_folder()) as folder:
        done = subprocess.run(
            [*module, "--runs", str(runs), "--seed", str(seed)],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": folder},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode == 0 and done.stdout.startswith(f"{target}: {runs:,} runs"):
        return done.stdout, True
    told = (done.stdout + done.stderr)[-6000:]
    return f"{told}\npython -m tests.fuzz.decoders --target {target} --input {KEPT / target}-…\n", False


def _guided(target: str, runs: int, seed: int) -> int:
    told, is_well = play_guided(target, runs, seed)
    print(told, end="", flush=True)
    return int(not is_well)


def main() -> None:
    """Run each target so many times and print what came up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="unguided the first seed, one a run")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="one or several; all if not given")
    parser.add_argument("--unguided", action="store_true", help="do not let coverage guide, even if atheris is installed")
    parser.add_argument("--input", type=Path, help="run this file alone, which a guided run has kept")
    options = parser.parse_args()
    if options.input is not None:
        print(TARGETS[options.target[0]].run(options.input.read_bytes()))
        return
    run = _guided if IS_GUIDED and not options.unguided else _unguided
    if run is _unguided and not options.unguided:
        print("atheris is not installed: seeds draw the damage, coverage does not guide it", flush=True)
    failed = [target for target in options.target or sorted(TARGETS) if run(target, options.runs, options.seed)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
