"""What is fuzzed: every decoder of market data, with small valid inputs to begin with; `TARGETS` lists them.

A run is one input. It ends in rows that can be used and refusals that are counted, or in an error of ours that names the
file, and the record and its value where there is one. On some inputs, chosen by their checksum so that each repeats, the
same is read in the other ways that there are: stopping at what is bad and skipping it agree, and so do a compiled scanner
and the careful decoder beside it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal
from zlib import crc32

import numpy as np

from queuefront.core import EVENT, LATENCY, ConfigError, DataError
from queuefront.core.enums import KIND_MASK
from queuefront.feed import (
    Conversion,
    convert_binance_snapshot,
    convert_databento,
    convert_lines,
    convert_table,
    migrate_version1,
    read_events,
    read_latencies,
    read_parquet,
    validate_event_order,
    validate_events,
)
from queuefront.feed.conversion import ConversionAccount
from queuefront.feed.row_spill import Rows
from queuefront.feed.sources import binance_lines
from queuefront.feed.sources.binance_message import MessageDecoder
from queuefront.feed.sources.bybit import BybitDecoder
from queuefront.feed.sources.bybit_history import _BookScan
from queuefront.feed.sources.csv_records import CsvFile
from queuefront.feed.sources.hyperliquid import HyperliquidDecoder
from queuefront.feed.sources.message_lines import Decoder, MessageWalk
from queuefront.feed.sources.message_scan import LineScan
from queuefront.feed.sources.mexc import MexcDecoder
from queuefront.feed.sources.packed import PackedLines
from queuefront.feed.sources.raw import RawLines
from queuefront.venues.binance.stream_schemas import decode_user_message
from queuefront.venues.bybit.schemas import decode_private
from queuefront.venues.errors import MessageError
from tests.fuzz import seeds
from tests.fuzz.damage import damaged, damaged_numbers, damaged_records, damaged_text
from tests.fuzz.memory_lines import from_memory, place_of, without_threads

__all__ = ["TARGETS", "Outcome", "Target"]

Outcome = Literal["decoded", "partly", "refused"]
"""All of an input, all but what was counted as refused, or an error."""
Damage = Callable[[bytes, Random], bytes]
Convert = Callable[[Path, str], Conversion | tuple[np.ndarray, ConversionAccount]]

_RECORD = re.compile(r"(?:line|record) ([0-9,]+)")
_GRID = {"tick_size": "0.0001", "lot_size": "0.0001"}


@dataclass(frozen=True)
class Target:
    """A decoder that is fuzzed.

    seeds : small valid inputs. run : decodes an input; raises AssertionError, or anything that is not documented, if the
    input is not dealt with as it should be. damages : what is done to seeds.
    """

    seeds: Sequence[bytes]
    run: Callable[[bytes], Outcome]
    damages: tuple[Damage, ...] = (damaged, damaged_text)

    def damaged(self, data: bytes, rng: Random) -> bytes:
        """Return an input made from another one."""
        return rng.choice(self.damages)(data, rng)


# --- what must hold -------------------------------------------------------------------------------------------------
def _check_rows(rows: np.ndarray) -> None:
    assert rows.dtype == EVENT
    if not len(rows):
        return
    kind_and_side, px, qty = rows["ev"], rows["px"], rows["qty"]
    assert (qty >= 0).all(), f"quantities {qty}"
    assert np.isfinite(qty).all(), f"quantities {qty}"
    assert (kind_and_side > 0).all(), f"kinds {kind_and_side}"
    assert not np.isinf(px).any(), f"prices {px}"
    assert (rows["exch_ts"] > 0).all(), f"times {rows['exch_ts']}"
    assert (rows["local_ts"] > 0).all(), f"times {rows['local_ts']}"


def _made(convert: Convert, path: Path, on_bad: str) -> tuple[bytes, ConversionAccount] | DataError | ConfigError:
    """Convert; return the rows and the account, or a documented error that names the file."""
    try:
        made = convert(path, on_bad)
    except (DataError, ConfigError) as e:
        # A damaged instrument id, or kinds of files that do not go together, ask for a choice.
        is_choice = "; give symbol" in str(e) or "; give one" in str(e)
        if not is_choice and (isinstance(e, ConfigError) or str(path) not in str(e)):
            raise AssertionError(f"the error does not name the file, or what to choose: {e!r}") from e
        return e
    if isinstance(made, Conversion):
        rows, account = made.blocks.whole(), made.account
        validate_events(rows, path.name)
        validate_event_order(rows)
        assert account.events == len(rows)
    else:
        rows, account = made
    _check_rows(rows)
    counts = {name: count for name, count in account.lines_by_kind.items() if not name.startswith("of orders ")}
    assert sum(counts.values()) == account.lines or "rows" in counts, f"{counts} of {account.lines} lines"
    assert counts.get("refused", 0) == account.refused_count
    return rows.tobytes(), account


def _check_agreement(stopped: object, skipped: object) -> None:
    """Assert that what stops at a bad record names one of those that are refused where they are skipped."""
    if isinstance(stopped, tuple):
        assert isinstance(skipped, tuple), f"stopping takes it, skipping does not: {skipped}"
        assert (stopped[0], skipped[1].refused_count) == (skipped[0], 0)
    elif isinstance(skipped, tuple):
        found = _RECORD.search(str(stopped))
        noted = skipped[1].damage is not None
        assert noted or found, f"the error names no record: {stopped}"
        lines = [refusal.line for refusal in skipped[1].refused]
        assert noted or (found and int(found[1].replace(",", "")) in lines), f"{stopped}, but refused are {lines}"


def _outcome(made: object) -> Outcome:
    if not isinstance(made, tuple):
        return "refused"
    return "partly" if made[1].refused_count or made[1].damage else "decoded"


def _facts(made: object) -> object:
    """Return of a conversion what two decoders must have in common; of several bad records each may name another."""
    if not isinstance(made, tuple):
        return type(made)
    account = made[1]
    refused = sorted(refusal.line for refusal in account.refused)
    return made[0], account.lines_by_kind, refused, account.gaps, account.gap_count, account.venue_messages


# --- sources of lines -----------------------------------------------------------------------------------------------
def _of_lines(name: str, texts: Sequence[bytes], convert: Convert, careful: Callable[[], Any] | None = None) -> Target:
    """Return a target of text; `careful` is a context in which no scanner is used."""
    path = place_of(name)

    def run(data: bytes) -> Outcome:
        chosen = crc32(data)
        on_bad = "skip" if chosen & 1 else "stop"
        with from_memory(data):
            made = _made(convert, path, on_bad)
            if chosen & 6 == 2:
                other = _made(convert, path, "stop" if chosen & 1 else "skip")
                _check_agreement(*((other, made) if chosen & 1 else (made, other)))
            if chosen & 6 == 4 and careful is not None:
                with careful():
                    read = _made(convert, path, on_bad)
                assert _facts(read) == _facts(made), f"scanned {made}, read {read}"
        return _outcome(made)

    return Target(texts, run)


@contextmanager
def _without_csv_scanner() -> Iterator[None]:
    saved, CsvFile._make_plan = CsvFile._make_plan, lambda _self: None
    try:
        yield
    finally:
        CsvFile._make_plan = saved


@contextmanager
def _without_message_scanner() -> Iterator[None]:
    saved, LineScan.run = LineScan.run, lambda self, _buf, begin, _ids, _counts: (begin, 0, self._rows[:0])
    try:
        yield
    finally:
        LineScan.run = saved


@contextmanager
def _without_archive_scanners() -> Iterator[None]:
    saved, _BookScan.run = _BookScan.run, lambda self, begin, _symbol: (begin, self._lines[:0], self._rows[:0])
    try:
        with _without_csv_scanner():
            yield
    finally:
        _BookScan.run = saved


@contextmanager
def _without_binance_scanner() -> Iterator[None]:
    saved = binance_lines.scan_lines
    binance_lines.scan_lines = lambda _buf, begin, _options, _symbol, last, _table, _rows: (begin, 0, 0, last)
    try:
        yield
    finally:
        binance_lines.scan_lines = saved


def _binance(source: str, **options: Any) -> Target:
    def convert(path: Path, on_bad: str) -> Conversion:
        return convert_lines(source, path, opt="mt", on_bad=on_bad, **_GRID, **options)

    texts = seeds.binance_lines(is_spot=source == "binance-spot", is_combined=options.get("combined_stream", True))
    return _of_lines("btcusdt_20240808", texts, convert, _without_binance_scanner)


def _messages(source: str, texts: Sequence[bytes], decoder: Callable[[], Decoder]) -> Target:
    """Return a target of one JSON message a line, up to the rows in file order."""

    def convert(path: Path, on_bad: str) -> tuple[np.ndarray, ConversionAccount]:
        walk = MessageWalk(source, path, symbol=None, on_bad=on_bad, gap_threshold_ns=10**10)  # type: ignore[arg-type]
        rows = Rows([walk.run(decoder(), None)]).whole()
        return rows, walk.account

    return _of_lines("xyz_20240808", texts, convert, _without_message_scanner)


def _csv(name: str, texts: Sequence[bytes], convert: Convert) -> Target:
    return _of_lines(name, texts, convert, _without_csv_scanner)


def _snapshot(path: Path, _on_bad: str) -> tuple[np.ndarray, ConversionAccount]:
    rows = convert_binance_snapshot(path)  # which gives no account of what it would skip
    return rows, ConversionAccount("snapshot", str(path))


# --- files ----------------------------------------------------------------------------------------------------------
def _file(
    name: str, files: Sequence[bytes], convert: Convert, damages: tuple[Damage, ...] = (damaged, damaged_numbers)
) -> Target:
    """Return a target that reads a file, in memory where the system can."""
    path = place_of(name)

    def run(data: bytes) -> Outcome:
        chosen = crc32(data)
        path.write_bytes(data)
        with without_threads():
            made = _made(convert, path, "skip" if chosen & 1 else "stop")
            if chosen & 6 == 2:
                other = _made(convert, path, "stop" if chosen & 1 else "skip")
                _check_agreement(*((other, made) if chosen & 1 else (made, other)))
        return _outcome(made)

    return Target(files, run, damages)


def _records(name: str, files: Sequence[bytes], read: Callable[[Path], np.ndarray], check: Callable[..., None]) -> Target:
    """Return a target that reads records all or none; a bare array is packed into an archive, whose checksums are right."""
    path = place_of(name)

    def run(data: bytes) -> Outcome:
        path.write_bytes(_zipped(data) if data[:6] == b"\x93NUMPY" and crc32(data) & 1 else data)
        try:
            rows = read(path)
        except DataError as e:
            if str(path) not in str(e):
                raise AssertionError(f"the error does not name the file: {e!r}") from e
            return "refused"
        check(rows)
        return "decoded"

    return Target(files, run, (damaged, damaged_numbers, damaged_records))


def _zipped(member: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.npy", member)
    return buffer.getvalue()


def _are_latencies(rows: np.ndarray) -> None:
    assert rows.dtype == LATENCY


def _are_events(rows: np.ndarray) -> None:
    validate_events(rows, "rows")


def _are_old_events(rows: np.ndarray) -> None:
    validate_events(rows, "rows", extra_kinds=frozenset(range(KIND_MASK + 1)))


def _table(path: Path, on_bad: str) -> Conversion:
    return convert_table(path, seeds.TABLE_MAPPING, on_bad=on_bad, **_GRID)


def _databento(path: Path, on_bad: str) -> Conversion:
    return convert_databento(path, on_bad=on_bad, **_GRID)


def _packed() -> Target:
    """Return a target of packed text: whatever is damaged, what comes out stands at the beginning of something."""
    path = place_of("made.packed")

    def read(kind: type[RawLines], *, salvage: bool) -> tuple[bytes, str | None] | DataError:
        lines = kind(path, salvage=salvage)
        try:
            text = b"".join(lines)
        except DataError as e:
            if str(path) not in str(e):
                raise AssertionError(f"the error does not name the file: {e!r}") from e
            return e
        assert text.endswith(b"\n") or not text
        return text, lines.damage

    def run(data: bytes) -> Outcome:
        path.write_bytes(data)
        with without_threads():
            for kind in (RawLines, PackedLines):
                whole, kept = (read(kind, salvage=salvage) for salvage in (False, True))
                if isinstance(whole, tuple):
                    assert whole == kept
                    assert whole[1] is None
                elif isinstance(kept, tuple):
                    assert kept[1], "damage went unnoticed"
        return "refused" if isinstance(kept, DataError) else "partly" if kept[1] else "decoded"

    return Target(seeds.PACKED, run, (damaged, damaged_numbers))


# --- messages of venues ---------------------------------------------------------------------------------------------
_NOW = 1_700_000_000_005_000_000


def _market_message(*, is_spot: bool) -> Target:
    """Return a target of live messages: scanned and read they are the same."""

    def run(data: bytes) -> Outcome:
        scanning, reading = (MessageDecoder("BTCUSDT", is_spot=is_spot, is_combined=True) for _ in range(2))
        made: list[Any] = []
        for decode in (
            lambda: scanning.decode(data, _NOW),
            lambda: reading._decode(data, reading._wanted, _NOW),
        ):
            try:
                message = decode()
            except DataError as e:
                if "BTCUSDT" not in str(e):
                    raise AssertionError(f"the error does not name the symbol: {e!r}") from e
                made.append(DataError)
                continue
            if len(message.rows):
                _check_rows(message.rows)
            made.append(message._replace(rows=message.rows.tobytes()))
        assert made[0] == made[1], f"scanned {made[0]}, read {made[1]}"
        return "refused" if made[0] is DataError else "decoded"

    lines = b"".join(seeds.binance_lines(is_spot=is_spot, is_combined=True)).split(b"\n")
    return Target([line.partition(b" ")[2] for line in lines if line], run)


def _account_message(decode: Callable[[bytes], object], messages: Sequence[bytes]) -> Target:
    def run(data: bytes) -> Outcome:
        try:
            decode(data)
        except MessageError:
            return "refused"
        return "decoded"

    return Target(messages, run)


TARGETS: dict[str, Target] = {
    "binance-usdm": _binance("binance-usdm"),
    "binance-coinm": _binance("binance-coinm", combined_stream=False),
    "binance-spot": _binance("binance-spot"),
    "binance-history": _csv("depth.csv", seeds.archives("binance-history"), seeds.convert_of("binance-history")),
    "binance-snapshot": _csv("snapshot.csv", seeds.archives("binance-history")[-1:], _snapshot),
    "bybit": _messages("bybit", seeds.BYBIT, lambda: BybitDecoder(None)),
    "bybit-50": _messages("bybit", seeds.BYBIT, lambda: BybitDecoder(50)),
    "bybit-history": _of_lines(
        "trades.csv", seeds.archives("bybit-history"), seeds.convert_of("bybit-history"), _without_archive_scanners
    ),
    "databento": _file("made.dbn", seeds.DATABENTO, _databento),
    "hyperliquid": _messages(
        "hyperliquid", seeds.HYPERLIQUID, lambda: HyperliquidDecoder(20, 1_000_000, delete_out_of_book=False)
    ),
    "latencies": _records("latencies.npz", seeds.LATENCIES, read_latencies, _are_latencies),
    "lobster": _csv("AAPL_2012-06-21_message_10.csv", seeds.archives("lobster"), seeds.convert_of("lobster")),
    "mexc": _messages("mexc", seeds.MEXC, lambda: MexcDecoder(1_000_000)),
    "npz": _records("events.npz", seeds.EVENTS, read_events, _are_events),
    "npz-version-1": _records("old.npz", seeds.EVENTS_1, migrate_version1, _are_old_events),
    "packed": _packed(),
    "parquet": _records("events.parquet", seeds.PARQUET, read_parquet, _are_events),
    "table": _file("table.csv", seeds.TABLE, _table, (damaged, damaged_text)),
    "table-parquet": _file("table.parquet", seeds.TABLE_PARQUET, _table),
    "tardis": _csv("tardis.csv", seeds.archives("tardis"), seeds.convert_of("tardis")),
    "venue-binance": _market_message(is_spot=False),
    "venue-binance-spot": _market_message(is_spot=True),
    "venue-binance-user": _account_message(decode_user_message, seeds.BINANCE_USER),
    "venue-bybit-private": _account_message(decode_private, seeds.BYBIT_PRIVATE),
}
"""By name; each of `queuefront.feed.sources`, of the files that hold events, and of messages about the account."""
