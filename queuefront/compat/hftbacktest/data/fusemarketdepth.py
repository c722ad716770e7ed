"""`hftbacktest.data.FuseMarketDepth` on our fused book."""

from __future__ import annotations

from typing import Any

from numba.extending import overload

from queuefront.book.stream_fuser_compiled import StreamFuser, new_stream_fuser
from queuefront.bot import LAYOUT
from queuefront.core.jit import IS_INTERPRETED, compiled

__all__ = ["FuseMarketDepth"]


@compiled
def _new(layout, tick_size, lot_size):  # type: ignore[no-untyped-def]  # noqa: ARG001 - the layout is there for its type
    return new_stream_fuser(tick_size, lot_size)


def FuseMarketDepth(tick_size: float, lot_size: float) -> StreamFuser:  # noqa: N802 - hftbacktest's name
    """Return what fuses best prices and depth streams, for Python and for compiled functions, which may call this too.

    It has `process_event(ev, index, add)`, `fused_events` and `close()`. `queuefront.book.FusedBook.fuse` does a whole
    array at once and is the fast way.
    """
    made: StreamFuser = _new(LAYOUT, float(tick_size), float(lot_size))
    return made


if not IS_INTERPRETED:

    @overload(FuseMarketDepth)  # type: ignore[untyped-decorator]
    def _inside(tick_size: Any, lot_size: Any) -> Any:  # noqa: ARG001 - Numba passes types
        def make(tick_size: Any, lot_size: Any) -> Any:
            return new_stream_fuser(float(tick_size), float(lot_size))

        return make
