"""What the store raises beyond `queuefront.core`'s errors.

::

    QueuefrontError
    └── StoreError   tables cannot be written, or are those of another journal
"""

from __future__ import annotations

from queuefront.core import QueuefrontError

__all__ = ["StoreError"]


class StoreError(QueuefrontError):
    """Tables cannot be written; the journal has everything, so mend the cause and follow it again."""

    exit_code = 7
