"""`hftbacktest.recorder`."""

from queuefront.bot import Recorder

__all__ = ["Recorder"]
