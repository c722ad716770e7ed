"""Files of events as input: read by their suffix, with the grid that a tape knows and other files do not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from queuefront.cli.market_file import FileKind, kind_of, read_unchecked
from queuefront.core import ConfigError, Instrument

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["grid_instrument", "read_events_of", "require_npz"]


def read_events_of(path: Path) -> npt.NDArray[np.void]:
    """Return the events of a .tape, .npz or .parquet file.

    Raises
    ------
    DataError
        If the file cannot be read for what it is.
    """
    kind = kind_of(path)
    path.stat()
    if kind is not FileKind.TAPE:
        return read_unchecked(path, kind)
    from queuefront.feed import Tape

    return Tape.open(path).to_events()


def grid_instrument(files: Iterable[Path], tick_size: str | None, lot_size: str | None, symbol: str) -> Instrument:
    """Return the instrument of the first tape among the files, with the given grid; a nameless one without a tape.

    Raises
    ------
    ConfigError
        If there is no tape and a step is not given.
    """
    tape = next((file for file in files if kind_of(file) is FileKind.TAPE), None)
    if tape is not None:
        from queuefront.feed import Tape

        return Tape.open(tape).instrument.override(tick_size=tick_size, lot_size=lot_size)
    for option, value in (("--tick-size", tick_size), ("--lot-size", lot_size)):
        if value is None:
            raise ConfigError(f"none of the files is a tape, which would know the grid; give {option}")
    return Instrument("fused", symbol, tick_size, lot_size)  # type: ignore[arg-type]


def require_npz(path: Path) -> None:
    """Refuse an output that is no .npz.

    Raises
    ------
    ConfigError
        For any other suffix.
    """
    if path.suffix != ".npz":
        raise ConfigError(f"{path}: the output is records in a .npz file; choose a name that ends in .npz")
