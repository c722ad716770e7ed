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
    from queuefront.feed.tape import OffGrid

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
    from queuefront.feed import Tape, write_npz

    if kind is FileKind.TAPE:
        Tape.build(events, instrument, source=source, account=account, off_grid=off_grid).save(path)
    elif kind is FileKind.NPZ:
        write_npz(path, events)
    else:
        _write_parquet(path, events)


def read_unchecked(path: Path, kind: FileKind) -> npt.NDArray[np.void]:
    """Read the events of an .npz or .parquet file as they are, for what looks for faults in them.

    Raises
    ------
    DataFormatError
        If the file does not hold event records.
    """
    if kind is FileKind.PARQUET:
        return _read_parquet(path)
    from queuefront.core import EVENT
    from queuefront.feed import read_records

    return read_records(path, EVENT)


def _write_parquet(path: Path, events: npt.NDArray[np.void]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from queuefront.core import EVENT
    from queuefront.feed.files import replacing

    table = pa.table({name: pa.array(events[name]) for name in EVENT.names or ()})
    with replacing(path) as file:
        pq.write_table(table, file, compression="zstd")


def _read_parquet(path: Path) -> npt.NDArray[np.void]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from queuefront.core import EVENT, DataFormatError, SchemaMismatchError

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowException) as e:
        raise DataFormatError(f"{path}: not a readable Parquet file: {e}; convert its source again") from e
    names = EVENT.names or ()
    wanted = pa.schema([(name, pa.from_numpy_dtype(EVENT[name])) for name in names])
    if not table.schema.equals(wanted) or any(column.null_count for column in table.columns):
        found = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        raise SchemaMismatchError(f"{path}: columns {found}, which are not those of events; convert its source again")
    events = np.zeros(len(table), EVENT)
    for name in names:
        events[name] = table[name].to_numpy()
    return events
