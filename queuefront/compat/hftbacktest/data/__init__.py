"""The preparation functions of `hftbacktest.data`."""

from queuefront.compat.hftbacktest.data.fusemarketdepth import FuseMarketDepth
from queuefront.compat.hftbacktest.data.validation import (
    correct_event_order,
    correct_local_timestamp,
    validate_event_order,
)

__all__ = ["FuseMarketDepth", "correct_event_order", "correct_local_timestamp", "validate_event_order"]
