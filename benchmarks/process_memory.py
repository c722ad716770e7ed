"""The memory of a process, watched from outside."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

__all__ = ["watch_memory"]


def watch_memory(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Return the largest private and the largest resident memory of a process, in bytes, sampled until it ends."""
    private = resident = 0
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):
            break
        private = max(private, _kib(lines.get("RssAnon", "0")))
        resident = max(resident, _kib(lines.get("VmHWM", "0")))
        time.sleep(0.005)
    process.wait()
    return private * 1024, resident * 1024


def _kib(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) if text.split() else 0
