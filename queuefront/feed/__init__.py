"""Market data at rest: event files, converters, checks, cleaning and synthetic markets."""

from queuefront.feed.check import CheckReport, Problem, check_events, validate_events, validate_latencies
from queuefront.feed.clean import (
    OrderViolation,
    correct_event_order,
    correct_local_timestamp,
    find_order_violations,
    validate_event_order,
)
from queuefront.feed.conversion import Conversion, ConversionAccount, Gap, Refusal, VenueMessage
from queuefront.feed.convert import SOURCES, convert_lines
from queuefront.feed.files import replacing
from queuefront.feed.npz import read_events, read_latencies, read_records, write_npy, write_npz
from queuefront.feed.synth import SynthConfig, synthesize, synthetic_instrument
from queuefront.feed.tape import Tape
from queuefront.feed.tape_build import ORDER_COLUMNS, opening_book

__all__ = [
    "ORDER_COLUMNS",
    "SOURCES",
    "CheckReport",
    "Conversion",
    "ConversionAccount",
    "Gap",
    "OrderViolation",
    "Problem",
    "Refusal",
    "SynthConfig",
    "Tape",
    "VenueMessage",
    "check_events",
    "convert_lines",
    "correct_event_order",
    "correct_local_timestamp",
    "find_order_violations",
    "opening_book",
    "read_events",
    "read_latencies",
    "read_records",
    "replacing",
    "synthesize",
    "synthetic_instrument",
    "validate_event_order",
    "validate_events",
    "validate_latencies",
    "write_npy",
    "write_npz",
]
