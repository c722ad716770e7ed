"""Sources read from memory: no file, no thread, so that a fuzzer gets through very many runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from queuefront.feed.sources import archive, binance_convert, message_lines, raw

__all__ = ["from_memory", "memory_folder", "place_of", "without_threads"]


class MemoryLines:
    """What `RawLines` and `PackedLines` are to a source, of plain text that `from_memory` has put here."""

    data = b""
    digest = ""
    damage = None

    def __init__(self, path: Path, *, member: str | None = None, salvage: bool = False) -> None:
        self.path = path
        self.bytes_done = self.bytes_total = len(self.data)
        self.is_unfinished = False

    def __iter__(self) -> Iterator[bytes]:
        cut = self.data.rfind(b"\n") + 1
        if cut:
            yield self.data[:cut]
        if cut < len(self.data):
            self.is_unfinished = True
            yield self.data[cut:] + b"\n"


class _Now:
    """What an executor of one thread is to `RawLines`; work is done when it is handed in, errors come with the result."""

    def __init__(self, *_: object, **__: object) -> None:
        self._error: Exception | None = None

    def __enter__(self) -> _Now:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, function: Callable[..., Any], *arguments: object) -> Any:
        done = _Now()
        try:
            value = function(*arguments)
        except Exception as e:  # noqa: BLE001 - a future holds what its work raised
            done._error = e
            value = None
        done._value = value  # type: ignore[attr-defined]
        return done

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[attr-defined]


@contextmanager
def from_memory(data: bytes) -> Iterator[None]:
    """Let every source of lines read this text, whatever its path."""
    saved = binance_convert.RawLines, message_lines.RawLines, archive.PackedLines
    MemoryLines.data = data
    binance_convert.RawLines = message_lines.RawLines = archive.PackedLines = MemoryLines  # type: ignore[misc,assignment]
    try:
        yield
    finally:
        binance_convert.RawLines, message_lines.RawLines, archive.PackedLines = saved  # type: ignore[misc]


@contextmanager
def without_threads() -> Iterator[None]:
    """Let files be read in the thread that wants them."""
    saved, raw.ThreadPoolExecutor = raw.ThreadPoolExecutor, _Now  # type: ignore[misc,assignment]
    try:
        yield
    finally:
        raw.ThreadPoolExecutor = saved  # type: ignore[misc]


def memory_folder() -> Path | None:
    """Return where files are kept in memory; None, for where temporary files go, if the system has no such place."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and "TMPDIR" not in os.environ else None


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="queuefront-fuzz-", dir=memory_folder())


@cache
def place_of(name: str) -> Path:
    """Return the path of a file of this name, which exists, in memory where that can be."""
    path = Path(_folder().name) / name
    path.touch()
    return path
