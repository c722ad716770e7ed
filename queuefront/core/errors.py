"""The errors of Queuefront, by what the caller can do about them.

::

    QueuefrontError
    ├── ConfigError              what was asked for cannot be done as asked: change the call or the configuration
    │   └── StrategyError        the strategy file or function cannot be used, or raised while it ran
    ├── DataError                market data cannot be used: mend, convert again, or choose another file
    │   ├── DataFormatError      the bytes are not the format they claim to be
    │   │   ├── TruncatedFileError    the file ends before its contents do
    │   │   └── SchemaMismatchError   the records are not the ones expected
    │   ├── OffGridError         a price or quantity does not lie on the instrument's tick or lot grid
    │   ├── CrossedBookError     a snapshot's best bid is not below its best ask
    │   └── TimestampRangeError  a time does not fit into int64 nanoseconds
    ├── StorageFullError         what is written does not fit on its disk: make room, or write elsewhere
    ├── ClosedError              the object was closed; build a new one
    └── InvariantError           Queuefront contradicted itself: a bug, please report it

Messages say what is wrong, where, and how to mend it.
"""

from __future__ import annotations

__all__ = [
    "ClosedError",
    "ConfigError",
    "CrossedBookError",
    "DataError",
    "DataFormatError",
    "InvariantError",
    "OffGridError",
    "QueuefrontError",
    "SchemaMismatchError",
    "StorageFullError",
    "StrategyError",
    "TimestampRangeError",
    "TruncatedFileError",
]


class QueuefrontError(Exception):
    """Base of every error that Queuefront raises on purpose."""

    exit_code = 2


class ConfigError(QueuefrontError, ValueError):
    """A call or a configuration asks for something that cannot be done as asked."""


class StrategyError(ConfigError):
    """A strategy cannot be loaded, or raised while it ran."""

    exit_code = 3


class DataError(QueuefrontError, ValueError):
    """Market data cannot be used."""

    exit_code = 4


class DataFormatError(DataError):
    """A file's bytes are not the format they claim to be."""


class TruncatedFileError(DataFormatError):
    """A file ends before its contents do."""


class SchemaMismatchError(DataFormatError):
    """Records have other fields, types or sizes than expected."""


class OffGridError(DataError):
    """A price or quantity does not lie on the instrument's grid."""


class CrossedBookError(DataError):
    """A snapshot's best bid is not below its best ask."""


class TimestampRangeError(DataError):
    """A time does not fit into int64 nanoseconds."""


class StorageFullError(QueuefrontError, OSError):
    """What is written does not fit on its disk."""


class ClosedError(QueuefrontError, RuntimeError):
    """The object was closed."""


class InvariantError(QueuefrontError, AssertionError):
    """Queuefront contradicted itself."""

    exit_code = 70
