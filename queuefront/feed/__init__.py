"""Market data at rest: event files, converters, checks, cleaning and synthetic markets.

Names are loaded when they are first used: a replay needs tapes, and nothing that makes data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queuefront.core.lazy import lazily

if TYPE_CHECKING:
    from queuefront.feed.check import CheckReport, Problem, check_events, validate_events, validate_latencies
    from queuefront.feed.clean import (
        OrderViolation,
        correct_event_order,
        correct_local_timestamp,
        find_order_violations,
        validate_event_order,
    )
    from queuefront.feed.conversion import Conversion, ConversionAccount, Gap, InputFile, Refusal, VenueMessage
    from queuefront.feed.download import Fetched, fetch
    from queuefront.feed.files import replacing
    from queuefront.feed.fuse import Fusion, FusionAccount, fuse_streams
    from queuefront.feed.last_snapshot import create_last_snapshot
    from queuefront.feed.npz import read_events, read_latencies, read_records, write_npy, write_npz
    from queuefront.feed.order_latency import generate_order_latency
    from queuefront.feed.order_log import resample_order_latency
    from queuefront.feed.parquet import read_parquet, read_parquet_records, write_parquet
    from queuefront.feed.passport import Measures, Passport, PassportThresholds, Verdict, measure, passport_of
    from queuefront.feed.public_archives import BINANCE_ARCHIVE, TARDIS_ARCHIVE, download_binance, download_tardis
    from queuefront.feed.replay_index_compiled import BLOCK_SHIFT
    from queuefront.feed.snapshot_diff import (
        CHANGED,
        IN_THE_BOOK_DELETION,
        INSERTED,
        OUT_OF_BOOK_DELETION_ABOVE,
        OUT_OF_BOOK_DELETION_BELOW,
        UNCHANGED,
        DiffOrderBookSnapshot,
    )
    from queuefront.feed.sources.binance_convert import SOURCES, convert_lines
    from queuefront.feed.sources.binance_history import BINANCE_HISTORY, convert_binance_history, convert_binance_snapshot
    from queuefront.feed.sources.binance_message import MarketMessage, MessageDecoder
    from queuefront.feed.sources.bybit import BYBIT, convert_bybit
    from queuefront.feed.sources.bybit_history import BYBIT_HISTORY, convert_bybit_history
    from queuefront.feed.sources.databento import DATABENTO, convert_databento
    from queuefront.feed.sources.hyperliquid import HYPERLIQUID, convert_hyperliquid
    from queuefront.feed.sources.lobster import LOBSTER, convert_lobster
    from queuefront.feed.sources.mexc import MEXC, convert_mexc
    from queuefront.feed.sources.table import TABLE, convert_table
    from queuefront.feed.sources.tardis import TARDIS, convert_tardis
    from queuefront.feed.synth import SynthConfig, synthesize, synthetic_instrument
    from queuefront.feed.synth_orders import synthesize_orders
    from queuefront.feed.tape import RANGE_TICKS_MAX, Tape
    from queuefront.feed.tape_layout import ORDER_COLUMNS, opening_book
    from queuefront.feed.tape_split import concat_tapes, cuts_every, split_tape
    from queuefront.feed.version1 import migrate_version1, write_version1

__all__ = [
    "BINANCE_ARCHIVE",
    "BINANCE_HISTORY",
    "BLOCK_SHIFT",
    "BYBIT",
    "BYBIT_HISTORY",
    "CHANGED",
    "DATABENTO",
    "HYPERLIQUID",
    "INSERTED",
    "IN_THE_BOOK_DELETION",
    "LOBSTER",
    "MEXC",
    "ORDER_COLUMNS",
    "OUT_OF_BOOK_DELETION_ABOVE",
    "OUT_OF_BOOK_DELETION_BELOW",
    "RANGE_TICKS_MAX",
    "SOURCES",
    "TABLE",
    "TARDIS",
    "TARDIS_ARCHIVE",
    "UNCHANGED",
    "CheckReport",
    "Conversion",
    "ConversionAccount",
    "DiffOrderBookSnapshot",
    "Fetched",
    "Fusion",
    "FusionAccount",
    "Gap",
    "InputFile",
    "MarketMessage",
    "Measures",
    "MessageDecoder",
    "OrderViolation",
    "Passport",
    "PassportThresholds",
    "Problem",
    "Refusal",
    "SynthConfig",
    "Tape",
    "VenueMessage",
    "Verdict",
    "check_events",
    "concat_tapes",
    "convert_binance_history",
    "convert_binance_snapshot",
    "convert_bybit",
    "convert_bybit_history",
    "convert_databento",
    "convert_hyperliquid",
    "convert_lines",
    "convert_lobster",
    "convert_mexc",
    "convert_table",
    "convert_tardis",
    "correct_event_order",
    "correct_local_timestamp",
    "create_last_snapshot",
    "cuts_every",
    "download_binance",
    "download_tardis",
    "fetch",
    "find_order_violations",
    "fuse_streams",
    "generate_order_latency",
    "measure",
    "migrate_version1",
    "opening_book",
    "passport_of",
    "read_events",
    "read_latencies",
    "read_parquet",
    "read_parquet_records",
    "read_records",
    "replacing",
    "resample_order_latency",
    "split_tape",
    "synthesize",
    "synthesize_orders",
    "synthetic_instrument",
    "validate_event_order",
    "validate_events",
    "validate_latencies",
    "write_npy",
    "write_npz",
    "write_parquet",
    "write_version1",
]

_HOMES: Final = {
    "check": (
        "CheckReport",
        "Problem",
        "check_events",
        "validate_events",
        "validate_latencies",
    ),
    "clean": (
        "OrderViolation",
        "correct_event_order",
        "correct_local_timestamp",
        "find_order_violations",
        "validate_event_order",
    ),
    "conversion": (
        "Conversion",
        "ConversionAccount",
        "Gap",
        "InputFile",
        "Refusal",
        "VenueMessage",
    ),
    "download": (
        "Fetched",
        "fetch",
    ),
    "files": ("replacing",),
    "fuse": (
        "Fusion",
        "FusionAccount",
        "fuse_streams",
    ),
    "last_snapshot": ("create_last_snapshot",),
    "npz": (
        "read_events",
        "read_latencies",
        "read_records",
        "write_npy",
        "write_npz",
    ),
    "order_latency": ("generate_order_latency",),
    "order_log": ("resample_order_latency",),
    "parquet": (
        "read_parquet",
        "read_parquet_records",
        "write_parquet",
    ),
    "passport": (
        "Measures",
        "Passport",
        "PassportThresholds",
        "Verdict",
        "measure",
        "passport_of",
    ),
    "public_archives": (
        "BINANCE_ARCHIVE",
        "TARDIS_ARCHIVE",
        "download_binance",
        "download_tardis",
    ),
    "replay_index_compiled": ("BLOCK_SHIFT",),
    "snapshot_diff": (
        "CHANGED",
        "DiffOrderBookSnapshot",
        "INSERTED",
        "IN_THE_BOOK_DELETION",
        "OUT_OF_BOOK_DELETION_ABOVE",
        "OUT_OF_BOOK_DELETION_BELOW",
        "UNCHANGED",
    ),
    "sources.binance_convert": (
        "SOURCES",
        "convert_lines",
    ),
    "sources.binance_history": (
        "BINANCE_HISTORY",
        "convert_binance_history",
        "convert_binance_snapshot",
    ),
    "sources.binance_message": (
        "MarketMessage",
        "MessageDecoder",
    ),
    "sources.bybit": (
        "BYBIT",
        "convert_bybit",
    ),
    "sources.bybit_history": (
        "BYBIT_HISTORY",
        "convert_bybit_history",
    ),
    "sources.databento": (
        "DATABENTO",
        "convert_databento",
    ),
    "sources.hyperliquid": (
        "HYPERLIQUID",
        "convert_hyperliquid",
    ),
    "sources.lobster": (
        "LOBSTER",
        "convert_lobster",
    ),
    "sources.mexc": (
        "MEXC",
        "convert_mexc",
    ),
    "sources.table": (
        "TABLE",
        "convert_table",
    ),
    "sources.tardis": (
        "TARDIS",
        "convert_tardis",
    ),
    "synth": (
        "SynthConfig",
        "synthesize",
        "synthetic_instrument",
    ),
    "synth_orders": ("synthesize_orders",),
    "tape": (
        "RANGE_TICKS_MAX",
        "Tape",
    ),
    "tape_layout": (
        "ORDER_COLUMNS",
        "opening_book",
    ),
    "tape_split": (
        "concat_tapes",
        "cuts_every",
        "split_tape",
    ),
    "version1": (
        "migrate_version1",
        "write_version1",
    ),
}

__getattr__, __dir__ = lazily(__name__, _HOMES)
