"""Read a CSV file block by block into arrays; what cannot be read is found, quoted, and refused record by record.

Records of the plain shape are scanned (`csv_compiled`). What the scanner declines is parsed by Arrow, at first one line,
then twice as many each time; a block that has many such lines is so handed over in a few steps. Where parsing fails, the
lines are halved until those that it fails at are found; so good data are read at speed and bad data named by their line.
The scanner runs in a thread of its own, a block ahead of what becomes of its columns.
A last line without a newline may be cut off in the middle of a number, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pc

from queuefront.core.errors import DataFormatError, SchemaMismatchError, TruncatedFileError
from queuefront.feed.sources.archive import Archive, PathLike
from queuefront.feed.sources.csv_columns import Column, Fault
from queuefront.feed.sources.csv_plan import ScanPlan

__all__ = ["CsvFile", "Layout", "Table"]

Array = npt.NDArray[Any]
_Scanned = Future[tuple[int, int, dict[str, Array]]]
_Block = tuple[bytes, _Scanned | None, bool]  # the last: whether it ends inside of a line
_Part = tuple[dict[str, Array], npt.NDArray[np.int64]]  # columns by name, and the line of each record

_COUNTED_UNTIL: Final = 64  # lines that the scanner declines, which are handed to the parser at a time
_PARSED_BYTES: Final = 2**20  # by one thread; longer records are left for the halving
_HALVED_UNTIL: Final = 16  # lines; fewer are looked at one by one
_HEADER_BYTES_MAX: Final = 2**16
_UNFINISHED: Final = b"\0\n"  # marks a last line that had no newline; no record holds a zero byte


class Layout(NamedTuple):
    """The columns that are read of a kind of file, by name; others may stand beside them.

    names : all columns in order, for files without a header; empty: there must be one.
    """

    kind: str
    columns: tuple[Column, ...]
    names: tuple[str, ...] = ()


class Table(NamedTuple):
    """The records of a file that can be used: arrays by column name, and the line of each, counted from 1."""

    layout: Layout
    columns: dict[str, Array]
    line: npt.NDArray[np.int64]
    path: Path

    def without(self, archive: Archive, is_bad: npt.NDArray[np.bool_], field: str, reason: str) -> Table:
        """Return the records but for the bad ones, which are refused.

        Raises
        ------
        DataFormatError
            If there is one, and the conversion stops at bad records.
        """
        if not is_bad.any():
            return self
        for number in self.line[is_bad]:
            archive.refuse(self.path, int(number), field, reason, b"")
        archive.counts[self.layout.kind] -= int(np.count_nonzero(is_bad))
        columns = {name: values[~is_bad] for name, values in self.columns.items()}
        return Table(self.layout, columns, self.line[~is_bad], self.path)


@dataclass
class _Shape:
    """What a file's header says: how many fields a record has, and where the wanted ones stand."""

    names: list[str]
    columns: tuple[Column, ...]
    places: list[int]
    units: dict[str, str]


class CsvFile:
    """One CSV file of a conversion.

    Parameters
    ----------
    archive : the conversion.
    path, member : the file.
    layouts : what it may be; the one whose columns the header has is chosen, or the one that has as many as the first line.
    """

    def __init__(self, archive: Archive, path: PathLike, layouts: Sequence[Layout], member: str | None = None) -> None:
        self.lines = archive.open(path, member)
        self._archive = archive
        self._layouts = layouts
        self._layout = layouts[0]
        self._shape: _Shape | None = None
        self._is_unfinished = False  # the block at hand ends inside of a line
        self._line_count = 0
        self._plan: ScanPlan | None = None

    def tables(self) -> Iterator[Table]:
        """Read the file and yield its records, some megabytes at a time; there is always one table, if of no record.

        Raises
        ------
        DataFormatError, TruncatedFileError, SchemaMismatchError
            For a file that cannot be unpacked, has other columns, or holds a record that cannot be used.
        """
        count = 0
        for block, scanned, is_unfinished in self._blocks():
            self._is_unfinished = is_unfinished
            data = self._begin(block) if self._shape is None else block
            for columns, line in self._records(data, scanned):
                count += len(line)
                yield Table(self._layout, columns, line, self.lines.path)
            self._archive.report(self.lines)
        if self._shape is None:
            what = " or ".join(layout.kind for layout in self._layouts)
            raise DataFormatError(f"{self.lines.path}: the file is empty; a file of {what} has at least a header")
        self._archive.close(self.lines, self._line_count)
        none = {column.name: _none_of(column) for column in self._shape.columns if column.kind != "same"}
        self._archive.counts[self._layout.kind] += count
        yield Table(self._layout, none, np.zeros(0, np.int64), self.lines.path)

    def _blocks(self) -> Iterator[_Block]:
        """Yield whole lines, with what the scanner makes of them as soon as there is a plan: it is a block ahead."""
        before: _Block | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="csv-scan") as scanner:
            try:
                for block in self.lines:
                    is_unfinished = self.lines.is_unfinished
                    data = block[:-1] + _UNFINISHED if is_unfinished else block
                    scanned = scanner.submit(self._plan.scan, data, 0) if self._plan is not None else None
                    if before is not None:
                        yield before
                    before = data, scanned, is_unfinished
            except (DataFormatError, OSError):
                if before is not None:
                    yield before  # a record in it may be refused first
                raise
            if before is not None:
                yield before

    # --- the header ---------------------------------------------------------------------------------------------------
    def _begin(self, data: bytes) -> bytes:
        """Learn the columns from the first line; return what stands behind a header."""
        first, _, rest = data.partition(b"\n")
        if self._is_unfinished and first.endswith(_UNFINISHED[:1]):
            raise TruncatedFileError(
                f"{self.lines.path}: line 1 has no newline, so that the file may be cut off; fetch it again"
            )
        names = first[:_HEADER_BYTES_MAX].decode("utf-8", "replace").removeprefix("\ufeff").strip("\r").split(",")
        names = [name.strip() for name in names]
        found = [layout for layout in self._layouts if {c.name for c in layout.columns} <= set(names)]
        if found:
            self._learn(max(found, key=lambda layout: len(layout.columns)), names)
            self._line_count += 1
            self._archive.counts["header"] += 1
            return rest
        unnamed = [layout for layout in self._layouts if len(layout.names) == len(names)]
        if unnamed and any(character.isdigit() for character in "".join(names)):
            self._learn(unnamed[0], list(unnamed[0].names))
            return data
        wanted = "; or ".join(
            f"{layout.kind}: {', '.join(column.name for column in layout.columns[:12])}" for layout in self._layouts
        )
        raise SchemaMismatchError(
            f"{self.lines.path}: line 1 has the columns {', '.join(names)[:200]!r}; the file needs those of {wanted}"
        )

    def _learn(self, layout: Layout, names: list[str]) -> None:
        doubled = {name for name in names if names.count(name) > 1}
        if twice := [column.name for column in layout.columns if column.name in doubled]:
            raise SchemaMismatchError(f"{self.lines.path}: line 1 has the column {twice[0]} twice; which one is meant?")
        self._layout = layout
        self._shape = _Shape(names, layout.columns, [names.index(column.name) for column in layout.columns], {})

    # --- records ------------------------------------------------------------------------------------------------------
    def _records(self, data: bytes, scanned: _Scanned | None) -> Iterator[_Part]:
        """Scan whole lines, and parse what the scanner declines; yield what can be used.

        scanned : what scanning them from their beginning on gives.
        """
        begin, parsed_lines = 0, 1
        while begin < len(data):
            plan = self._plan or self._make_plan()
            if plan is not None:
                is_there = scanned is not None and begin == 0
                end, count, columns = scanned.result() if is_there else plan.scan(data, begin)  # type: ignore[union-attr]
                if count:
                    line = np.arange(self._line_count + 1, self._line_count + 1 + count)
                    self._line_count += count
                    yield columns, line
                if end == len(data):
                    return
                begin = end
            end = _end_of_lines(data, begin, parsed_lines)
            part = data[begin:end]
            yield from self._parse(part, self._line_count + 1)
            self._line_count += part.count(b"\n")
            begin, parsed_lines = end, 2 * parsed_lines

    def _make_plan(self) -> ScanPlan | None:
        """Return how to scan a line, None as long as no record has told units, symbol and exchange."""
        assert self._shape is not None
        shape = self._shape
        same = {c.name: getattr(self._archive, _attribute_of(c)) for c in shape.columns if c.kind == "same"}
        if not all(same.values()) or any(c.kind == "time" and c.name not in shape.units for c in shape.columns):
            return None
        self._plan = ScanPlan(shape.names, shape.columns, shape.places, shape.units, same)
        return self._plan

    def _parse(self, data: bytes, number: int) -> Iterator[_Part]:
        """Read whole lines, of which the first has this number; yield what can be used."""
        count = data.count(b"\n")
        # A carriage return is a newline to the parser, unless it stands before one.
        # It takes 0x10 for a whole number, and zero bytes for text.
        # One letter is found much faster than two.
        is_odd = b"\0" in data or any(letter in data and b"0" + letter in data for letter in (b"x", b"X"))
        is_plain = not is_odd and (b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"))
        table = self._arrow(data, count) if is_plain else None
        if table is not None:
            yield self._checked(table, data, number)
        elif count > _HALVED_UNTIL:
            cut = data.index(b"\n", len(data) // 2) + 1
            cut = cut if cut < len(data) else data.rfind(b"\n", 0, len(data) - 1) + 1
            yield from self._parse(data[:cut], number)
            yield from self._parse(data[cut:], number + data[:cut].count(b"\n"))
        else:
            for i, line in enumerate(data.split(b"\n")[:-1]):
                yield from self._parse_line(line, number + i)

    def _parse_line(self, line: bytes, number: int) -> Iterator[_Part]:
        if not line.strip():
            self._archive.counts["blank"] += 1
            return
        name, reason = self._fault_of(line.removesuffix(b"\r"))
        table = None if reason else self._arrow(line + b"\n", 1)
        if table is None:
            self._archive.refuse(self.lines.path, number, name, reason or "the record cannot be read", line)
        else:
            yield self._checked(table, line + b"\n", number)

    def _arrow(self, data: bytes, count: int) -> Any | None:
        """Return Arrow's table of the lines, None where it cannot read one of them."""
        assert self._shape is not None
        shape = self._shape
        names = [f"{place}" for place in range(len(shape.names))]
        wanted = [names[place] for place in shape.places]
        block_bytes = len(data) if count <= _HALVED_UNTIL else _PARSED_BYTES
        try:
            table = pc.read_csv(
                pa.py_buffer(data),
                read_options=pc.ReadOptions(column_names=names, block_size=block_bytes),
                parse_options=pc.ParseOptions(quote_char=False, newlines_in_values=False, ignore_empty_lines=False),
                convert_options=pc.ConvertOptions(
                    column_types={name: column.arrow_type for name, column in zip(wanted, shape.columns, strict=True)},
                    include_columns=wanted,
                    null_values=[""] if any(column.is_optional for column in shape.columns) else [],
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if len(table) != count:
            return None
        table = table.unify_dictionaries()
        arrays = [table.column(i).combine_chunks() for i in range(len(wanted))]
        if any(a.null_count and not column.is_optional for a, column in zip(arrays, shape.columns, strict=True)):
            return None
        return arrays

    def _fault_of(self, line: bytes) -> tuple[str, str]:
        """Say which field of a line has not the form that it needs; empty if all have."""
        assert self._shape is not None
        if line.endswith(_UNFINISHED[:1]) and self._is_unfinished:
            return "", "the last line has no newline, so that it may be cut off; end it with one"
        fields = line.split(b",")
        if len(fields) != len(self._shape.names):
            return "", f"the line has {len(fields):,} fields, where the columns are {len(self._shape.names):,}"
        if b"\r" in line:
            return "", "the line holds a carriage return"
        for column, place in zip(self._shape.columns, self._shape.places, strict=True):
            if reason := column.fault_of(fields[place]):
                return column.name, reason
        return "", ""

    def _checked(self, arrays: list[Any], data: bytes, number: int) -> _Part:
        """Return the columns of the records whose values can be used, and their lines; refuse the others."""
        assert self._shape is not None
        count = len(arrays[0])
        columns: dict[str, Array] = {}
        faults: list[tuple[Column, Fault]] = []
        is_left_out = np.zeros(count, np.bool_)
        for column, array in zip(self._shape.columns, arrays, strict=True):
            if column.kind == "same":
                is_other, found = self._same(column, array)
                is_left_out |= is_other
            elif column.kind == "choice":
                columns[column.name], found = column.codes(array)
            else:
                columns[column.name], found = column.take(array, self._unit(column, array))
            faults += [(column, fault) for fault in found if fault[0].any()]
        line = np.arange(number, number + count)
        if faults:
            is_left_out |= self._refuse(faults, is_left_out, data, number)
        if not is_left_out.any():
            return columns, line
        return {name: values[~is_left_out] for name, values in columns.items()}, line[~is_left_out]

    def _unit(self, column: Column, array: Any) -> str:
        assert self._shape is not None
        if column.kind != "time" or not len(array):
            return ""
        if column.name not in self._shape.units:
            self._shape.units[column.name] = column.unit_of(int(array[0].as_py()))
        return self._shape.units[column.name]

    def _same(self, column: Column, array: Any) -> tuple[npt.NDArray[np.bool_], list[Fault]]:
        """Return which records are of another symbol than the chosen one, and which are of an unexpected one."""
        archive, attribute = self._archive, _attribute_of(column)
        known = [text.decode("utf-8", "replace").strip() for text in array.dictionary.to_pylist()]
        indices = array.indices.to_numpy(zero_copy_only=False)
        none = np.zeros(len(indices), np.bool_)
        if not getattr(archive, attribute) and len(indices):
            setattr(archive, attribute, known[indices[0]])
        wanted = getattr(archive, attribute)
        if all(text == wanted for text in known):
            return none, []
        is_other = np.array([text != wanted for text in known], np.bool_)[indices]
        if attribute == "symbol" and archive.chooses:
            archive.counts["of other symbols"] += int(np.count_nonzero(is_other))
            return is_other, []
        how = "; give symbol to choose one" if attribute == "symbol" else ""
        return none, [(is_other, f"is another {attribute} than {wanted[:40]!r}{how}")]

    def _refuse(
        self, faults: list[tuple[Column, Fault]], is_other: npt.NDArray[np.bool_], data: bytes, number: int
    ) -> npt.NDArray[np.bool_]:
        assert self._shape is not None
        is_bad: npt.NDArray[np.bool_] = np.logical_or.reduce([mask for _, (mask, _) in faults]) & ~is_other
        text = data.split(b"\n")
        place_of = dict(zip([column.name for column in self._shape.columns], self._shape.places, strict=True))
        for i in np.flatnonzero(is_bad):
            line = text[i].removesuffix(b"\r")
            name, reason = self._fault_of(line)  # first, as of a line that is looked at alone
            if not reason:
                column, (_, what) = next(fault for fault in faults if fault[1][0][i])
                value = line.split(b",")[place_of[column.name]][:40].decode("utf-8", "replace")
                name, reason = column.name, f"{value!r} {what}"
            self._archive.refuse(self.lines.path, number + int(i), name, reason, line)
        return is_bad


def _end_of_lines(data: bytes, begin: int, count: int) -> int:
    """Return where the lines end that begin at `begin`; beyond `_COUNTED_UNTIL` of them, where the data do."""
    if count > _COUNTED_UNTIL:
        return len(data)
    end = begin
    for _ in range(count):
        end = data.find(b"\n", end) + 1
        if end == len(data):
            break
    return end


def _attribute_of(column: Column) -> str:
    return "symbol" if column.name == "symbol" else "exchange"


def _none_of(column: Column) -> Array:
    return np.zeros(0, np.float64 if column.kind in ("price", "qty", "number") else np.int64)
