"""A tape's file is the same to the byte however its rows came: in one part or many, in memory or by way of the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import DataError, Instrument
from queuefront.core.enums import EXCH_EVENT
from queuefront.feed import Tape, row_spill, tape_file
from queuefront.feed.row_spill import RowSpill
from queuefront.feed.tape_columns import HeldColumn, HeldEvents
from queuefront.feed.tape_file import write_events
from tests.price_market import price_market
from tests.property.order_market import order_market

INSTRUMENT = Instrument("venue", "SYM", "1", "1")
ROWS = 150
ACCOUNT = {"gaps": [{"kind": "time", "line": 3, "local_ts": 10**18 + 5, "size": 9}], "gap_count": 2, "refused_count": 1}

seeds = st.integers(0, 2**32 - 1)
cuts = st.lists(st.integers(0, ROWS), max_size=8)
blocks = st.sampled_from([8, 16, 40])


def market(kind: str, seed: int) -> np.ndarray:
    if kind.startswith("by order"):
        events = order_market(seed, ROWS, gaps=kind == "by order with gaps")
        events["order_id"] *= np.uint64(2**50 + 1)  # ids far apart, as venues have them
        events["ival"] = np.arange(len(events)) % 3
        return events
    return price_market(seed, ROWS, off_grid=kind == "off the grid")


def written(path: Path, events: np.ndarray, at: list[int], new_column: Any, **options: Any) -> bytes | str:
    """Return the file, or what was said of its events."""
    try:
        write_events(
            path, HeldEvents(*np.split(events, sorted(at))), INSTRUMENT, source="feed", account=ACCOUNT,
            new_column=new_column, **options,
        )  # fmt: skip
    except DataError as e:
        return str(e)
    return path.read_bytes()


def whole(path: Path, events: np.ndarray, **options: Any) -> bytes | str:
    """Return the file of the tape that is built in memory, or what was said of its events."""
    try:
        Tape.build(events, INSTRUMENT, source="feed", account=ACCOUNT, **options).save(path)
    except DataError as e:
        return str(e)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["by price", "off the grid", "by order", "by order with gaps"])
@settings(max_examples=40, deadline=None)
@given(seed=seeds, at=cuts, block=blocks, held=st.sampled_from([0, 2000, 2**26]), places=st.integers(1, ROWS))
def test_any_cuts_give_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, kind: str, seed: int, at: list[int], block: int, held: int, places: int
) -> None:
    events = market(kind, seed)
    folder = tmp_path_factory.mktemp("tapes")
    for options in ({"off_grid": "round", "on_gap": "skip"}, {}):
        expected = whole(folder / "whole.tape", events, **options)
        assert written(folder / "parts.tape", events, at, HeldColumn, **options) == expected
        with (
            mock.patch.object(row_spill, "BLOCK_ROWS", block),
            mock.patch.object(row_spill, "HELD_BYTES", held),
            mock.patch.object(tape_file, "PLACES_AT_ONCE", places),
        ):
            assert written(folder / "spilled.tape", events, at, RowSpill, **options) == expected


@settings(max_examples=40, deadline=None)
@given(seed=seeds, at=cuts, row=st.integers(1, ROWS - 1), fault=st.sampled_from(["kind", "time", "px"]))
def test_any_cuts_name_the_same_row(
    tmp_path_factory: pytest.TempPathFactory, seed: int, at: list[int], row: int, fault: str
) -> None:
    events = market("by price", seed)
    events["ev"] |= np.uint64(EXCH_EVENT)
    if fault == "kind":
        events["ev"][row] |= np.uint64(200)
    elif fault == "time":
        events["exch_ts"][row] = 5
    else:
        events["px"][row] = 1e300
    folder = tmp_path_factory.mktemp("tapes")
    said = whole(folder / "whole.tape", events)
    assert isinstance(said, str)
    assert f"row {row}" in said
    assert written(folder / "parts.tape", events, at, HeldColumn) == said
    assert not list(folder.iterdir())


@pytest.mark.parametrize("kind", ["by price", "off the grid", "by order"])
@pytest.mark.parametrize("count", [0, 1, 2, 9, ROWS])
def test_the_file_is_the_one_that_arrow_writes(tmp_path: Path, kind: str, count: int) -> None:
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "a.tape"
    events = market(kind, 3)[:count]
    Tape.build(events, INSTRUMENT, source="feed", account=ACCOUNT, off_grid="round").save(path)
    with pa.ipc.open_file(path) as reader:
        batch = reader.get_batch(0)
        batch.validate(full=True)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, reader.schema) as writer:
            writer.write_batch(batch)
    assert batch.num_rows == len(events)
    assert sink.getvalue().to_pybytes() == path.read_bytes()
    Tape.open(path).verify()
