"""Tapes of event files, made once and kept in the user's cache folder.

An entry is a tape under the digest of the files' contents, the instrument, the options and the tape version. Entries are
written aside and renamed, so that builders of the same one do not meet; one that cannot be read, or whose contents are not
what was written, is made again. What has not been used for longest goes when the cache outgrows its limit.

The first use of an entry in a process compares its whole contents with its checksum. Later ones, of whatever process, read
them again only if the file is not the one that was found right: size and time are noted beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from queuefront.core.errors import DataError
from queuefront.core.instrument import Instrument
from queuefront.feed import Tape
from queuefront.feed.tape_layout import TAPE_VERSION

__all__ = ["CACHE_BYTES_MAX", "cache_folder", "cached_tape"]

#: More than this is removed, least recently used first.
CACHE_BYTES_MAX: Final = 20 * 2**30

_CHUNK: Final = 2**22


def cache_folder() -> Path:
    """Return where tapes are kept: QUEUEFRONT_CACHE_DIR, or `queuefront` in the user's cache folder."""
    own = os.environ.get("QUEUEFRONT_CACHE_DIR")
    if own:
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "queuefront" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "queuefront"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "queuefront"


def cached_tape(
    paths: Sequence[Path],
    instrument: Instrument,
    options: Any,
    build: Callable[[], Tape],
    *,
    bytes_max: int = CACHE_BYTES_MAX,
) -> Tape:
    """Return the tape of event files: mapped from the cache, or made by `build` and kept.

    A cache that cannot be written is none: the tape then stays in memory, with a warning.

    Parameters
    ----------
    paths : the files, in order; their contents count, not their names.
    instrument, options : what else determines the tape, as plain values.
    build : makes the tape.
    bytes_max : how large the cache may grow; the entry just used stays whatever its size.
    """
    folder = cache_folder() / "tapes"
    entry = folder / f"{_key(paths, instrument, options)}.tape"
    if entry.exists():
        try:
            tape = _open(entry)
        except (DataError, OSError) as e:
            warnings.warn(f"{entry}: damaged, {e}; it is made anew", stacklevel=4)
        else:
            # Only the numbers are shared: of another file with the same contents, messages name the present one.
            tape.meta["source"] = ", ".join(map(str, paths))
            return tape
    tape = build()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tape.save(entry)
        _note(entry)
        _evict(folder, entry, bytes_max)
    except OSError as e:
        warnings.warn(
            f"{folder}: {(e.strerror or str(e)).lower()}; the tape stays in memory: make room there, or set "
            "QUEUEFRONT_CACHE_DIR to a folder that can be written",
            stacklevel=4,
        )
        return tape
    del tape
    return Tape.open(entry)


def _open(entry: Path) -> Tape:
    tape = Tape.open(entry)
    if _noted(entry) != _state(entry):
        tape.verify()
        _note(entry)
    with suppress(OSError):  # a cache of another user, which is read and not written
        os.utime(_note_of(entry))  # when it was used last
    return tape


def _key(paths: Sequence[Path], instrument: Instrument, options: Any) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for path in paths:
        digest.update(_content_digest(path))
    digest.update(json.dumps([TAPE_VERSION, instrument.to_dict(), options], sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _content_digest(path: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=20)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def _state(entry: Path) -> str:
    status = entry.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _note_of(entry: Path) -> Path:
    return entry.with_suffix(".used")


def _note(entry: Path) -> None:
    with suppress(OSError):  # the contents are then compared again next time
        _note_of(entry).write_text(_state(entry), encoding="utf-8")


def _noted(entry: Path) -> str | None:
    try:
        return _note_of(entry).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _evict(folder: Path, kept: Path, bytes_max: int) -> None:
    """Remove the entries that were not used for longest until the rest fits."""
    entries = []
    for path in folder.glob("*.tape"):
        with suppress(OSError):  # another process has just removed it
            note = _note_of(path)
            used = (note if note.exists() else path).stat().st_mtime_ns
            entries.append((used, path.stat().st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= bytes_max:
            return
        if path != kept:
            path.unlink(missing_ok=True)  # who has mapped it keeps it
            _note_of(path).unlink(missing_ok=True)
            total -= size
