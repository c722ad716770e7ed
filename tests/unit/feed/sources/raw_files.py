"""Small raw collector files: JSON messages behind their receipt times, a millisecond apart."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

START_MS = 1_700_000_000_000
START = START_MS * 1_000_000
LATENCY_NS = 5_000_000


def raw_line(message: Any, local_ts: int) -> bytes:
    """Return a line; text and bytes are taken as they stand."""
    if isinstance(message, str | bytes):
        body = message.encode() if isinstance(message, str) else message
    else:
        body = json.dumps(message, separators=(",", ":")).encode()
    return b"%019d %s\n" % (local_ts, body)


def raw_file(folder: Path, *messages: Any, name: str = "xyz_20240808.gz") -> Path:
    """Write a file, message i received `LATENCY_NS` after `START_MS` + i."""
    lines = (raw_line(message, START + i * 1_000_000 + LATENCY_NS) for i, message in enumerate(messages))
    path = folder / name
    path.write_bytes(gzip.compress(b"".join(lines)))
    return path


def facts(events: Any) -> list[tuple[int, int, float, float]]:
    """Return (kind and side, ms since `START_MS`, price, quantity) of each row."""
    low = 0x3FFFFFFF
    return [
        (int(row["ev"]) & low, (int(row["exch_ts"]) - START) // 1_000_000, float(row["px"]), float(row["qty"]))
        for row in events
    ]
