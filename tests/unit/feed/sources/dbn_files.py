"""Small DBN files of market by order, made with Databento's own encoder."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import databento_dbn as dbn
import numpy as np
import pyarrow as pa

from queuefront.feed.sources.dbn import SCHEMAS

DAY = 1_715_126_400_000_000_000  # 2024-05-08T00:00:00Z
UNDEF = dbn.UNDEF_PRICE


def message(
    action: str = "A",
    side: str = "B",
    price: int = 5_155_500_000_000,
    size: int = 2,
    order_id: int = 7,
    event_ts: int = DAY + 100,
    recv_ts: int = DAY + 250,
    flags: int = 128,
    instrument_id: int = 5602,
    sequence: int = 1,
) -> bytes:
    """Encode one record; action and side may be any character."""
    made = bytearray(
        bytes(
            dbn.MBOMsg(
                publisher_id=1,
                instrument_id=instrument_id,
                ts_event=event_ts,
                order_id=order_id,
                price=price,
                size=size,
                action=dbn.Action.ADD,
                side=dbn.Side.BID,
                ts_recv=recv_ts,
                flags=flags,
                sequence=sequence,
            )
        )
    )
    made = made[:56]  # newer encoders may put a time of sending behind
    made[0] = 14
    made[38], made[39] = ord(action), ord(side)
    return bytes(made)


def level_message(
    bids: list[tuple[int, int]],
    asks: list[tuple[int, int]],
    *,
    action: str = "A",
    side: str = "B",
    price: int = UNDEF,
    size: int = 1,
    event_ts: int = DAY + 100,
    recv_ts: int = DAY + 250,
    flags: int = 128,
    level_count: int = 1,
) -> bytes:
    """Encode one record by price; levels are (price, size) from the best on. No levels at all make a record of trades."""
    record = SCHEMAS[{0: "trades", 1: "mbp-1", 10: "mbp-10"}[level_count]]
    made = np.zeros(1, record.record)
    made["length"], made["rtype"], made["instrument_id"] = record.record.itemsize // 4, record.rtype, 5602
    made["ts_event"], made["ts_recv"], made["flags"] = event_ts, recv_ts, flags
    made["price"], made["size"], made["action"], made["side"] = price, size, ord(action), ord(side)
    if level_count:
        for name, levels in (("bid", bids), ("ask", asks)):
            made["levels"][f"{name}_px"] = UNDEF
            for i, (px, qty) in enumerate(levels):
                made["levels"][f"{name}_px"][0, i], made["levels"][f"{name}_sz"][0, i] = px, qty
    return made.tobytes()


def header(schema: str | None = "mbo", symbols: dict[str, list[tuple[str, str, str]]] | None = None) -> bytes:
    """Encode the metadata; a symbol has (first day, day after the last, instrument id)."""
    symbols = {"ESM4": [("2024-05-08", "2024-05-09", "5602")]} if symbols is None else symbols
    mappings = [
        SimpleNamespace(
            raw_symbol=symbol,
            intervals=[
                SimpleNamespace(start_date=dt.date.fromisoformat(first), end_date=dt.date.fromisoformat(end), symbol=number)
                for first, end, number in intervals
            ],
        )
        for symbol, intervals in symbols.items()
    ]
    return bytes(
        dbn.Metadata(
            dataset="GLBX.MDP3",
            start=DAY,
            end=DAY + 10**9,
            stype_in=dbn.SType.RAW_SYMBOL,
            stype_out=dbn.SType.INSTRUMENT_ID,
            schema=None if schema is None else dbn.Schema.from_str(schema),
            symbols=list(symbols),
            partial=[],
            not_found=[],
            mappings=mappings,
        )
    )


def dbn_file(folder: Path, *messages: bytes, head: bytes | None = None, name: str = "es.mbo.dbn.zst") -> Path:
    """Write a file, inside zstd if its name says so."""
    path = folder / name
    data = (header() if head is None else head) + b"".join(messages)
    if name.endswith(".zst"):
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(data)
    else:
        path.write_bytes(data)
    return path
