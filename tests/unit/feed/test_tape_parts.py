"""What is built of parts; that any cuts give the same is shown in tests/property/test_tape_file.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from queuefront.core import DataError, Instrument
from queuefront.feed import Tape
from queuefront.feed.tape_columns import HeldColumn, HeldEvents, whole
from queuefront.feed.tape_file import write_events
from queuefront.feed.tape_parts import ROWS_MAX, build_columns, checksum
from tests.price_market import price_market

INSTRUMENT = Instrument("venue", "SYM", "1", "1")


def test_a_snapshot_opens_the_books_whatever_the_parts() -> None:
    events = price_market(4, 60)
    opening = price_market(5, 20)[:1]
    opening["px"], opening["qty"] = 90, 5
    tape = Tape.build(events, INSTRUMENT, source="feed", opening=opening)
    parts = HeldEvents(events[:7], events[7:30], events[30:])
    built = build_columns(parts, INSTRUMENT, "feed", HeldColumn, opening=opening)
    for name, column in built.columns.items():
        expected = tape.extra[name] if name in tape.extra else getattr(tape, name)
        assert whole(column).tobytes() == expected.tobytes(), name
    assert 90 in built.levels
    assert built.facts["checksum"] == tape.meta["checksum"] == checksum(built.columns, built.levels)


def test_a_checksum_tells_columns_apart() -> None:
    levels = np.arange(2)
    one = checksum({"ev": HeldColumn(np.int64, np.arange(2))}, levels)
    assert one != checksum({"lots": HeldColumn(np.int64, np.arange(2))}, levels)
    assert one != checksum({"ev": HeldColumn(np.int64, np.arange(2) + 1)}, levels)
    assert one == checksum({"ev": HeldColumn(np.int64, np.arange(1), np.ones(1, np.int64))}, levels)


def test_more_rows_than_a_tape_can_number_are_refused_before_work(tmp_path: Path) -> None:
    class Endless(HeldEvents):
        def __len__(self) -> int:
            return ROWS_MAX + 1

    with pytest.raises(DataError, match="2,147,483,648 events are more than a tape's 2,147,483,647; convert shorter files"):
        write_events(tmp_path / "a.tape", Endless(), INSTRUMENT, source="feed")
    assert not list(tmp_path.iterdir())
