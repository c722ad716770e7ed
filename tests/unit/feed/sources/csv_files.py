"""Small archive files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from queuefront.feed.sources.archive import Archive
from queuefront.feed.sources.csv_columns import Column
from queuefront.feed.sources.csv_records import CsvFile, Layout, Table

__all__ = ["LAYOUT", "file", "read", "tardis_file"]

LAYOUT = Layout(
    "ticks",
    (
        Column("ts", "time"),
        Column("symbol", "same"),
        Column("side", "choice", choices={b"buy": 1, b"sell": 2}),
        Column("px", "price"),
        Column("qty", "qty", is_optional=True),
    ),
    ("ts", "symbol", "side", "px", "qty", "note"),
)

TARDIS_HEADS = {
    "trades": "id,side,price,amount",
    "incremental_book_L2": "is_snapshot,side,price,amount",
    "quotes": "ask_amount,ask_price,bid_price,bid_amount",
    "derivative_ticker": (
        "funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price"
    ),
}


def file(folder: Path, text: str | bytes, name: str = "ticks.csv") -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, on_bad: str = "stop", **options: str) -> tuple[Table, Archive]:
    """Read a file of `LAYOUT`."""
    archive = Archive("test", [path], on_bad=on_bad, **options)  # type: ignore[arg-type]
    tables = list(CsvFile(archive, path, (LAYOUT,)).tables())
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in tables[0].columns}
    return Table(tables[0].layout, columns, np.concatenate([table.line for table in tables]), path), archive


def tardis_file(folder: Path, kind: str, *records: str, name: str = "") -> Path:
    """Write a file of Tardis; a record begins with its receipt time in µs."""
    lines = [f"deribit,BTC,{int(record.partition(',')[0]) - 5},{record}" for record in records]
    head = f"exchange,symbol,timestamp,local_timestamp,{TARDIS_HEADS[kind]}"
    return file(folder, "\n".join([head, *lines]) + "\n", name or f"{kind}.csv")
