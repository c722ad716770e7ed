"""`hftbacktest.data.validation` on our cleaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from queuefront.feed import correct_event_order as _correct_event_order
from queuefront.feed import correct_local_timestamp as _correct_local_timestamp
from queuefront.feed import validate_event_order

__all__ = ["correct_event_order", "correct_local_timestamp", "validate_event_order"]

Events = npt.NDArray[np.void]


def correct_local_timestamp(data: Events, base_latency: float) -> Events:
    """Move the local times of `data`, in place, so that none is before the exchange's; return `data`."""
    events, shift = _correct_local_timestamp(data, int(base_latency))
    if shift:
        data["local_ts"] = events["local_ts"]
    return data


def correct_event_order(data: Events, sorted_exch_index: Any = None, sorted_local_index: Any = None) -> Events:
    """Return the events ordered for both halves. The indices are hftbacktest's arguments; they are worked out here."""
    del sorted_exch_index, sorted_local_index
    return _correct_event_order(data)
