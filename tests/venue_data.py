"""Venues' payloads, as they were recorded or as their documentation prints them; they are not part of this repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "venues"

#: For tests that need them all.
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recorded payloads: {DATA} is not there")


def load(name: str) -> Any:
    """Return a file of payloads, or nothing to loop over where there are none."""
    path = DATA / name
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def files(pattern: str) -> list[Path]:
    """Return the files of a pattern, sorted."""
    return sorted(DATA.glob(pattern))
