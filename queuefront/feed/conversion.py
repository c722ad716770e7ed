"""What a conversion did, so that nobody has to trust it: counts, refusals, gaps and shifts, as plain data."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.instrument import Instrument
from queuefront.feed.event_order import EventBlocks
from queuefront.feed.row_spill import Rows

if TYPE_CHECKING:
    from queuefront.feed.tape_layout import OffGrid

__all__ = ["Conversion", "ConversionAccount", "Gap", "InputFile", "Refusal", "VenueMessage", "quote"]

LIST_MAX: Final = 1000
"""Longest list in an account; totals count on."""

QUOTE_MAX: Final = 200
"""Longest quotation of a line, in characters."""


def quote(line: bytes) -> str:
    """Return the beginning of a line as text."""
    text = line[: QUOTE_MAX + 1].decode("utf-8", "replace")
    return text if len(text) <= QUOTE_MAX else text[: QUOTE_MAX - 1] + "…"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was left out, with the reason and the beginning of its text."""

    line: int  # from 1
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class VenueMessage:
    """A line in which the venue answered with a code instead of data."""

    line: int  # from 1
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing before a line."""

    kind: str  # "sequence": `size` update ids were not delivered (negative: ids came again); "time": `size` ns of silence
    line: int  # from 1
    local_ts: int  # of that line, as recorded
    size: int


@dataclass(frozen=True, slots=True)
class InputFile:
    """One of the files that went in."""

    path: str
    sha256: str
    input_bytes: int


@dataclass(slots=True)
class ConversionAccount:
    """What went in, what came out, and what was left out."""

    source: str
    path: str
    sha256: str = ""
    input_bytes: int = 0
    inputs: list[InputFile] = field(default_factory=list)  # where a source has several files
    lines: int = 0
    lines_by_kind: dict[str, int] = field(default_factory=dict)
    events: int = 0
    events_by_kind: dict[str, int] = field(default_factory=dict)  # before rows were split
    refused: list[Refusal] = field(default_factory=list)
    refused_count: int = 0
    venue_messages: list[VenueMessage] = field(default_factory=list)
    venue_message_count: int = 0
    gaps: list[Gap] = field(default_factory=list)
    gap_count: int = 0
    gap_threshold_ns: int = 0
    damage: str | None = None  # what cut the input off
    local_ts_shift_ns: int = 0
    rows_split: int = 0
    first_exch_ts: int | None = None
    last_exch_ts: int | None = None
    first_local_ts: int | None = None
    last_local_ts: int | None = None
    tick_size: str = ""
    tick_size_inferred_from: int | None = None  # number of prices; None: it was given
    lot_size: str = ""
    lot_size_inferred_from: int | None = None
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the account as JSON-able data."""
        return asdict(self)


class Conversion:
    """Events ready for replay, the account of their making, and what they are events of.

    Parameters
    ----------
    events : EVENT[n] or, of a conversion, blocks of them, most of which lie in a temporary file.
    """

    def __init__(
        self, events: npt.NDArray[np.void] | EventBlocks, account: ConversionAccount, instrument: Instrument
    ) -> None:
        if not isinstance(events, EventBlocks):
            assert events.dtype == EVENT
            events = EventBlocks(Rows.of(events))
        self.blocks: Final = events
        self.account: Final = account
        self.instrument: Final = instrument

    def __repr__(self) -> str:
        i = self.instrument
        return f"<Conversion {i.venue}:{i.symbol}, {len(self.blocks):,} events>"

    @cached_property
    def events(self) -> npt.NDArray[np.void]:
        """All events in memory, EVENT[n], read-only."""
        events = self.blocks.whole()
        events.setflags(write=False)
        return events

    def save_tape(self, path: str | os.PathLike[str], *, source: str | None = None, off_grid: OffGrid = "refuse") -> None:
        """Write the events as a tape, in memory that does not grow with them; the file is whole or not there.

        Columns in the making go to temporary files, in `TMPDIR` or `/var/tmp`: some 70 bytes an event.

        Parameters
        ----------
        path : the file.
        source : what the events are, in the tape's metadata; the path that was converted where it is not given.
        off_grid : as of `Tape.build`.

        Raises
        ------
        DataError
            As of `Tape.build`.
        StorageFullError
            If the tape, or what it is made of, does not fit on its disk.
        """
        from queuefront.feed.tape_file import write_events  # here, for the sake of a quick start

        write_events(
            path,
            self.blocks,
            self.instrument,
            source=self.account.path if source is None else source,
            account=self.account.to_dict(),
            off_grid=off_grid,
        )
