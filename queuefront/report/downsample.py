"""Fewer points for display, without losing the extremes.

A chart of two thousand pixels cannot show a million samples. The rows are divided into equal buckets, and of every bucket
the first row, the last row, and the rows with the lowest and highest value of every drawn column stay. So no spike,
drawdown or largest position disappears; what is lost is the order of small moves inside a bucket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FILLS_SHOWN_MAX", "SAMPLES_SHOWN_MAX", "every_nth", "rows_with_extremes"]

#: Most samples that a chart shows.
SAMPLES_SHOWN_MAX = 20_000
#: Most fills that a chart shows.
FILLS_SHOWN_MAX = 20_000


def rows_with_extremes(columns: Sequence[npt.NDArray[np.float64]], limit: int = SAMPLES_SHOWN_MAX) -> npt.NDArray[np.int64]:
    """Return the rows to draw, ascending: all of them up to `limit`, else first, last and extremes of every bucket.

    Parameters
    ----------
    columns : the drawn columns, of one length; NaN counts as no value. Not mutated.
    limit : most rows returned; at least 2 + 2 × the number of columns.
    """
    count = len(columns[0])
    if count <= limit:
        return np.arange(count)
    edges = np.linspace(0, count, max(1, limit // (2 + 2 * len(columns))) + 1).astype(np.int64)
    starts, ends = edges[:-1], edges[1:]
    kept = [starts, ends - 1]
    for column in columns:
        is_known = ~np.isnan(column)
        low, high = np.where(is_known, column, np.inf), np.where(is_known, column, -np.inf)
        kept.append(np.array([a + np.argmin(low[a:b]) for a, b in zip(starts, ends, strict=True)]))
        kept.append(np.array([a + np.argmax(high[a:b]) for a, b in zip(starts, ends, strict=True)]))
    return np.unique(np.concatenate(kept))


def every_nth(count: int, limit: int = FILLS_SHOWN_MAX) -> int:
    """Return the smallest n for which every n-th of `count` items are at most `limit`."""
    return max(1, -(-count // limit))
