"""Convert any table, CSV or Parquet, by a mapping that says which columns are what (`table_mapping`).

Rules:

- A CSV file is read as text, plain or gzip, in blocks; cells become exact times and the nearest floats (`table_columns`).
- A record is taken whole or not at all. Records of other symbols and kinds that the mapping ignores are counted.
- A time before 1990 or after 2199 is refused: the mapping's unit is not the file's.
- Where there is no column of local times they are the exchange's, `feed_latency_ns` later.
"""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, SELL_EVENT, ContractKind
from queuefront.core.errors import ConfigError, DataFormatError, SchemaMismatchError, TruncatedFileError
from queuefront.core.instrument import Instrument, Number
from queuefront.feed.conversion import LIST_MAX, QUOTE_MAX, Conversion, ConversionAccount, Gap, Refusal
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.raw import check_expansion
from queuefront.feed.sources.table_columns import Cells, as_codes, as_numbers, as_order_ids, as_text, as_times
from queuefront.feed.sources.table_mapping import KINDS, UNIT_DIGITS, KindColumn, TableMapping, load_mapping
from queuefront.feed.sources.tail import ALL_KINDS, OnBad, find_grid, ready_for_replay

__all__ = ["TABLE", "convert_table"]

TABLE: Final = "table"

Events = npt.NDArray[Any]
Block = dict[str, Any]

_IGNORED: Final = 0  # a kind that makes no row
_BLOCK_BYTES: Final = 2**22
_BATCH_ROWS: Final = 2**16


def convert_table(
    path: str | os.PathLike[str],
    mapping: str | os.PathLike[str] | dict[str, Any],
    *,
    symbol: str | None = None,
    base_latency_ns: int = 0,
    always_add_latency: bool = False,
    on_bad: OnBad = "stop",
    tick_size: Number | None = None,
    lot_size: Number | None = None,
    contract: ContractKind | str = ContractKind.LINEAR,
    multiplier: Number | None = None,
    gap_threshold_ns: int = 10_000_000_000,
    progress: Progress | None = None,
) -> Conversion:
    """Convert one table.

    Parameters
    ----------
    path : `.parquet`, or CSV under any other name; `.gz` is unpacked.
    mapping : a TOML file, or the same as a dict.
    symbol : in place of the mapping's.
    on_bad : `stop` raises at the first record that cannot be used; `skip` leaves such records out and lists them in the
        account.
    base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier, gap_threshold_ns, progress : as in
        `convert_lines`.

    Raises
    ------
    ConfigError
        For a mapping that cannot be used.
    DataFormatError
        For a file that cannot be read, lacks a column, or holds a record that cannot be used.
    DataError
        If the grid cannot be inferred.
    """
    if on_bad not in ("stop", "skip"):
        raise ConfigError(f"on_bad is {on_bad!r}; choose 'stop' or 'skip'")
    plan = load_mapping(mapping, symbol)
    file = Path(path)
    account = ConversionAccount(TABLE, str(file), gap_threshold_ns=gap_threshold_ns)
    reader = _Reader(plan, account, stops=on_bad == "stop")
    made = RowSpill()
    for block in _blocks(file, plan, account, reader.torn, progress, salvages=on_bad == "skip"):
        made.take(reader.rows(block))
    rows = Rows([made])
    with file.open("rb") as opened:
        account.sha256, account.input_bytes = file_digest(opened, "sha256").hexdigest(), file.stat().st_size
    reader.counts.update({"refused": account.refused_count} if account.refused_count else {})
    account.lines = reader.records + reader.torn.count
    account.lines_by_kind = dict(sorted(reader.counts.items()))
    if reader.has_float_times:
        account.notes.append("times are float64 in the file, which holds nanoseconds of today to 256 ns at best")
    tick, lot = find_grid(rows, account, tick_size, lot_size, ALL_KINDS)
    instrument = Instrument(plan.venue, plan.symbol or "UNKNOWN", tick, lot, contract)  # type: ignore[arg-type]
    events = ready_for_replay(rows, account, base_latency_ns, always=always_add_latency)
    return Conversion(events, account, instrument.override(multiplier=multiplier))


class _Torn:
    """Records that have not as many columns as the file, which Arrow leaves out of its blocks."""

    def __init__(self) -> None:
        self.count = 0
        self.first = ""  # what is wrong with the first of them
        self._records: list[int] = []  # those that lie ahead of the last block
        self._passed = 0  # those before

    def add(self, record: int, reason: str) -> None:
        """Take one that was found; they come in their order."""
        self.first = self.first or f"record {record:,}: {reason}"
        self.count += 1
        self._records.append(record)

    def numbers(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """Return the numbers, from 1, of `count` records of a block; `first` others that have their columns come before."""
        # As many of those with all of their columns stand before each.
        before = np.array(self._records, np.int64) - np.arange(len(self._records)) - 1 - self._passed
        index = np.arange(first, first + count)
        numbers: npt.NDArray[np.int64] = index + 1 + self._passed + np.searchsorted(before, index, side="right")
        passed = int(np.searchsorted(before, first + count - 1, side="right")) if count else 0
        self._passed += passed
        del self._records[:passed]
        return numbers


class _Reader:
    """Turn blocks of columns into rows, and keep the account."""

    def __init__(self, plan: TableMapping, account: ConversionAccount, *, stops: bool) -> None:
        self.records = 0  # that have their columns
        self.torn = _Torn()
        self.counts: Counter[str] = Counter()
        self.has_float_times = False
        self._plan = plan
        self._account = account
        self._stops = stops
        self._last_local_ts: int | None = None
        side = plan.columns.side
        self._sides = (
            dict.fromkeys(side.buy, BUY_EVENT) | dict.fromkeys(side.sell, SELL_EVENT) | dict.fromkeys(side.none, 0)
        )
        kind = plan.columns.kind
        self._kinds = {}
        if isinstance(kind, KindColumn):
            self._kinds = {value: code for name, code in KINDS.items() for value in getattr(kind, name)}
            self._kinds |= dict.fromkeys(kind.ignore, _IGNORED)

    def rows(self, block: Block) -> Events:
        """Return the rows of a block."""
        columns, first = self._plan.columns, self.records
        count = len(block[columns.px])
        self.records += count
        number = self.torn.numbers(first, count)
        is_mine: npt.NDArray[np.bool_] = np.ones(count, np.bool_)
        if columns.symbol is not None:
            is_mine = np.array([cell == self._plan.symbol for cell in as_text(block[columns.symbol])], np.bool_)
        kind = self._kind(block, count)
        cells = self._cells(block, kind)
        is_ignored = ~kind.is_bad & (kind.values == _IGNORED)
        considered = is_mine & ~is_ignored
        is_bad = considered & np.logical_or.reduce([kind.is_bad, *(cell.is_bad for cell in cells.values())])
        self.counts.update({"of other symbols": int((~is_mine).sum()), "ignored": int((is_mine & is_ignored).sum())})
        self._refuse(block, {"kind": kind, **cells}, np.flatnonzero(is_bad), number)
        taken = np.flatnonzero(considered & ~is_bad)
        self.counts.update({"rows": len(taken)})
        self.counts = Counter({name: n for name, n in self.counts.items() if n})
        rows = np.zeros(len(taken), EVENT)
        rows["ev"] = kind.values[taken] | cells["side"].values[taken]
        for name in ("exch_ts", "local_ts", "px", "qty", "order_id"):
            if name in cells:
                rows[name] = cells[name].values[taken]
        if "local_ts" not in cells:
            rows["local_ts"] = rows["exch_ts"] + np.int64(self._plan.feed_latency_ns)
        self._find_silence(rows["local_ts"], number[taken])
        return rows

    def _kind(self, block: Block, count: int) -> Cells:
        kind = self._plan.columns.kind
        if isinstance(kind, KindColumn):
            return as_codes(block[kind.name], self._kinds)
        return Cells(np.full(count, KINDS[kind], np.int64), np.zeros(count, np.bool_))

    def _cells(self, block: Block, kind: Cells) -> dict[str, Cells]:
        import pyarrow as pa

        columns = self._plan.columns
        cells = {"side": as_codes(block[columns.side.name], self._sides)}
        for name, column in (("exch_ts", columns.exch_ts), ("local_ts", columns.local_ts)):
            if column is not None:
                array = block[column.name]
                self.has_float_times |= pa.types.is_floating(array.type)
                cells[name] = as_times(array, UNIT_DIGITS[column.unit])
        px, qty = as_numbers(block[columns.px]), as_numbers(block[columns.qty])
        # A clear may name no price: it empties the whole side.
        is_unpriced = (kind.values == DEPTH_CLEAR_EVENT) & px.is_bad
        with np.errstate(invalid="ignore"):
            cells["px"] = Cells(np.where(is_unpriced, np.nan, px.values), (px.is_bad | (px.values <= 0.0)) & ~is_unpriced)
            is_clear = kind.values == DEPTH_CLEAR_EVENT
            cells["qty"] = Cells(np.where(is_clear, 0.0, qty.values), (qty.is_bad | (qty.values < 0.0)) & ~is_clear)
        if columns.order_id is not None:
            cells["order_id"] = as_order_ids(block[columns.order_id])
        return cells

    def _refuse(
        self, block: Block, cells: dict[str, Cells], bad: npt.NDArray[np.int64], number: npt.NDArray[np.int64]
    ) -> None:
        if not len(bad):
            return
        names = {key.split(".")[1]: name for key, name in self._plan.names.items()}
        self._account.refused_count += len(bad)
        for i in bad[: max(0, LIST_MAX - len(self._account.refused))]:
            name = next(name for name, cell in cells.items() if cell.is_bad[i])
            value = str(block[names[name]][int(i)].as_py())[:80]
            reason = _REASONS[name].format(value=repr(value))
            if self._stops:
                place = f"{self._account.path}: record {number[i]:,}, column {names[name]}"
                raise DataFormatError(f"{place}: {reason}; mend the record or the mapping, or convert with on_bad='skip'")
            text = ", ".join(str(block[column][int(i)].as_py()) for column in names.values())
            self._account.refused.append(Refusal(int(number[i]), f"{name}: {reason}"[:QUOTE_MAX], text[:QUOTE_MAX]))

    def _find_silence(self, local_ts: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> None:
        if not len(local_ts):
            return
        before = local_ts[0] if self._last_local_ts is None else self._last_local_ts
        silence = np.diff(local_ts, prepend=np.int64(before))
        for i in np.flatnonzero(silence > self._account.gap_threshold_ns):
            self._account.gap_count += 1
            if len(self._account.gaps) < LIST_MAX:
                self._account.gaps.append(Gap("time", int(numbers[i]), int(local_ts[i]), int(silence[i])))
        self._last_local_ts = int(local_ts[-1])


_TIME_REASON: Final = "{value} is no time between 1990 and 2199 in the mapping's unit, exact to the nanosecond"
_REASONS: Final = {
    "kind": "{value} is no kind that the mapping names",
    "side": "{value} is no side that the mapping names",
    "exch_ts": _TIME_REASON,
    "local_ts": _TIME_REASON,
    "px": "{value} is no price; a price is positive and finite",
    "qty": "{value} is no quantity; a quantity is finite and not negative",
    "order_id": "{value} is no order id; an id is a whole number from 0",
}


def _blocks(
    path: Path, plan: TableMapping, account: ConversionAccount, torn: _Torn, progress: Progress | None, *, salvages: bool
) -> Iterator[Block]:
    """Yield the columns that the mapping names, block by block."""
    import pyarrow as pa

    names = list(dict.fromkeys(plan.names.values()))
    size = path.stat().st_size
    begun = False
    try:
        is_parquet = path.suffix == ".parquet"
        file, batches = _parquet(path, plan) if is_parquet else _csv(path, plan, account, torn, salvages=salvages)
        for batch in batches:
            begun = True
            yield {name: batch.column(name) for name in names}
            if progress is not None:
                progress(min(file.tell(), size), size)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        what = str(e).splitlines()[0][:QUOTE_MAX] if str(e) else type(e).__name__
        text = f"{path}: no readable table ({what}); fetch it again, or mend it"
        if torn.first and not salvages:
            text = f"{path}: {torn.first}; mend the record, or convert with on_bad='skip'"
        if not (salvages and begun):
            raise DataFormatError(text) from e
        account.damage = text
    if progress is not None:
        progress(size, size)


def _parquet(path: Path, plan: TableMapping) -> tuple[Any, Iterator[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pa.OSFile(str(path), "rb")
    opened = pq.ParquetFile(file)
    _require_columns(opened.schema_arrow.names, path, plan)
    return file, _valid(opened.iter_batches(_BATCH_ROWS, columns=list(dict.fromkeys(plan.names.values()))))


def _valid(batches: Iterable[Any]) -> Iterator[Any]:
    for batch in batches:
        batch.validate(full=True)  # or text that is no UTF-8 comes to light where nothing expects it
        yield batch


def _csv(
    path: Path, plan: TableMapping, account: ConversionAccount, torn: _Torn, *, salvages: bool
) -> tuple[Any, Iterator[Any]]:
    import pyarrow as pa
    from pyarrow import csv

    def on_invalid(row: Any) -> str:
        record, text = int(row.number) - plan.file.header, str(row.text)
        reason = f"{row.actual_columns} columns where the file has {row.expected_columns}"
        if text.endswith(unfinished):
            text = text.removesuffix(unfinished)
            reason = "the line has no newline, so that it may be cut off; end it with one"
        text = text[:QUOTE_MAX]
        torn.add(record, f"{reason}; it reads {text!r}")
        if not salvages:
            return "error"
        account.refused_count += 1
        if len(account.refused) < LIST_MAX:
            account.refused.append(Refusal(record, reason, text))
        return "skip"

    def opened(on_invalid: Callable[[Any], str], ending: str, **kinds: Any) -> tuple[Any, Any]:
        file = pa.OSFile(str(path), "rb")  # anew, as what unpacks it closes it
        stream = pa.CompressedInputStream(file, "gzip") if path.suffix == ".gz" else file
        return file, csv.open_csv(
            pa.PythonFile(_Utf8Stream(stream, path, ending), "r"),
            read_options=csv.ReadOptions(
                block_size=_BLOCK_BYTES, use_threads=False, autogenerate_column_names=not plan.file.header
            ),
            parse_options=csv.ParseOptions(delimiter=plan.file.delimiter, invalid_row_handler=on_invalid),
            convert_options=csv.ConvertOptions(strings_can_be_null=False, **kinds),
        )

    found = opened(lambda _row: "skip", "", column_types=None, check_utf8=False)[1].schema.names
    unfinished = plan.file.delimiter * len(found)  # makes of any line one of too many columns
    _require_columns(found, path, plan)
    names = list(dict.fromkeys(plan.names.values()))
    file, batches = opened(on_invalid, unfinished, column_types=dict.fromkeys(names, pa.string()), include_columns=names)
    return file, iter(batches)


class _Utf8Stream:
    """Bytes of a text that is UTF-8; Arrow cannot word an error about a line that is not.

    ending : what marks a last line that has no newline; empty: nothing does.
    """

    closed = False

    def __init__(self, stream: Any, path: Path, ending: str) -> None:
        self._stream, self._path, self._ending = stream, path, ending
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._offset = 0
        self._packed_bytes = path.stat().st_size
        self._has_line, self._is_unfinished = False, False

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes.

        Raises
        ------
        DataFormatError
            If they are not UTF-8, or unpack to very many; TruncatedFileError if there is no line.
        """
        data: bytes = self._stream.read(count)
        try:
            self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as e:
            raise DataFormatError(
                f"{self._path}: not UTF-8 near byte {self._offset + e.start:,} of the text; save the table as UTF-8"
            ) from e
        self._offset += len(data)
        check_expansion(self._path, self._packed_bytes, self._offset)
        if data:
            self._has_line |= b"\n" in data or b"\r" in data
            self._is_unfinished = data[-1:] not in (b"\n", b"\r")
        elif self._is_unfinished and not self._has_line:
            raise TruncatedFileError(
                f"{self._path}: line 1 has no newline, so that the file may be cut off; fetch it again"
            )
        elif self._is_unfinished and self._ending:
            self._is_unfinished = False
            return f"{self._ending}\n".encode()
        return data

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()


def _require_columns(found: list[str], path: Path, plan: TableMapping) -> None:
    for key, name in plan.names.items():
        if found.count(name) != 1:
            what = "lacks" if name not in found else "has more than once"
            raise SchemaMismatchError(
                f"{path}: {key} names the column {name!r}, which the file {what}; it has {', '.join(found)[:QUOTE_MAX]}"
            )
