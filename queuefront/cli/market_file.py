"""Files of market data by their suffix: .tape, .npz, .parquet."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queuefront.core import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from queuefront.core import Instrument
    from queuefront.feed.tape_layout import OffGrid

__all__ = ["FileKind", "kind_of", "read_unchecked", "refuse_existing", "write_market"]


class FileKind(StrEnum):
    """What a file of market data is."""

    TAPE = "tape"
    NPZ = "npz"
    PARQUET = "parquet"


def kind_of(path: Path) -> FileKind:
    """Return what a file is, by its suffix.

    Raises
    ------
    ConfigError
        For any other suffix.
    """
    try:
        return FileKind(path.suffix.removeprefix("."))
    except ValueError as e:
        kinds = ", ".join(f".{kind}" for kind in FileKind)
        raise ConfigError(f"{path}: the suffix {path.suffix!r} is no kind of market data; choose one of {kinds}") from e


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse to replace a file that was not asked to be replaced; also find a missing folder before the work is done.

    Raises
    ------
    ConfigError
        If the file exists and `force` is False, or its folder does not exist.
    """
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.exists() and not force:
        raise ConfigError(f"{path} exists; choose another name, or replace it with --force")


def write_market(
    path: Path,
    kind: FileKind,
    events: npt.NDArray[np.void],
    instrument: Instrument,
    source: str,
    account: dict[str, Any] | None = None,
    *,
    off_grid: OffGrid = "refuse",
) -> None:
    """Write events as a file of the given kind; only a tape has a grid that they may lie off."""
    from queuefront.feed import Tape, write_npz, write_parquet

    if kind is FileKind.TAPE:
        Tape.build(events, instrument, source=source, account=account, off_grid=off_grid).save(path)
    elif kind is FileKind.NPZ:
        write_npz(path, events)
    else:
        write_parquet(path, events)


def read_unchecked(path: Path, kind: FileKind) -> npt.NDArray[np.void]:
    """Read the events of an .npz or .parquet file as they are, for what looks for faults in them.

    Raises
    ------
    DataFormatError
        If the file does not hold event records.
    """
    from queuefront.core import EVENT
    from queuefront.feed import read_parquet_records, read_records

    if kind is FileKind.PARQUET:
        return read_parquet_records(path)

    return read_records(path, EVENT)
