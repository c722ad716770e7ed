"""The columns of a tape in the making, in memory or on the disk: both are taken part by part and read block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import KIND_MASK

__all__ = [
    "Columns",
    "EventParts",
    "HeldColumn",
    "HeldEvents",
    "NewColumn",
    "TapeColumn",
    "blocks_of",
    "read_only",
    "whole",
]

Column = npt.NDArray[Any]
Columns = dict[str, Column]


class TapeColumn(Protocol):
    """A column whose blocks begin at the same rows as those of the other columns: a `HeldColumn` or a `RowSpill`."""

    dtype: np.dtype[Any]

    def __len__(self) -> int: ...
    def take(self, batch: Column, /) -> None:
        """Take values."""

    @property
    def block_count(self) -> int:
        """How many blocks there are."""

    def read(self, k: int, /) -> Column:
        """Return a block, which is not to be changed."""

    def blocks(self) -> Iterator[Column]:
        """Yield all of them."""

    def drop(self) -> None:
        """Let go of the values."""


NewColumn = Callable[[npt.DTypeLike], TapeColumn]


class EventParts(Protocol):
    """Events in order, part by part: `HeldEvents` or `event_order.EventBlocks`."""

    def __len__(self) -> int: ...
    def blocks(self) -> Iterator[npt.NDArray[np.void]]:
        """Yield the events, as often as it is asked for."""

    @property
    def kind_counts(self) -> npt.NDArray[np.int64]:
        """How many events there are of each kind."""


class HeldColumn:
    """A column in memory; parts are kept as they come, without a copy."""

    def __init__(self, dtype: npt.DTypeLike, *parts: Column) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._parts: list[Column] = []
        for part in parts:
            self.take(part)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def take(self, batch: Column, /) -> None:
        """Take values; the array belongs to the column from then on."""
        assert batch.dtype == self.dtype
        if len(batch):
            self._parts.append(np.ascontiguousarray(batch))

    @property
    def block_count(self) -> int:
        """How many blocks there are: as many as parts that came."""
        return len(self._parts)

    def read(self, k: int, /) -> Column:
        """Return a block, which is not to be changed."""
        return self._parts[k]

    def blocks(self) -> Iterator[Column]:
        """Yield all of them."""
        yield from self._parts

    def drop(self) -> None:
        """Let go of the values."""
        self._parts = []


class HeldEvents:
    """Events in memory, in one part or more."""

    def __init__(self, *parts: npt.NDArray[np.void]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def blocks(self) -> Iterator[npt.NDArray[np.void]]:
        """Yield the events, as often as it is asked for."""
        yield from self._parts

    @property
    def kind_counts(self) -> npt.NDArray[np.int64]:
        """How many events there are of each kind."""
        counts = np.zeros(KIND_MASK + 1, np.int64)
        for part in self._parts:
            if part.dtype == EVENT:  # what is not is refused when it is looked at
                counts += np.bincount((part["ev"] & np.uint64(KIND_MASK)).astype(np.int64), minlength=len(counts))
        return counts


def blocks_of(columns: dict[str, TapeColumn]) -> Iterator[Columns]:
    """Yield the blocks of columns that have the same rows side by side."""
    for k in range(min((column.block_count for column in columns.values()), default=0)):
        yield {name: column.read(k) for name, column in columns.items()}


def whole(column: TapeColumn) -> Column:
    """Return all values of a column as one array."""
    if column.block_count == 1:
        return column.read(0)
    return np.concatenate([np.zeros(0, column.dtype), *column.blocks()])


def read_only(column: Column) -> Column:
    """Return a view that cannot be written to: compiled code is cached for columns of tapes, which are so."""
    view = column.view()
    view.flags.writeable = False
    return view
