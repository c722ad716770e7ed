"""A tape's file is whole under its name or not there, wherever the disk is full; and conversions write it in blocks."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from queuefront.core import Instrument, StorageFullError
from queuefront.feed import Conversion, ConversionAccount, Tape, files, row_spill
from queuefront.feed.tape_columns import HeldEvents
from queuefront.feed.tape_file import write_events
from tests.price_market import price_market
from tests.property.order_market import order_market

INSTRUMENT = Instrument("venue", "SYM", "1", "1")


class Disk:
    """Counts what is written, flushed and named, and is full from the k-th time on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, full_at: int | None) -> None:
        self.count = 0
        self.full_at = full_at
        for name in ("pwrite", "fsync"):
            monkeypatch.setattr(os, name, self.counting(getattr(os, name)))
        monkeypatch.setattr(Path, "replace", self.counting(Path.replace))
        opened = os.fdopen
        monkeypatch.setattr(files.os, "fdopen", lambda *a, **k: CountedFile(opened(*a, **k), self))

    def use(self) -> None:
        self.count += 1
        if self.full_at is not None and self.count >= self.full_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def counting(self, function: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.use()
            return function(*args, **kwargs)

        return counted


class CountedFile:
    def __init__(self, file: IO[bytes], disk: Disk) -> None:
        self.file, self.disk = file, disk

    def __enter__(self) -> CountedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def write(self, data: bytes) -> int:
        self.disk.use()
        return self.file.write(data)

    def flush(self) -> None:
        self.disk.use()
        self.file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@pytest.fixture(name="spills")
def small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let nothing stay in memory; return the folder of temporary files."""
    folder = tmp_path / "spills"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(row_spill, "BLOCK_ROWS", 64)
    monkeypatch.setattr(row_spill, "HELD_BYTES", 0)
    return folder


def market(kind: str) -> np.ndarray:
    return order_market(1, 150) if kind == "by order" else price_market(1, 150, off_grid=True)


@pytest.mark.parametrize("kind", ["by price", "by order"])
@pytest.mark.parametrize("earlier", [None, b"the earlier file"])
def test_a_disk_that_is_full_at_any_write_leaves_what_was_there(
    tmp_path: Path, spills: Path, kind: str, earlier: bytes | None
) -> None:
    folder = tmp_path / "tapes"
    folder.mkdir()
    path, events = folder / "a.tape", HeldEvents(market(kind))

    def write(full_at: int | None) -> int:
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, full_at)
            write_events(path, events, INSTRUMENT, source="feed", off_grid="round")
        return disk.count

    times = write(None)
    assert times > 40  # columns that go to the disk, the frame, the columns in the file, flush, fsync and its name
    Tape.open(path).verify()
    path.unlink()
    if earlier is not None:
        path.write_bytes(earlier)
    for k in range(1, times + 1):
        with pytest.raises(StorageFullError) as caught:
            write(k)
        text = str(caught.value)
        assert "no space left on device" in text
        spilled = text.startswith(f"{spills} (temporary file of ")
        assert spilled or text.startswith(f"{path}: "), text
        assert ("TMPDIR" in text) if spilled else ("the tape needs " in text and "make room there" in text)
        assert [file.name for file in folder.iterdir()] == ([] if earlier is None else ["a.tape"])
        assert earlier is None or path.read_bytes() == earlier
        assert not list(spills.iterdir())


def test_a_tape_in_memory_says_of_a_full_disk_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape.build(price_market(1, 50), INSTRUMENT, source="feed")
    tape.save(tmp_path / "whole.tape")
    size = (tmp_path / "whole.tape").stat().st_size
    Disk(monkeypatch, 3)
    with pytest.raises(
        StorageFullError, match=f"a.tape: no space left on device; the tape needs {size:,} bytes, make room"
    ):
        tape.save(tmp_path / "a.tape")
    assert [file.name for file in tmp_path.iterdir()] == ["whole.tape"]


def test_an_error_that_is_none_of_room_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_events(
            tmp_path / "no folder" / "a.tape", HeldEvents(market("by price")), INSTRUMENT, source="f", off_grid="round"
        )


@pytest.mark.usefixtures("spills")
def test_a_conversion_writes_the_tape_that_is_built_of_its_events(tmp_path: Path) -> None:
    events = price_market(2, 300)
    conversion = Conversion(events, ConversionAccount("source", "feed.gz", refused_count=3), INSTRUMENT)
    assert conversion.blocks.whole().tobytes() == events.tobytes()
    conversion.save_tape(tmp_path / "a.tape")
    account = conversion.account.to_dict()
    Tape.build(events, INSTRUMENT, source="feed.gz", account=account).save(tmp_path / "b.tape")
    assert (tmp_path / "a.tape").read_bytes() == (tmp_path / "b.tape").read_bytes()
    assert conversion.events.tobytes() == events.tobytes()  # they are there still
    conversion.save_tape(tmp_path / "a.tape", source="other")
    assert Tape.open(tmp_path / "a.tape").meta["source"] == "other"
