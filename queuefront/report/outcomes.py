"""What became of the submitted orders, and how long the exchange took to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from queuefront.core import ORDER_CHANGE, SchemaMismatchError
from queuefront.core.enums import CANCELED, EXPIRED, FILLED
from queuefront.report.outcomes_compiled import follow_submissions

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["OrderOutcomes", "count_outcomes"]


class OrderOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the submitted orders, and how long the exchange took to answer."""

    submitted: int = 0
    filled: int = 0  # nothing was left
    partly_filled: int = 0  # executed in part, and never filled
    canceled: int = 0
    expired: int = 0  # refused, or an IOC, FOK or GTX order that could not rest
    answered: int = 0  # submissions that the exchange answered: the base of the means below
    mean_entry_latency_ns: float | None = None
    mean_response_latency_ns: float | None = None


def count_outcomes(changes: npt.NDArray[Any]) -> OrderOutcomes:
    """Count what became of the orders of one asset.

    Parameters
    ----------
    changes : ORDER_CHANGE records, as they happened; an id that is submitted again is another order.

    Raises
    ------
    SchemaMismatchError
        If the records are not ORDER_CHANGE records.
    """
    if changes.dtype != ORDER_CHANGE:
        raise SchemaMismatchError(f"order changes have the dtype {changes.dtype}; pass ORDER_CHANGE records of a run")
    requested, processed, answered, has_execution, status = follow_submissions(changes)
    is_answered = processed > 0
    entry, response = (processed - requested)[is_answered], (answered - processed)[is_answered]
    return OrderOutcomes(
        submitted=len(status),
        filled=int(np.count_nonzero(status == FILLED)),
        partly_filled=int(np.count_nonzero((status != FILLED) & has_execution)),
        canceled=int(np.count_nonzero(status == CANCELED)),
        expired=int(np.count_nonzero(status == EXPIRED)),
        answered=len(entry),
        mean_entry_latency_ns=float(np.mean(entry)) if len(entry) else None,
        mean_response_latency_ns=float(np.mean(response)) if len(response) else None,
    )
