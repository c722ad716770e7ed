"""`hftbacktest.data.utils.difforderbooksnapshot`: the same names, our code, a plain Python class."""

from queuefront.feed import (
    CHANGED,
    IN_THE_BOOK_DELETION,
    INSERTED,
    OUT_OF_BOOK_DELETION_ABOVE,
    OUT_OF_BOOK_DELETION_BELOW,
    UNCHANGED,
    DiffOrderBookSnapshot,
)

__all__ = [
    "CHANGED",
    "INSERTED",
    "IN_THE_BOOK_DELETION",
    "OUT_OF_BOOK_DELETION_ABOVE",
    "OUT_OF_BOOK_DELETION_BELOW",
    "UNCHANGED",
    "DiffOrderBookSnapshot",
]
