"""Small DBN files of market by order, made with Databento's own encoder."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import databento_dbn as dbn
import pyarrow as pa

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
