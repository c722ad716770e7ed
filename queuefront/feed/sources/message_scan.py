"""Scan the plain lines of a raw file, for the walk that keeps the account (`message_lines`).

The compiled scanner of a venue takes lines one after the other until it meets one that it does not know. What it knows
grows with the file: the names of topics and channels, and the symbol, are learned from the lines that the decoder takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.feed.conversion import LIST_MAX
from queuefront.feed.sources import message_compiled as slots
from queuefront.feed.sources.refusal import NS_MIN, NS_PER_MS
from queuefront.feed.sources.words_compiled import WORD_BYTES

__all__ = ["ROW_BYTES_MIN", "LineScan", "Name", "Scan", "State", "scan_state"]

State = npt.NDArray[np.int64]
Events = npt.NDArray[Any]

_NAMES_MAX: Final = 16
_NAME_CHARACTERS_MAX: Final = 80
_INT64_MAX: Final = 2**63 - 1
ROW_BYTES_MIN: Final = 9
"""No level takes fewer bytes of its line; the two clears of a snapshot take the place of its other keys."""


class Scan(NamedTuple):
    """How a venue's messages are scanned.

    function : of `<venue>_compiled`, called as its `scan_lines`.
    option, ns_per_step : of the venue.
    books : float64[4, 2, n]: prices and quantities of the book before, and room for those of the next, by side.
    before, after : called with the state and the symbol; they tell the scanner what the decoder knows of the messages
        before, and the decoder what the scanner found in those that it took.
    rows_more : how many rows lines may make beside those of their own levels.
    """

    function: Callable[..., tuple[int, int, int]]
    option: int = 0
    ns_per_step: int = NS_PER_MS
    books: npt.NDArray[np.float64] = np.zeros((4, 2, 0))
    rows_more: int = 0
    before: Callable[[State, str], None] | None = None
    after: Callable[[State, str], None] | None = None


class Name(NamedTuple):
    """A text that names a kind of message, and what it means."""

    text: str
    use: int
    kind: str
    stream: str


def scan_state(scan: Scan) -> State:
    """Return a new state."""
    state = np.zeros(slots.STATE_SIZE, np.int64)
    state[slots.STATE_OPTION] = scan.option
    state[slots.STATE_NS_PER_STEP] = scan.ns_per_step
    state[slots.STATE_TIME_MIN], state[slots.STATE_TIME_MAX] = (
        -(-NS_MIN // scan.ns_per_step),
        _INT64_MAX // scan.ns_per_step,
    )
    return state


class LineScan:
    """The scanner of one file, and what it knows."""

    def __init__(self, scan: Scan, gap_threshold_ns: int) -> None:
        self._scan = scan
        self.state = scan_state(scan)
        self.state[slots.STATE_SILENCE_MAX_NS] = min(gap_threshold_ns, _INT64_MAX)
        self.gaps = np.zeros((LIST_MAX, slots.GAP_COLUMNS), np.int64)
        self._names: list[Name] = []
        self._table = np.zeros((0, slots.NAME_COLUMNS), np.int64)
        self._symbol = ""
        self._texts: npt.NDArray[np.uint8] = np.zeros(WORD_BYTES, np.uint8)
        self._block: npt.NDArray[np.uint8] | None = None  # for which there is room
        self._rows = np.zeros(0, EVENT)  # scanners leave the spare fields as they are

    def learn(self, symbol: str, name: Name | None) -> None:
        """Take note of the file's symbol and of a name, if they are new."""
        is_new = name is not None and all(known.text != name.text for known in self._names)
        if is_new and name is not None and len(self._names) < _NAMES_MAX and len(name.text) < _NAME_CHARACTERS_MAX:
            self._names.append(name)
        elif symbol == self._symbol:
            return
        self._symbol = symbol
        texts = bytearray(symbol.encode("utf-8", "replace"))
        self.state[slots.STATE_SYMBOL_BYTES] = len(texts)
        streams = [known.stream for known in self._names]
        self._table = np.zeros((len(self._names), slots.NAME_COLUMNS), np.int64)
        for row, known in enumerate(self._names):
            text = known.text.encode("utf-8", "replace")
            self._table[row, slots.NAME_FIRST], self._table[row, slots.NAME_SIZE] = len(texts), len(text)
            self._table[row, slots.NAME_USE] = known.use
            self._table[row, slots.NAME_STREAM] = streams.index(known.stream)
            texts += text
        self._texts = np.frombuffer(bytes(texts) + b"\0" * WORD_BYTES, np.uint8)

    def run(
        self, buf: npt.NDArray[np.uint8], begin: int, last_ids: dict[str, int], counts: dict[str, int]
    ) -> tuple[int, int, Events]:
        """Scan whole lines from `begin` on; return where it ended, how many lines it took, and rows to be used at once.

        The state tells the gaps that were found; ids and counts are brought up to date.
        """
        if not self._names:
            return begin, 0, self._rows[:0]
        table = self._table
        for row, name in enumerate(self._names):
            table[row, slots.NAME_LAST_ID] = last_ids.get(name.stream, -1)
        table[:, slots.NAME_COUNT] = 0
        self.state[slots.STATE_GAPS] = self.state[slots.STATE_SET_ASIDE] = 0
        self._make_room(buf)
        end, lines, used = self._scan.function(
            buf, begin, self._texts, table, self.state, self._scan.books, self.gaps, self._rows
        )
        for row, name in enumerate(self._names):
            if count := int(table[row, slots.NAME_COUNT]):
                counts[name.kind[:40]] += count
            last_id = int(table[row, slots.NAME_LAST_ID])
            if last_id >= 0 and table[row, slots.NAME_STREAM] == row:
                last_ids[name.stream] = last_id
        return end, lines, self._rows[:used]

    def _make_room(self, buf: npt.NDArray[np.uint8]) -> None:
        if self._block is not buf:
            if len(self._rows) < (need := len(buf) // ROW_BYTES_MIN + self._scan.rows_more):
                self._rows = np.zeros(need, EVENT)  # room that is never written costs no memory
            self._block = buf
