"""Rows in little memory: what is taken is what is read, wherever it lies, and a full disk is told as such."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from queuefront.core import EVENT, StorageFullError
from queuefront.feed import row_spill
from queuefront.feed.row_spill import Rows, RowSpill, spill_folder


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(row_spill, "BLOCK_ROWS", 8)
    monkeypatch.setattr(row_spill, "HELD_BYTES", 2 * 8 * 64)  # two blocks of events
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def events(count: int) -> np.ndarray:
    rows = np.zeros(count, EVENT)
    rows["ev"] = np.arange(count) % 3
    rows["exch_ts"] = np.arange(count) * 10
    rows["local_ts"] = rows["exch_ts"] + 5 - np.arange(count) % 7
    return rows


@pytest.mark.parametrize("count", [0, 1, 8, 16, 17, 100])
@pytest.mark.parametrize("batch", [1, 7, 40])
def test_rows_are_read_as_they_were_taken(count: int, batch: int) -> None:
    rows, spill = events(count), RowSpill()
    for begin in range(0, count, batch):
        part = rows[begin : begin + batch].copy()
        spill.take(part)
        part["ev"] = 99  # it was copied
    assert len(spill) == count
    assert np.array_equal(Rows([spill]).whole(), rows)
    assert np.array_equal(np.concatenate([np.zeros(0, EVENT), *spill.blocks()]), rows)
    assert spill.kind_counts[:3].tolist() == [int(np.count_nonzero(rows["ev"] == k)) for k in range(3)]
    assert spill.latency_min_ns == (int((rows["local_ts"] - rows["exch_ts"]).min()) if count else None)


def test_several_spills_read_as_one() -> None:
    rows = events(50)
    together = Rows.of(rows[:20], rows[20:21], rows[21:])
    assert np.array_equal(together.whole(), rows)
    assert together.is_ascending("exch_ts")
    assert not Rows.of(rows[20:], rows[:20]).is_ascending("exch_ts")
    assert not together.is_ascending("local_ts") or (np.diff(rows["local_ts"]) >= 0).all()
    assert (together.spans("exch_ts")[0].low, together.spans("exch_ts")[-1].high) == (0, 490)
    assert together.kind_counts[:3].tolist() == [17, 17, 16]


@pytest.mark.parametrize("first", [0, 3, 20, 38])
def test_times_are_amended_in_memory_on_the_disk_and_in_the_open_block(first: int) -> None:
    rows, spill = events(44), RowSpill()
    spill.take(rows)
    spill.amend(first, 6, "exch_ts", -7)
    spill.amend(0, 1, "exch_ts", "local_ts")
    rows["exch_ts"][first : first + 6] = -7
    rows["exch_ts"][0] = rows["local_ts"][0]
    assert np.array_equal(Rows([spill]).whole(), rows)
    assert min(span.low for span in spill.spans["exch_ts"]) == -7
    assert spill.latency_min_ns == int((rows["local_ts"] - rows["exch_ts"]).min())


def test_wide_rows_make_short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_spill, "BLOCK_ROWS", 2**16)
    spill = RowSpill([("levels", "f8", (4000,))])
    spill.take(np.zeros(300, spill.dtype))
    assert max(len(block) for block in spill.blocks()) * spill.dtype.itemsize <= row_spill.BLOCK_BYTES


def test_the_file_has_no_name_and_its_folder_is_that_of_tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spill = RowSpill()
    spill.take(events(1000))
    assert list(tmp_path.iterdir()) == []
    assert spill.block_count * 8 >= 1000  # it is there all the same
    assert spill_folder() == tmp_path
    monkeypatch.delenv("TMPDIR")
    assert spill_folder() in (Path("/var/tmp"), Path("/tmp"))


def test_a_full_disk_names_the_folder_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: memoryview, place: int) -> int:
        raise OSError(28, "No space left on device")

    spill = RowSpill()
    spill.take(events(20))
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageFullError) as caught:
        spill.take(events(20))
    text = str(caught.value)
    assert text.startswith(f"{tmp_path} (temporary file of ")
    assert "no space left on device" in text
    assert "TMPDIR" in text
    assert list(tmp_path.iterdir()) == []
