"""Apply each deliberate fault to a copy of the package and see whether the tests notice: `make mutations`.

A fault survives when all tests pass with it; then a test is missing. The table goes to `docs/reliability.md`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutations.faults import FAULTS, Fault
from tests.tidy.source import ROOT

BEGIN, END = "<!-- mutations: begin -->", "<!-- mutations: end -->"
TESTS = ("tests/unit/kernel", "tests/scenario/test_kernel_scenarios.py", "tests/property/test_kernel_money.py",
         "tests/property/test_kernel_exhaustive.py", "tests/simulation/test_seeds.py")  # fmt: skip


def module_of(fault: Fault) -> Path:
    """Return the file that a fault changes."""
    return ROOT / _path_of(fault)


def _path_of(fault: Fault) -> Path:
    """Return where a fault's module stands: in the kernel, or in the room before its slash."""
    room, _, name = fault.module.rpartition("/")
    return Path("queuefront") / (room or "kernel") / f"{name}.py"


def noticing_tests(fault: Fault) -> tuple[str, ...]:
    """Return the tests that are to notice a fault: all of the kernel's, or those of its room."""
    room = fault.module.rpartition("/")[0]
    return (f"tests/unit/{room}",) if room else TESTS


def run(fault: Fault, folder: Path) -> str:
    """Apply a fault and return the first test that fails, or an empty text."""
    copy = folder / _path_of(fault)
    original = copy.read_text("utf-8")
    if original.count(fault.text) < 1:
        raise RuntimeError(f"{fault.name}: {fault.module}.py no longer holds {fault.text!r}; write the fault anew")
    copy.write_text(original.replace(fault.text, fault.instead, 1), "utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *noticing_tests(fault)]
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
            )
        except subprocess.TimeoutExpired:
            return "no test came to its end"
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        if found:
            return found[1].split("[")[0]
        return "" if done.returncode == 0 else "the tests could not be collected"
    finally:
        copy.write_text(original, "utf-8")


def table(results: Sequence[tuple[Fault, str]]) -> str:
    """Write the results as Markdown."""
    rows = [
        f"| {fault.name} | `{fault.module}` | {f'`{caught}`' if caught else '**survived**'} |" for fault, caught in results
    ]
    caught = sum(bool(text) for _, text in results)
    return "\n".join(
        [
            f"{caught} of {len(results)} faults are noticed.",
            "",
            "| fault | module | first noticed by |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all faults, or those whose name holds a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a word of the fault's name")
    parser.add_argument("--write", type=Path, help="page with marks to write the table into")
    options = parser.parse_args(arguments)
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("queuefront", "tests", "benchmarks"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        for fault in (fault for fault in FAULTS if options.only in fault.name):
            results.append((fault, run(fault, folder)))
            print(f"{fault.name}: {results[-1][1] or 'SURVIVED'}", flush=True)
    text = table(results)
    if options.write:
        before, _, rest = options.write.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        options.write.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    return 0 if all(caught for _, caught in results) else 1


if __name__ == "__main__":
    sys.exit(main())
