"""What can go wrong with a venue that is not an answer of it.

::

    QueuefrontError
    └── VenueError            a venue cannot be used as asked: see the message
        └── MessageError      a message is not what the venue promises; it was dropped and counted, never guessed at

A refusal is no error but an outcome (`queuefront.venues.outcome`), and so is not knowing.
"""

from __future__ import annotations

from queuefront.core import QueuefrontError

__all__ = ["MessageError", "VenueError"]


class VenueError(QueuefrontError):
    """A venue cannot be used as asked."""

    exit_code = 6


class MessageError(VenueError, ValueError):
    """A message cannot be read."""
