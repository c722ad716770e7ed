"""What the kernel raises beyond `queuefront.core`'s errors.

::

    QueuefrontError
    ├── JournalError             the journal cannot be written, or does not say what was written into it
    │   ├── JournalDamagedError  a row was torn or altered; it is named
    │   └── JournalLockedError   another process writes this journal
    └── ClosedError
        └── KernelClosedError    the kernel was closed
"""

from __future__ import annotations

from queuefront.core import ClosedError, QueuefrontError

__all__ = ["JournalDamagedError", "JournalError", "JournalLockedError", "KernelClosedError"]


class JournalError(QueuefrontError):
    """A journal cannot be used."""

    exit_code = 5


class JournalDamagedError(JournalError):
    """A row of a journal was torn or altered."""


class JournalLockedError(JournalError):
    """Another process writes this journal."""


class KernelClosedError(ClosedError):
    """The kernel was closed."""
