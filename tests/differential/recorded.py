"""Recorded feeds, where they are there: they are too large, or not ours, to stand in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["FEEDS", "feed"]

FEEDS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "feeds"


def feed(name: str) -> Path:
    """Return the path of a recorded feed, or skip the test."""
    path = FEEDS / name
    if not path.is_file():
        pytest.skip(f"the recorded feed {name} is not here; put it into {FEEDS} to run this test")
    return path
