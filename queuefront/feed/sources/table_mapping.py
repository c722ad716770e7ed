"""The mapping that says which columns of a table are what: its keys, and what is refused in it.

A mapping is a TOML file, or the same as a dict; `docs/data.md` shows one with every key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FILL_EVENT,
    MODIFY_ORDER_EVENT,
    TRADE_EVENT,
)
from queuefront.core.errors import ConfigError

__all__ = ["KINDS", "ORDER_KINDS", "UNIT_DIGITS", "Columns", "KindColumn", "SideColumn", "TableMapping", "load_mapping"]

KINDS: Final = {
    "depth": DEPTH_EVENT,
    "trade": TRADE_EVENT,
    "clear": DEPTH_CLEAR_EVENT,
    "snapshot": DEPTH_SNAPSHOT_EVENT,
    "bbo": DEPTH_BBO_EVENT,
    "add": ADD_ORDER_EVENT,
    "cancel": CANCEL_ORDER_EVENT,
    "modify": MODIFY_ORDER_EVENT,
    "fill": FILL_EVENT,
}
"""Names of the kinds of rows."""

ORDER_KINDS: Final = frozenset(("add", "cancel", "modify", "fill"))

UNIT_DIGITS: Final = {"s": 9, "ms": 6, "us": 3, "ns": 0}
"""Decimal places of a unit of time that nanoseconds hold."""

Unit = Literal["s", "ms", "us", "ns"]


class TimeColumn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A column of times, counted in `unit` since 1970."""

    name: str
    unit: Unit


class SideColumn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A column of sides: of the book for depth, of the taker for trades. `none` lists what names no side."""

    name: str
    buy: list[str]
    sell: list[str]
    none: list[str] = []


class KindColumn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A column of kinds: which values stand for which kind; `ignore` lists values whose rows are left out."""

    name: str
    depth: list[str] = []
    trade: list[str] = []
    clear: list[str] = []
    snapshot: list[str] = []
    bbo: list[str] = []
    add: list[str] = []
    cancel: list[str] = []
    modify: list[str] = []
    fill: list[str] = []
    ignore: list[str] = []


class Columns(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which columns are what."""

    exch_ts: TimeColumn
    px: str
    qty: str
    side: SideColumn
    kind: str | KindColumn
    local_ts: TimeColumn | None = None
    order_id: str | None = None
    symbol: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    delimiter: str = ","
    header: bool = True


class TableMapping(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A mapping; `feed_latency_ns` makes local times where there is no column of them."""

    columns: Columns
    venue: str = "table"
    symbol: str | None = None
    feed_latency_ns: int = 0
    file: _File = _File()

    @property
    def names(self) -> dict[str, str]:
        """The key of each column in the mapping, and the column's name."""
        columns = self.columns
        named = {
            "columns.exch_ts.name": columns.exch_ts.name,
            "columns.px": columns.px,
            "columns.qty": columns.qty,
            "columns.side.name": columns.side.name,
        }
        if columns.local_ts is not None:
            named["columns.local_ts.name"] = columns.local_ts.name
        if isinstance(columns.kind, KindColumn):
            named["columns.kind.name"] = columns.kind.name
        if columns.order_id is not None:
            named["columns.order_id"] = columns.order_id
        if columns.symbol is not None:
            named["columns.symbol"] = columns.symbol
        return named


def load_mapping(mapping: str | os.PathLike[str] | dict[str, Any], symbol: str | None = None) -> TableMapping:
    """Return the mapping of a TOML file or a dict, with another symbol if one is given.

    Raises
    ------
    ConfigError
        Naming the key that is missing, unknown, or has a value that it cannot have.
    """
    if isinstance(mapping, dict):
        source, data = "mapping", mapping
    else:
        source, data = str(mapping), _read(Path(mapping))
    try:
        made = msgspec.convert(data, TableMapping)
    except msgspec.ValidationError as e:
        raise ConfigError(f"{source}: {str(e).replace('$.', '')}; docs/data.md shows a mapping with every key") from e
    if symbol is not None:
        made = msgspec.structs.replace(made, symbol=symbol)
    _check(made, source)
    return made


def _read(path: Path) -> Any:
    try:
        return msgspec.toml.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: no readable TOML ({e}); docs/data.md shows a mapping with every key") from e


def _check(mapping: TableMapping, source: str) -> None:
    columns = mapping.columns
    if len(mapping.file.delimiter) != 1 or not mapping.file.delimiter.isascii():
        raise ConfigError(f"{source}: file.delimiter is {mapping.file.delimiter!r}; give one character")
    if not 0 <= mapping.feed_latency_ns < 2**62:
        raise ConfigError(f"{source}: feed_latency_ns is {mapping.feed_latency_ns:,}; give nanoseconds from 0")
    if mapping.feed_latency_ns and columns.local_ts is not None:
        raise ConfigError(f"{source}: feed_latency_ns says nothing beside columns.local_ts; leave one of them out")
    if isinstance(columns.kind, str):
        kinds = {columns.kind}
        if columns.kind not in KINDS:
            raise ConfigError(f"{source}: columns.kind is {columns.kind!r}; choose one of {', '.join(KINDS)}, or a column")
    else:
        kinds = {kind for kind in KINDS if getattr(columns.kind, kind)}
        _refuse_twice(source, "columns.kind", [getattr(columns.kind, name) for name in (*KINDS, "ignore")])
        if not kinds:
            raise ConfigError(f"{source}: columns.kind has no values; give those of one kind at least, for example trade")
    if kinds & ORDER_KINDS and columns.order_id is None:
        raise ConfigError(f"{source}: rows that {min(kinds & ORDER_KINDS)} orders need columns.order_id")
    _refuse_twice(source, "columns.side", [columns.side.buy, columns.side.sell, columns.side.none])
    if columns.symbol is not None and mapping.symbol is None:
        raise ConfigError(f"{source}: columns.symbol needs symbol, whose rows to take")


def _refuse_twice(source: str, key: str, lists: list[list[str]]) -> None:
    seen: set[str] = set()
    for value in (value for values in lists for value in values):
        if value in seen:
            raise ConfigError(f"{source}: {key} names the value {value!r} twice; one value means one thing")
        seen.add(value)
